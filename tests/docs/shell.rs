//! Runs a document's blocks as a reader would who has just built the programs.

use crate::markdown::{Block, Document};
use crate::support::{SHM_HANDOFF, SHMREAD, SHMWRITE, as_from_a_shell, skipped};
use crate::{root, tutorial};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// For all blocks of a document: only one that hangs takes so long.
const DEADLINE: Duration = Duration::from_secs(180);

/// Before a block: notes each job that it starts in the background.
const BEFORE: &str = r#"trap 'case " ${jobs-} " in *" $! "*) ;; *) jobs="${jobs-} $!" ;; esac' DEBUG
"#;

/// Behind it: none of them may have failed. A block that waits has seen to its own.
const BEHIND: &str = r#"for job in ${jobs-}; do wait "$job"; done
"#;

/// Each block as long as none fails, then what is left in the namespace.
const DRIVER: &str = r#"
for block in "$1"/*.sh; do
    bash -eo pipefail "$block" >"$block.out" 2>"$block.err" </dev/null
    echo $? >"$block.status"
    [ "$(cat "$block.status")" = 0 ] || exit 1
done
for kind in shm sem; do tail -n +2 /proc/sysvipc/$kind; done >"$1/left"
"#;

/// What apart from the programs is there at the reader's: any files with these names.
fn lay_out(folder: &Path) {
    let many: String = (1..=1000).fold(String::new(), |text, number| text + &number.to_string() + "\n");
    fs::write(folder.join("part1"), "one\ntwo\n").unwrap();
    fs::write(folder.join("long.txt"), "long ".repeat(1000) + "\n").unwrap();
    fs::write(folder.join("lines"), many.clone() + "any\0bytes\n").unwrap();
    fs::write(folder.join("image.iso"), many.repeat(100)).unwrap();
    // As in a checkout.
    for name in ["capi", "ci", "docs", "examples", "share", "src", "tests"] {
        symlink(root().join(name), folder.join(name)).unwrap();
    }
    for profile in ["debug", "release"] {
        let built = folder.join("target").join(profile);
        fs::create_dir_all(&built).unwrap();
        for program in [SHMREAD, SHMWRITE, SHM_HANDOFF].map(Path::new).into_iter().chain(tutorial::programs()) {
            symlink(program, built.join(program.file_name().unwrap())).unwrap();
        }
    }
}

/// `unshare` with what gives a document a namespace of its own; `None` if it can't be had.
/// With the pid namespace all goes that a block may have started.
fn namespace() -> Option<Vec<&'static str>> {
    let apart = ["--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let ways = [apart.to_vec(), [&["--map-root-user"][..], &apart].concat()];
    let works = |way: &Vec<_>| {
        let tried = Command::new("unshare").args(way).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    ways.into_iter().find(works)
}

/// Rust as this test has it, which need not be at home there, and what it has built.
fn toolchain() -> Vec<(&'static str, PathBuf)> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let rust = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .map(|(name, at)| (name, std::env::var_os(name).map_or(home.join(at), PathBuf::from)));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
    rust.into_iter().chain([("CARGO_TARGET_DIR", target), ("PROFILE", "dev".into())]).collect()
}

pub(crate) fn run(document: &Document) {
    let Some(namespace) = namespace() else {
        return skipped("unshare can't make an IPC namespace here; the documents use the default key");
    };
    let needs = |tool| document.blocks.iter().any(|block| block.is_shell() && block.text.contains(tool));
    if needs("pkg-config") && Command::new("pkg-config").arg("--version").output().is_err() {
        return skipped("pkg-config is not installed");
    }
    let [folder, scripts, home] = [(); 3].map(|()| TempDir::new().unwrap());
    lay_out(folder.path());
    let script = |index| scripts.path().join(format!("{index:03}.sh"));
    let run: Vec<_> = document.blocks.iter().enumerate().filter(|(_, block)| block.is_shell()).collect();
    for (index, block) in &run {
        let text = block.commands();
        let waits = text.split([' ', ';', '\n']).any(|word| word == "wait");
        let behind = if waits { "" } else { BEHIND };
        fs::write(script(*index), format!("{BEFORE}{text}{behind}")).unwrap();
    }
    let path = format!("{}:{}", Path::new(SHMREAD).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("unshare");
    command.args(namespace).args(["bash", "-c", DRIVER, "driver"]).arg(scripts.path()).current_dir(folder.path());
    command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").env("HOME", home.path()).stdin(Stdio::null());
    command.envs(toolchain());
    as_from_a_shell(&mut command);
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    for (index, block) in run {
        let read = |what| fs::read(format!("{}.{what}", script(index).display())).unwrap_or_default();
        let [status, out, err] = ["status", "out", "err"].map(|what| String::from_utf8_lossy(&read(what)).into_owned());
        let expected = document.blocks.get(index + 1).filter(|next| next.is_output());
        let wrong = match status.trim() {
            "" => Some(format!("has not ended within {DEADLINE:?}")),
            "0" => expected.filter(|expected| !prints(expected, &out, &err)).map(|expected| {
                let mut what = "prints something else than what is said there:\n".to_owned();
                write!(what, "{}", expected.text).unwrap();
                what
            }),
            status => Some(format!("exits with {status}")),
        };
        if let Some(wrong) = wrong {
            panic!(
                "{}:{}: this block {wrong}\n--- commands\n{}--- stdout\n{out}--- stderr\n{err}",
                document.path.display(),
                block.line,
                block.commands(),
            );
        }
    }
    let left = fs::read_to_string(scripts.path().join("left")).unwrap();
    assert_eq!(left, "", "{}: segments or semaphore sets are left behind", document.path.display());
}

/// Whether this came on one of the streams, or on both.
fn prints(expected: &Block, out: &str, err: &str) -> bool {
    let both = [out.to_owned(), err.to_owned(), format!("{out}{err}"), format!("{err}{out}")];
    both.iter().any(|printed| {
        if expected.is_alike() { alike(printed) == alike(&expected.text) } else { *printed == expected.text }
    })
}

/// Every number is as good as another, and so are blanks.
fn alike(text: &str) -> String {
    let mut shape = String::new();
    for line in text.lines() {
        let words = line.split_whitespace().map(|word| {
            let mut number = false;
            let mut kept = String::new();
            for letter in word.chars() {
                let goes_on =
                    letter.is_ascii_digit() || (number && (letter.is_ascii_hexdigit() || "x,.".contains(letter)));
                if !goes_on {
                    kept.push(letter);
                } else if !number {
                    kept.push('0');
                }
                number = goes_on;
            }
            kept
        });
        shape += &words.collect::<Vec<_>>().join(" ");
        shape.push('\n');
    }
    shape
}
