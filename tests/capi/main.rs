//! The C library: its examples in C and C++, a caller that does everything wrong, deaths, and
//! what is installed. The peers are our programs, its own, and the tutorial's.
#![cfg(not(model))]

mod installed;
#[path = "../support/mod.rs"]
mod support;

use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::{Reader, Role, Writer};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use support::{Channel, Ended, Peer, Run, for_everybody, is_root, numbers, skipped};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What the static library needs besides: as in `capi/shm_handoff.pc.in`.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// `nobody`, or any user that is not root.
const STRANGER: u32 = 65534;

/// Where the programs are built and the library is installed to.
fn place() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi")
}

/// The installed library: `DESTDIR` is [`place`], `PREFIX` is /usr.
static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    succeeds(install().env("DESTDIR", place()).env("PREFIX", "/usr"));
    place().join("usr")
});

fn install() -> Command {
    let mut command = Command::new(Path::new(ROOT).join("capi/install.sh"));
    what_is_built(&mut command);
    command
}

/// For capi/install.sh, so that it finds most of it built.
fn what_is_built(command: &mut Command) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    command.env("PROFILE", "dev").env("CARGO_TARGET_DIR", target);
}

fn succeeds(command: &mut Command) -> String {
    let shown = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("{shown}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {}\n{said}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn compiler() -> String {
    std::env::var("CC").unwrap_or_else(|_| "cc".to_owned())
}

/// Compiles a program with every warning as an error, against the static library.
fn compile(source: &str, compiler: &str, standard: &str) -> PathBuf {
    let name = Path::new(source).file_stem().unwrap().to_string_lossy().into_owned();
    let to = place().join(format!("{name}-{standard}-{}", std::process::id()));
    let mut command = Command::new(compiler);
    command.args([&format!("-std={standard}"), "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    command.arg("-D_DEFAULT_SOURCE").arg("-I").arg(INSTALLED.join("include"));
    if standard.starts_with("c++") {
        command.args(["-x", "c++"]);
    }
    command.arg(Path::new(ROOT).join(source)).args(["-x", "none"]);
    command.arg(INSTALLED.join("lib/libshm_handoff.a")).args(SYSTEM).arg("-o").arg(&to);
    succeeds(&mut command);
    to
}

static READER: LazyLock<PathBuf> = LazyLock::new(|| compile("examples/c/reader.c", &compiler(), "c11"));
static WRITER: LazyLock<PathBuf> = LazyLock::new(|| compile("examples/c/writer.c", &compiler(), "c11"));
static HOSTILE: LazyLock<PathBuf> = LazyLock::new(|| compile("tests/capi/hostile.c", &compiler(), "c11"));

static DECLARED: LazyLock<PathBuf> = LazyLock::new(|| compile("tests/capi/declared.c", &compiler(), "c11"));

static POLLED: LazyLock<PathBuf> = LazyLock::new(|| compile("tests/capi/polled.c", &compiler(), "c11"));

static CHILDREN: LazyLock<PathBuf> = LazyLock::new(|| compile("tests/capi/children.c", &compiler(), "c11"));

fn at(channel: &Channel, program: &Path) -> Run {
    let mut command = Command::new(program);
    command.arg(channel.key().number().to_string());
    Run::new(command)
}

fn seated(channel: &Channel, program: &Path, role: Role) -> Peer {
    let mut peer = at(channel, program).open_input().start();
    channel.await_seated(role, &mut peer);
    peer
}

/// What the reader prints of these lines.
fn labelled(lines: &str) -> String {
    let labels = lines.split_inclusive('\n').chain(["end\n"]).flat_map(|line| ["You wrote: ", line]);
    labels.collect()
}

fn got(ended: &Ended, lines: &str) {
    ended.code(0).prints(labelled(lines));
}

#[test]
fn each_other() {
    let lines = numbers(0..2000);
    for reader_first in [true, false] {
        let channel = Channel::new();
        let read = || at(&channel, &READER).start();
        let write = || at(&channel, &WRITER).input(lines.clone()).start();
        let (reader, writer) = if reader_first {
            let reader = read();
            (reader, write())
        } else {
            let writer = write();
            (read(), writer)
        };
        writer.end().code(0);
        got(&reader.end(), &lines);
        channel.assert_nothing_left();
    }
}

#[test]
fn our_programs() {
    let lines = numbers(0..2000);
    let channel = Channel::new();
    let reader = channel.reader([""; 0]).start();
    at(&channel, &WRITER).input(lines.clone()).end().code(0);
    reader.end().code(0).prints(lines.clone());
    let reader = at(&channel, &READER).start();
    channel.writer([""; 0]).input(lines.clone()).end().code(0);
    got(&reader.end(), &lines);
    channel.assert_nothing_left();
}

/// The library takes what it finds: the same programs, on a ring.
#[test]
fn our_programs_on_a_ring() {
    let lines = numbers(0..2000);
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--ring=64K"]);
    at(&channel, &WRITER).input(lines.clone()).end().code(0);
    reader.end().code(0).prints(lines.clone());
    channel.writer(["--ring=64K"]).input(lines.clone()).end().code(0);
    let labelled = labelled(&lines);
    at(&channel, &READER).end().code(0).prints(labelled.strip_suffix("You wrote: end\n").unwrap());
    channel.assert_nothing_left();
}

/// The tutorial's programs, unchanged, on the other side.
#[test]
fn the_tutorials_programs() {
    let lines = numbers(0..100);
    let channel = Channel::new();
    let reader = channel.c_reader().start();
    channel.await_attached(1);
    at(&channel, &WRITER).input(lines.clone()).end().code(0);
    reader.end().got(&format!("{lines}end\n"));
    let mut reader = seated(&channel, &READER, Role::Reader);
    reader.close_input();
    channel.c_writer().input(format!("{lines}end\n")).end().code(0);
    got(&reader.end(), &lines);
}

#[test]
fn a_writer_that_is_killed_ends_the_reader() {
    let channel = Channel::new();
    let mut theirs = channel.seated_reader(&[]);
    let mut writer = seated(&channel, &WRITER, Role::Writer);
    writer.type_in("a\n");
    theirs.until_prints("a\n");
    writer.kill();
    theirs.end().code(3).prints("a\n").says(&["the writer died"]);
    let mut reader = seated(&channel, &READER, Role::Reader);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("b\n");
    reader.until_prints("You wrote: b\n");
    writer.kill();
    reader.end().code(1).says(&["the writer died"]);
}

#[test]
fn a_reader_that_is_killed_ends_the_writer_that_needs_room() {
    let channel = Channel::new();
    let mut reader = seated(&channel, &READER, Role::Reader);
    let mut writer = seated(&channel, &WRITER, Role::Writer);
    writer.type_in("a\n");
    reader.until_prints("You wrote: a\n");
    // Printed is not released.
    channel.await_empty(&mut reader);
    reader.kill();
    writer.type_in("b\nc\n");
    writer.end().code(1).says(&["the reader left or died"]);
    // What lies there comes to the next one.
    channel.reader(["--count=1"]).end().code(0).prints("b\n");
}

/// In a ring nothing else counts than the seats.
#[test]
fn deaths_beside_a_ring() {
    let channel = Channel::new();
    let mut theirs = channel.seated_reader(&["--ring=64K"]);
    let mut writer = seated(&channel, &WRITER, Role::Writer);
    writer.type_in("a\n");
    theirs.until_prints("a\n");
    writer.kill();
    theirs.end().code(3).prints("a\n");
    let mut reader = seated(&channel, &READER, Role::Reader);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("b\n");
    reader.until_prints("You wrote: b\n");
    writer.kill();
    reader.end().code(1).says(&["the writer died"]);
    // A writer that needs no room goes on; one that does gives up.
    let mut reader = seated(&channel, &READER, Role::Reader);
    let mut writer = seated(&channel, &WRITER, Role::Writer);
    writer.type_in("c\n");
    reader.until_prints("You wrote: c\n");
    reader.kill();
    writer.type_in(format!("{}\n", "x".repeat(4000)).repeat(30));
    writer.end().code(1).says(&["the reader left or died"]);
}

#[test]
fn a_stopped_peer_is_not_a_dead_one() {
    let channel = Channel::new();
    let mut reader = seated(&channel, &READER, Role::Reader);
    let mut writer = seated(&channel, &WRITER, Role::Writer);
    reader.stop();
    writer.type_in("a\nb\nend\n");
    writer.until("a message lies there", |_| channel.is_full());
    assert!(!writer.has_ended());
    reader.go_on();
    writer.end().code(0);
    got(&reader.end(), "a\nb\n");
}

/// Removed under both: what was not taken goes to the new segment.
#[test]
fn the_segment_is_removed_under_both() {
    for ring in [false, true] {
        let channel = Channel::new();
        if ring {
            // Made by one who leaves at once.
            channel.writer(["--ring=64K", "--no-end"]).input("").end().code(0);
        }
        let mut reader = seated(&channel, &READER, Role::Reader);
        let mut writer = seated(&channel, &WRITER, Role::Writer);
        writer.type_in("a\n");
        reader.until_prints("You wrote: a\n");
        channel.remove_segment();
        writer.type_in("b\nend\n");
        writer.end().code(0);
        let shown = if ring { "You wrote: a\nYou wrote: b\n".to_owned() } else { labelled("a\nb\n") };
        reader.end().code(0).prints(shown);
        channel.assert_nothing_left();
    }
}

/// The seats' set too, and a second one of a role is kept out.
#[test]
fn one_of_each_role() {
    let channel = Channel::new();
    let mut reader = seated(&channel, &READER, Role::Reader);
    at(&channel, &READER).end().code(1).says(&["another reader is attached", &format!("pid {}", reader.pid())]);
    channel.reader([""; 0]).end().code(6);
    channel.remove_seats();
    reader.until("seated anew", |_| channel.is_seated(Role::Reader));
    channel.writer(["hello"]).end().code(0);
    reader.until_prints("You wrote: hello\n");
    reader.signal(libc::SIGKILL);
}

/// SIGKILL between the output and the release: it comes again.
#[test]
fn what_a_killed_reader_had_not_released_comes_again() {
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&[]);
    let mut reader = seated(&channel, &READER, Role::Reader);
    writer.type_in("a\n");
    reader.until_prints("You wrote: a\n");
    reader.stop();
    writer.type_in("b\n");
    channel.await_full(&mut writer);
    reader.kill();
    channel.reader(["--count=1"]).end().code(0).prints("b\n");
}

/// Images from one process to another, and commands back: one says where they lie by offsets, the other by the C declaration.
#[test]
fn data_and_answers_in_a_struct_of_the_programs_own() {
    for caller_first in [true, false] {
        let channel = Channel::new();
        let start = |what: &str| at(&channel, &DECLARED).with(|command| _ = command.arg(what)).start();
        let (caller, answerer) = if caller_first {
            let caller = start("call");
            (caller, start("answer"))
        } else {
            let answerer = start("answer");
            (start("call"), answerer)
        };
        caller.end().code(0).says_nothing();
        answerer.end().code(0).says_nothing();
        channel.assert_nothing_left();
    }
}

/// The same beside the Rust library.
#[test]
fn the_rust_library_calls_and_answers() {
    let image = "struct { int written; unsigned char data[9216]; int control, pause; double fast; },\
                 reply=control+pause+fast";
    let answer = |image: u8| {
        let (control, pause, fast) = (3 * i32::from(image), -i32::from(image), f64::from(image) / 2.0);
        [&control.to_ne_bytes()[..], &pause.to_ne_bytes()[..], &fast.to_ne_bytes()[..]].concat()
    };
    let channel = Channel::new();
    let options = Options::declared(channel.key(), &image.parse().unwrap());
    let start = |what: &str| at(&channel, &DECLARED).with(|command| _ = command.arg(what)).start();

    let caller = start("call");
    let mut reader = Reader::<SysV>::open(&options).unwrap();
    for image in 0..30 {
        let mut message = reader.peek().unwrap();
        assert_eq!(message.text(), [image; 9216]);
        message.reply(&answer(image)).unwrap();
        message.release();
    }
    reader.peek().unwrap().end_session().unwrap();
    reader.close().unwrap();
    caller.end().code(0).says_nothing();

    let peer = start("answer");
    let mut writer = Writer::<SysV>::open(&options).unwrap();
    for image in 0..30 {
        let mut got = [0; 16];
        writer.call(&[image; 9216], &mut got).unwrap();
        assert_eq!(got[..], answer(image));
    }
    // The end beside the data is for a reader of ours, which is there.
    writer.end().unwrap();
    writer.close().unwrap();
    peer.end().code(0).says_nothing();
    channel.assert_nothing_left();
}

#[test]
fn layouts_by_spec_by_offsets_and_from_a_header() {
    for what in ["text", "data"] {
        let channel = Channel::new();
        at(&channel, &DECLARED).with(|command| _ = command.arg(what)).end().code(0).says_nothing();
    }
    let folder = tempfile::tempdir().unwrap();
    let header = folder.path().join("shm_com.h");
    std::fs::write(&header, "#define LEN 512\nstruct shared_st { int written; char text[LEN]; };\n").unwrap();
    let channel = Channel::new();
    at(&channel, &DECLARED).with(|command| _ = command.arg("file").arg(&header)).end().code(0).says_nothing();
}

#[test]
fn a_hostile_caller_gets_errors() {
    let channel = Channel::new();
    at(&channel, &HOSTILE).end().code(0).prints("each got its error\n").says_nothing();
}

/// On every layout: a message, an end, room, deaths.
#[test]
fn a_descriptor_is_readable_while_there_is_something_to_do() {
    let channel = Channel::new();
    at(&channel, &POLLED).end().code(0).prints("readable while there is something to do\n").says_nothing();
}

/// Whatever they call, and however they end.
#[test]
fn children_have_no_part_in_a_handle() {
    let channel = Channel::new();
    at(&channel, &CHILDREN).end().code(0).prints("no child has a part in it\n").says_nothing();
}

#[test]
fn children_of_pythons_multiprocessing_neither() {
    if !has("python3") {
        return skipped("python3 is not installed");
    }
    let channel = Channel::new();
    let mut python = Command::new("python3");
    python.arg(Path::new(ROOT).join("tests/capi/children.py")).arg(INSTALLED.join("lib/libshm_handoff.so"));
    python.arg(channel.key().number().to_string());
    Run::new(python).end().code(0).prints("no child has a part in it\n").says_nothing();
}

/// As docs/reliability.md says: the kernel keeps the seat, and the memory it does not keep.
#[test]
fn a_seat_that_was_not_given_back_outlives_exec() {
    let channel = Channel::new();
    let run = at(&channel, &CHILDREN).with(|command| _ = command.arg("cat"));
    let mut replaced = run.open_input().start();
    replaced.until("a seat, and no memory any more", |peer| {
        std::fs::read_to_string(format!("/proc/{}/comm", peer.pid())).is_ok_and(|name| name == "cat\n")
            && channel.is_seated(Role::Reader)
            && channel.attached() == 0
    });
    channel.reader([""; 0]).end().code(6).says(&[&format!("pid {}", replaced.pid())]);
    // A writer waits for it: nobody has gone.
    channel.writer(["--timeout=100ms", "hello"]).end().code(124);
    replaced.close_input();
    replaced.end().code(0);
    let reader = channel.seated_reader(&[]);
    channel.writer(["hello", "end"]).end().code(0);
    reader.end().code(0).prints("hello\n");
}

/// What to do next is said in C's words.
#[test]
fn another_owner_is_told_in_words_of_c() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let folder = for_everybody(&[&READER]);
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 2052, 0o666).unwrap());
    let reader = at(&channel, &folder.path().join(READER.file_name().unwrap()));
    let ended = reader.with(|command| _ = command.uid(STRANGER).gid(STRANGER)).end();
    ended.code(1).says(&["belongs to uid 0", "trust_owner in struct shmh_options"]);
    assert!(!ended.stderr.contains("--"), "{ended}");
}

