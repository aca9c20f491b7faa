//! Our programs with C peers that behave exactly as the tutorial's pair does.
//!
//! The peers (`tests/c`) are compiled here, with the system's C compiler, to
//! sleep a millisecond where the originals sleep a second. What is awaited is
//! awaited under a generous limit; how long it took is printed (`--nocapture`)
//! and never judged.
#![cfg(not(model))]

use shm_handoff::backend::sysv::{Key, Segment};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

/// What the C reader prints before each message.
const LABEL: &str = "You wrote: ";

/// The C peers' sleep.
const PAUSE_US: u32 = 1000;

const MESSAGES: usize = 200;

/// The directory with the compiled C peers.
static PEERS: LazyLock<PathBuf> = LazyLock::new(|| {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
    std::fs::create_dir_all(&out).expect("the target directory can be written to");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for peer in ["reader", "writer"] {
        // By a name of our own: a run beside this one may be executing it.
        let fresh = out.join(format!("{peer}.{}", std::process::id()));
        let output = Command::new(&compiler)
            .args(["-std=c11", "-O2", "-Wall", "-Wextra", &format!("-DPAUSE_US={PAUSE_US}")])
            .arg(sources.join(peer).with_extension("c"))
            .arg("-o")
            .arg(&fresh)
            .output()
            .unwrap_or_else(|error| {
                panic!(
                    "these tests need a C compiler, and `{compiler}` does not start: {error} \
                     (Debian: apt install gcc libc6-dev; or name one in CC)"
                )
            });
        assert!(
            output.status.success(),
            "`{compiler}` can't compile tests/c/{peer}.c:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::rename(&fresh, out.join(peer)).expect("within one directory");
    }
    out
});

/// Where one test's programs meet. Dropping it takes away what is left there.
struct Place {
    key: Key,
}

impl Place {
    /// At a key that nothing else uses.
    fn new() -> Self {
        loop {
            // Each `RandomState` has keys of its own. The top bit stays clear,
            // so that C's idea of the number is ours.
            let number = RandomState::new().hash_one(std::process::id()).to_le_bytes();
            let number = u32::from_le_bytes([number[0], number[1], number[2], number[3]]) >> 1;
            let Ok(key) = Key::new(number) else { continue };
            let place = Self { key };
            if place.segment().is_none() && place.seats().is_none() {
                return place;
            }
        }
    }

    fn number(&self) -> String {
        self.key.number().to_string()
    }

    fn c_reader(&self) -> Peer {
        Peer::start("C reader", Command::new(PEERS.join("reader")).arg(self.number()))
    }

    fn c_writer(&self) -> Peer {
        Peer::start("C writer", Command::new(PEERS.join("writer")).arg(self.number()))
    }

    fn shmread(&self) -> Peer {
        Peer::start("shmread", Command::new(env!("CARGO_BIN_EXE_shmread")).args(["-k", &self.number()]))
    }

    fn shmwrite(&self) -> Peer {
        Peer::start("shmwrite", Command::new(env!("CARGO_BIN_EXE_shmwrite")).args(["-k", &self.number()]))
    }

    /// The id of the segment, if there is one. This does not attach it: the
    /// attach count is how a C peer is seen.
    fn segment(&self) -> Option<i32> {
        listed("shm", self.key.number())
    }

    /// The id of the semaphore set, if there is one.
    fn seats(&self) -> Option<i32> {
        listed("sem", self.key.seats())
    }

    /// Waits until `count` processes are attached.
    fn await_attached(&self, count: usize) {
        let attached = || Segment::stat_at(self.key).expect("ours").map_or(0, |stat| stat.attached);
        await_that(&format!("{count} attached"), || attached() == count);
    }

    /// After a session nothing is left.
    fn assert_nothing_left(&self) {
        assert_eq!(self.segment(), None, "the segment is left at key {}", self.key);
        assert_eq!(self.seats(), None, "the semaphore set is left, key {:#x}", self.key.seats());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(id) = self.segment() {
            // SAFETY: IPC_RMID takes no buffer; those attached keep their memory.
            unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
        }
        if let Some(id) = self.seats() {
            // SAFETY: IPC_RMID takes no buffer.
            unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
        }
    }
}

/// The id of the object of this `kind` at `key`, as the kernel lists it.
fn listed(kind: &str, key: u32) -> Option<i32> {
    let table = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).expect("Linux has it");
    table.lines().skip(1).find_map(|row| {
        let mut columns = row.split_whitespace();
        let found: i32 = columns.next()?.parse().ok()?;
        (found.cast_unsigned() == key).then(|| columns.next()?.parse().ok())?
    })
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A running program. Dropping it kills it.
struct Peer {
    name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its lines as they come, newlines included.
    lines: Receiver<Vec<u8>>,
    stderr: Option<JoinHandle<String>>,
}

impl Peer {
    fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {command:?}: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (give, lines) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let mut line = Vec::new();
                match stdout.read_until(b'\n', &mut line) {
                    Ok(1..) if give.send(line).is_ok() => {}
                    _ => return,
                }
            }
        });
        let mut errors = child.stderr.take().expect("piped");
        let stderr = std::thread::spawn(move || {
            let mut said = String::new();
            // What is not UTF-8 or cut short is still a hint.
            let _ = errors.read_to_string(&mut said);
            said
        });
        let stdin = child.stdin.take();
        Self { name, child, stdin, lines, stderr: Some(stderr) }
    }

    /// Gives it input. One that does not read any more does not matter here.
    fn say(&mut self, input: &[u8]) {
        let stdin = self.stdin.as_mut().expect("open until `say_all`");
        let _ = stdin.write_all(input).and_then(|()| stdin.flush());
    }

    /// Gives it its last input.
    fn say_all(&mut self, input: &[u8]) {
        self.say(input);
        self.stdin = None;
    }

    /// Its next message: for the C reader, what follows the label.
    fn next(&mut self) -> Option<Vec<u8>> {
        let started = Instant::now();
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
                Ok(line) if self.name != "C reader" => return Some(line),
                Ok(line) => {
                    if let Some(text) = line.strip_prefix(LABEL.as_bytes()) {
                        return Some(text.to_vec());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line within {LIMIT:?}: {}", self.fate())
                }
            }
        }
    }

    fn expect(&mut self, text: &[u8]) {
        let got = self.next();
        assert!(
            got.as_deref() == Some(text),
            "got {:?} in the place of {:?}: {}",
            got.as_deref().map(String::from_utf8_lossy),
            String::from_utf8_lossy(text),
            self.fate()
        );
    }

    /// Kills it and tells how it was, for a failed test.
    fn fate(&mut self) -> String {
        let before = self.child.try_wait();
        self.kill();
        let said = self.stderr.take().map(|thread| thread.join().unwrap_or_default());
        format!("{}: status {before:?}, stderr {said:?}", self.name)
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it ends within `limit`.
    fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return Some(status);
            }
            if started.elapsed() >= limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it ends by itself, with exit code `code`.
    fn await_exit(&mut self, code: i32) {
        let status = self.ends_within(LIMIT);
        assert!(
            status.and_then(|status| status.code()) == Some(code),
            "not exit {code} within {LIMIT:?}: {}",
            self.fate()
        );
    }

    /// Nothing more comes from it.
    fn assert_silent(&mut self) {
        let more = self.next();
        assert!(more.is_none(), "{}: one too many: {:?}", self.name, more.as_deref().map(String::from_utf8_lossy));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn numbered(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("message {number}\n")).collect()
}

