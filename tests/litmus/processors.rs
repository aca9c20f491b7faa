//! The processors, and how herd7 wants to read what the compiler writes for them.

pub(crate) struct Processor {
    /// Of its column and its folder.
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// What a test for it begins with.
    pub(crate) herd: &'static str,
    /// What a comment begins with in the compiler's assembly.
    pub(crate) comment: &'static str,
    /// The registers of a function's arguments.
    pub(crate) arguments: [&'static str; 6],
    /// The instructions of the thread of this number; no two threads have a label in common.
    pub(crate) translate: fn(Vec<String>, usize) -> Vec<String>,
}

pub(crate) const ALL: [Processor; 4] = [
    Processor {
        name: "x86-64",
        target: "x86_64-unknown-linux-gnu",
        herd: "X86_64",
        comment: "#",
        arguments: ["rdi", "rsi", "rdx", "rcx", "r8", "r9"],
        translate: |body, thread| without_return(body, thread, "retq", "jmp", x86),
    },
    Processor {
        name: "AArch64",
        target: "aarch64-unknown-linux-gnu",
        herd: "AArch64",
        comment: "//",
        arguments: ["x0", "x1", "x2", "x3", "x4", "x5"],
        translate: |body, thread| without_return(body, thread, "ret", "b", |line| line),
    },
    Processor {
        name: "RISC-V",
        target: "riscv64gc-unknown-linux-gnu",
        herd: "RISCV",
        comment: "#",
        arguments: ["a0", "a1", "a2", "a3", "a4", "a5"],
        translate: |body, thread| without_return(body, thread, "ret", "j", riscv),
    },
    Processor {
        name: "POWER",
        target: "powerpc64le-unknown-linux-gnu",
        herd: "PPC",
        comment: "#",
        arguments: ["r3", "r4", "r5", "r6", "r7", "r8"],
        translate: |body, thread| without_return(power(&body, thread), thread, "blr", "b", |line| line),
    },
];

fn end(thread: usize) -> String {
    format!("End{thread}")
}

/// A return goes to the end.
fn without_return(body: Vec<String>, thread: usize, back: &str, jump: &str, line: fn(String) -> String) -> Vec<String> {
    let (last, end) = (body.len() - 1, end(thread));
    let mut all: Vec<_> = body
        .into_iter()
        .enumerate()
        .filter(|(number, instruction)| *number != last || instruction != back)
        .map(|(_, instruction)| if instruction == back { format!("{jump} {end}") } else { line(instruction) })
        .collect();
    if all.iter().any(|instruction| instruction.ends_with(&end)) {
        all.push(format!("{end}:"));
    }
    all
}

/// A locked operation on the own stack is the compiler's full fence.
fn x86(line: String) -> String {
    if line == "lock orl $0, -64(%rsp)" {
        return "mfence".to_owned();
    }
    match line.strip_prefix("testl ").and_then(|of| of.split_once(", ")) {
        Some((one, two)) if one == two => format!("cmpl $0, {one}"),
        _ => line,
    }
}

fn riscv(line: String) -> String {
    for (short, whole) in [("beqz ", "beq "), ("bnez ", "bne ")] {
        if let Some((register, label)) = line.strip_prefix(short).and_then(|of| of.split_once(", ")) {
            return format!("{whole}{register}, x0, {label}");
        }
    }
    line
}

/// Registers have names here; and herd7 has one condition register, so that a comparison moves down
/// to its branch. Nothing between the two changes what is compared.
fn power(body: &[String], thread: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut compared: Option<(String, String)> = None;
    let mut acquired = 0;
    for line in body {
        let (what, with) = line.split_once(' ').unwrap_or((line, ""));
        let with: Vec<_> = with.split(", ").collect();
        let place = |text: &str| text.replace('(', "(r");
        match (what, &with[..]) {
            ("li", [to, value]) => all.push(format!("li r{to}, {value}")),
            ("lwz" | "stw", [register, at]) => all.push(format!("{what} r{register}, {}", place(at))),
            ("cmplwi" | "cmpwi", [register, value]) => {
                compared = Some(((*register).to_owned(), format!("cmpwi r{register}, {value}")));
            }
            // An acquire: a branch that depends on what was loaded, and `isync`.
            ("cmpd", ["7", one, two]) if one == two => all.push(format!("acquired r{one}")),
            ("bne-", ["7", ".+4"]) => {
                let at = all.iter().position(|line| line.starts_with("acquired ")).expect("a comparison");
                let register = all.remove(at).replace("acquired ", "");
                let next = format!("Acquired{thread}_{acquired}");
                acquired += 1;
                all.extend([format!("cmpw {register}, {register}"), format!("bne {next}"), format!("{next}:")]);
            }
            ("beqlr" | "bnelr", ["0"]) | ("beq" | "bne", ["0", _]) => {
                let (_, compare) = compared.take().expect("a comparison");
                let to = with.get(1).map_or_else(|| end(thread), |label| (*label).to_owned());
                all.extend([compare, format!("{} {to}", &what[..3])]);
            }
            ("sync" | "lwsync" | "isync" | "blr", _) | ("b", [_]) => all.push(line.clone()),
            (label, _) if label.ends_with(':') => all.push(line.clone()),
            _ => panic!("POWER: say here how herd7 reads `{line}`"),
        }
        if let (Some((register, _)), "li" | "lwz", [to, ..]) = (&compared, what, &with[..]) {
            assert!(to != register, "{line} changes what was compared");
        }
    }
    all
}