#[test]
fn a_line_that_cant_be_carried_is_said() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    at(&channel, &WRITER).input("endless\nfine\n").end().code(0).says(&["not sent", "begins with `end`"]);
    reader.end().code(0).prints("fine\n");
}

/// None of it in part: neither what is behind a buffer's end, nor what is before a NUL.
#[test]
fn a_line_that_is_too_long_or_has_a_nul_is_not_sent_in_part() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let lines = format!("{}tail\n{}end\na\0b\nfine\n", "x".repeat(8191), "y".repeat(8191));
    let writer = at(&channel, &WRITER).input(lines).end();
    writer.code(0).says(&["more than 2047 bytes"]);
    assert_eq!(writer.stderr.matches("not sent").count(), 3, "{writer}");
    reader.end().code(0).prints("fine\n");
}

#[test]
fn an_end_without_a_newline_is_one_end() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    at(&channel, &WRITER).input("a\nend").end().code(0).says_nothing();
    reader.end().code(0).prints("a\n");
    channel.assert_nothing_left();
}

#[test]
fn what_cant_be_printed_is_not_released() {
    let channel = Channel::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut reader = at(&channel, &READER).output_to(full).start();
    channel.await_seated(Role::Reader, &mut reader);
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("a\n");
    reader.end().code(1).says(&["stdout: No space left"]);
    channel.reader(["--count=1"]).end().code(0).prints("a\n");
}