fn text_of(messages: &[String]) -> String {
    messages.iter().fold(String::new(), |mut text, message| {
        let _ = text.write_str(message);
        text
    })
}

/// `reader` gets all of the messages, in order, and nothing else.
fn expect_all(reader: &mut Peer, messages: &[String]) {
    for message in messages {
        reader.expect(message.as_bytes());
    }
}

fn report(what: &str, started: Instant) {
    println!("{what}: {:?}", started.elapsed());
}

#[test]
fn c_writer_to_our_reader_that_is_there_first() {
    let place = Place::new();
    let mut reader = place.shmread();
    place.await_attached(1);
    let mut writer = place.c_writer();
    writer.say_all(b"hello\nworld\nend\n");
    reader.expect(b"hello\n");
    reader.expect(b"world\n");
    reader.await_exit(0);
    reader.assert_silent();
    writer.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn c_writer_that_is_there_first_loses_nothing() {
    let place = Place::new();
    let mut writer = place.c_writer();
    writer.say(b"hello\n");
    // It waits for the slot, so the first message lies there.
    await_that("the C writer waits", || {
        writer.next().is_some_and(|line| line.starts_with(b"enter some text: Waiting"))
    });
    let mut reader = place.shmread();
    // The tutorial's reader would have wiped this one (D4).
    reader.expect(b"hello\n");
    writer.say_all(b"world\nend\n");
    reader.expect(b"world\n");
    reader.await_exit(0);
    reader.assert_silent();
    writer.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn c_writer_ends_with_any_line_that_begins_with_end() {
    let place = Place::new();
    let mut reader = place.shmread();
    let mut writer = place.c_writer();
    writer.say(b"before\nendless\n");
    reader.expect(b"before\n");
    // Not a bare `end`: somebody may have meant it, so it is printed (D11).
    reader.expect(b"endless\n");
    reader.await_exit(0);
    writer.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn text_without_a_nul_is_all_of_the_slot_and_no_more() {
    let place = Place::new();
    let mut reader = place.shmread();
    let mut writer = place.c_writer();
    // With its newline exactly 2048 bytes: `strncpy` leaves no NUL (D6).
    let mut exact = vec![b'x'; 2047];
    exact.push(b'\n');
    writer.say(&exact);
    reader.expect(&exact);
    // Longer: the C writer cuts it (D7), and what arrives ends at the slot.
    let mut long = vec![b'y'; 3000];
    long.push(b'\n');
    writer.say(&long);
    writer.say_all(b"after\nend\n");
    let mut both = vec![b'y'; 2048];
    both.extend_from_slice(b"after\n");
    reader.expect(&both);
    reader.await_exit(0);
    reader.assert_silent();
    writer.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn our_writer_to_a_c_reader_that_is_there_first() {
    let place = Place::new();
    let mut reader = place.c_reader();
    place.await_attached(1);
    let mut writer = place.shmwrite();
    writer.say_all(b"hello\nworld\nend\n");
    reader.expect(b"hello\n");
    reader.expect(b"world\n");
    reader.expect(b"end\n");
    writer.await_exit(0);
    reader.await_exit(0);
    reader.assert_silent();
    place.assert_nothing_left();
}

#[test]
fn our_writer_waits_for_a_c_reader_which_wipes_nothing() {
    let place = Place::new();
    let mut writer = place.shmwrite();
    writer.say_all(b"hello\nworld\n");
    place.await_attached(1);
    // Long enough to publish, if it did not wait: the reader would wipe it (D4).
    assert_eq!(writer.ends_within(Duration::from_millis(300)), None, "it waits for a reader");
    let mut reader = place.c_reader();
    reader.expect(b"hello\n");
    reader.expect(b"world\n");
    // The end of our input is an end.
    reader.expect(b"end\n");
    writer.await_exit(0);
    reader.await_exit(0);
    reader.assert_silent();
    place.assert_nothing_left();
}

#[test]
fn the_longest_line_of_ours_to_a_c_reader() {
    let place = Place::new();
    let mut writer = place.shmwrite();
    let mut longest = vec![b'z'; 2046];
    longest.push(b'\n');
    writer.say(&longest);
    writer.say_all(b"short\n");
    let mut reader = place.c_reader();
    reader.expect(&longest);
    reader.expect(b"short\n");
    reader.expect(b"end\n");
    writer.await_exit(0);
    reader.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn two_hundred_from_c_in_order() {
    let place = Place::new();
    let messages = numbered(MESSAGES);
    let mut reader = place.shmread();
    let mut writer = place.c_writer();
    let started = Instant::now();
    writer.say_all((text_of(&messages) + "end\n").as_bytes());
    expect_all(&mut reader, &messages);
    report("200 messages, C writer to shmread", started);
    reader.await_exit(0);
    reader.assert_silent();
    writer.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn two_hundred_to_c_in_order() {
    let place = Place::new();
    let messages = numbered(MESSAGES);
    let mut reader = place.c_reader();
    let mut writer = place.shmwrite();
    let started = Instant::now();
    writer.say_all(text_of(&messages).as_bytes());
    expect_all(&mut reader, &messages);
    report("200 messages, shmwrite to C reader", started);
    reader.expect(b"end\n");
    writer.await_exit(0);
    reader.await_exit(0);
    reader.assert_silent();
    place.assert_nothing_left();
}

#[test]
fn killed_c_writer_is_noticed() {
    let place = Place::new();
    let mut reader = place.shmread();
    place.await_attached(1);
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < LIMIT, "shmread does not notice within {LIMIT:?}");
        let mut writer = place.c_writer();
        writer.say(b"last words\n");
        reader.expect(b"last words\n");
        // A C writer must be there at two looks to be seen at all, and nothing
        // says when it was: one that was not has to be followed by another.
        std::thread::sleep(Duration::from_millis(200));
        writer.kill();
        let killed = Instant::now();
        if reader.ends_within(Duration::from_secs(2)).is_some() {
            report("killed C writer noticed", killed);
            break;
        }
    }
    reader.await_exit(3);
    reader.assert_silent();
    // Only an `end` removes: the next reader goes on with what is there.
    assert!(place.segment().is_some());
}

#[test]
fn what_a_killed_c_writer_left_is_read_first() {
    let place = Place::new();
    let mut writer = place.c_writer();
    writer.say(b"left behind\n");
    await_that("it is published", || writer.next().is_some_and(|line| line.starts_with(b"enter some text: Waiting")));
    writer.kill();
    let mut reader = place.shmread();
    reader.expect(b"left behind\n");
    // Nobody was seen to die, so it waits on: for this one.
    let mut next = place.c_writer();
    next.say_all(b"and more\nend\n");
    reader.expect(b"and more\n");
    reader.await_exit(0);
    next.await_exit(0);
    place.assert_nothing_left();
}

#[test]
fn killed_c_reader_is_noticed_by_a_writer_that_needs_space() {
    let place = Place::new();
    let mut reader = place.c_reader();
    let mut writer = place.shmwrite();
    writer.say(text_of(&numbered(10_000)).as_bytes());
    reader.expect(b"message 1\n");
    reader.expect(b"message 2\n");
    reader.kill();
    let killed = Instant::now();
    writer.await_exit(3);
    report("killed C reader noticed", killed);
}

#[test]
fn c_reader_that_comes_back_gets_what_follows() {
    let place = Place::new();
    let mut first = place.c_reader();
    let mut writer = place.shmwrite();
    writer.say(b"one\n");
    first.expect(b"one\n");
    first.kill();
    writer.say_all(b"two\nthree\n");
    writer.await_exit(3);
    // A new pair on the old segment: nothing of the first stands in its way.
    let mut second = place.c_reader();
    let mut next = place.shmwrite();
    next.say_all(b"four\n");
    second.expect(b"four\n");
    second.expect(b"end\n");
    next.await_exit(0);
    second.await_exit(0);
    place.assert_nothing_left();
}