#[test]
fn the_same_source_is_cpp() {
    let cpp = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !has(&cpp) {
        return skipped(&format!("{cpp} is not installed"));
    }
    let channel = Channel::new();
    let reader = at(&channel, &compile("examples/c/reader.c", &cpp, "c++17")).start();
    at(&channel, &compile("examples/c/writer.c", &cpp, "c++17")).input("a\nb\n").end().code(0);
    got(&reader.end(), "a\nb\n");
    at(&channel, &compile("tests/capi/hostile.c", &cpp, "c++17")).end().code(0);
    at(&channel, &compile("tests/capi/polled.c", &cpp, "c++17")).end().code(0);
    let channel = Channel::new();
    let spec = format!("{ROOT}/examples/c/image.h:image,reply=control+pause+fast");
    let driver = compile("examples/c/driver.c", &cpp, "c++17");
    let driver = at(&channel, &driver).with(|command| _ = command.arg(spec)).start();
    at(&channel, &compile("examples/c/camera.c", &cpp, "c++17")).end().code(0);
    driver.end().code(0);
    channel.assert_nothing_left();
    let declared = compile("tests/capi/declared.c", &cpp, "c++17");
    let start = |what: &str| at(&channel, &declared).with(|command| _ = command.arg(what)).start();
    let (caller, answerer) = (start("call"), start("answer"));
    caller.end().code(0);
    answerer.end().code(0);
}

#[test]
fn valgrind_finds_nothing() {
    if !has("valgrind") {
        return skipped("valgrind is not installed");
    }
    let under = |channel: &Channel, program: &Path| {
        let mut command = Command::new("valgrind");
        command.args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            // What a thread has that is about to end is "possibly lost" where the program ends first.
            "--show-leak-kinds=definite,indirect",
        ]);
        command.arg(program).arg(channel.key().number().to_string());
        Run::new(command)
    };
    let channel = Channel::new();
    under(&channel, &HOSTILE).end().code(0).says_nothing();
    channel.remove_segment();
    under(&channel, &POLLED).end().code(0).says_nothing();
    let reader = under(&channel, &READER).start();
    under(&channel, &WRITER).input("a\nb\n").end().code(0).says_nothing();
    let reader = reader.end();
    reader.says_nothing();
    got(&reader, "a\nb\n");
}

#[test]
fn what_is_installed_serves_pkg_config_and_has_versioned_symbols() {
    let lib = INSTALLED.join("lib");
    let symbols = succeeds(Command::new("nm").args(["-D", "--defined-only"]).arg(lib.join("libshm_handoff.so")));
    let ours = symbols.lines().filter(|line| line.contains(" T ")).collect::<Vec<_>>();
    assert!(
        ours.len() > 10 && ours.iter().all(|line| line.contains(" shmh_") && line.ends_with("@@SHM_HANDOFF_0.1")),
        "{symbols}"
    );
    if !has("pkg-config") {
        return skipped("pkg-config is not installed");
    }
    // (No rpath: the loader looks in /usr/lib by itself.)
    let flags = succeeds(
        Command::new("pkg-config")
            .args(["--cflags", "--libs", "shm_handoff"])
            .env("PKG_CONFIG_PATH", lib.join("pkgconfig"))
            .env("PKG_CONFIG_SYSROOT_DIR", place()),
    );
    assert!(!flags.contains("rpath"), "{flags}");
    let to = place().join(format!("shared-{}", std::process::id()));
    let mut command = Command::new(compiler());
    command.arg(Path::new(ROOT).join("tests/capi/hostile.c")).args(flags.split_whitespace()).arg("-o").arg(&to);
    succeeds(&mut command);
    let channel = Channel::new();
    let run = at(&channel, &to).with(|command| {
        command.env("LD_LIBRARY_PATH", &lib);
    });
    run.end().code(0);
}

/// Installs as `command` says, then builds the example as pkg-config says, in an environment where
/// nothing is set but where to look, and runs it there.
fn serves(command: &mut Command, prefix: &Path, statically: bool) {
    const BUILD: &str = r#"eval "cc $3 -o \"\$1\" \"\$2\" $(pkg-config $4 --cflags --libs shm_handoff)""#;
    if !has("pkg-config") {
        return skipped("pkg-config is not installed");
    }
    let bare = |command: &mut Command| _ = command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    succeeds(command);
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("reader");
    let mut build = Command::new("sh");
    bare(&mut build);
    build.args(["-c", BUILD, "sh"]).arg(&program).arg(Path::new(ROOT).join("examples/c/reader.c"));
    build.args(if statically { ["-static", "--static"] } else { ["", ""] });
    succeeds(build.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")));
    let channel = Channel::new();
    let reader = at(&channel, &program).with(bare).start();
    channel.writer(["hello", "end"]).end().code(0);
    reader.end().code(0).prints("You wrote: hello\nYou wrote: end\n");
}

#[test]
fn a_static_program_has_all_that_it_needs() {
    // A name alone is what a compiler says that has none.
    if succeeds(Command::new(compiler()).arg("-print-file-name=libc.a")).trim() == "libc.a" {
        return skipped("libc.a is not installed");
    }
    let prefix = tempfile::tempdir().unwrap();
    serves(install().env("PREFIX", prefix.path()), prefix.path(), true);
}

#[test]
fn into_a_relative_prefix() {
    let folder = tempfile::tempdir().unwrap();
    serves(install().current_dir(&folder).env("PREFIX", "below/here/"), &folder.path().join("below/here"), false);
}

#[test]
fn into_a_prefix_with_blanks() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("a place & | another");
    serves(install().env("PREFIX", &prefix), &prefix, false);
}

#[test]
fn a_prefix_that_would_be_misread_is_refused() {
    // (A shell, a list of CMake's, a makefile.)
    for prefix in ["/tmp/at $HOME", "/tmp/a(b)", "/tmp/a;b", "/tmp/a\tb"] {
        let output = install().env("PREFIX", prefix).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{prefix}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(prefix), "{output:?}");
    }
}

#[test]
fn by_a_compiler_with_arguments() {
    let prefix = tempfile::tempdir().unwrap();
    serves(install().env("PREFIX", prefix.path()).env("CC", format!("{} -O2", compiler())), prefix.path(), false);
}

#[test]
fn for_a_target_that_cargo_is_told() {
    let prefix = tempfile::tempdir().unwrap();
    let about = succeeds(Command::new("rustc").arg("-vV"));
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    serves(install().env("PREFIX", prefix.path()).env("CARGO_BUILD_TARGET", host), prefix.path(), false);
}

/// `cd` would look there first, and print where it went.
#[test]
fn where_cdpath_is_set() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("capi")).unwrap();
    let mut command = Command::new("sh");
    what_is_built(command.args(["-c", "capi/install.sh"]).current_dir(ROOT).env("CDPATH", folder.path()));
    serves(command.env("PREFIX", folder.path()), folder.path(), false);
}
