//! `shm-handoff record` between a writer and a reader on rings, killed at every failpoint of its and at random, and started again:
//! each message comes once and stands once in the file, and so does the end. See `--help`, and `ci/crash.sh`.
#![allow(clippy::disallowed_types)] // no protocol stands here, and no checker behind it

use clap::Parser;
use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::cli::record::format::Kind;
use shm_handoff::cli::record::scan::{Entries, Stop};
use shm_handoff::{Reader, RecvError, Ring, SendError, WaitPolicy, Writer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Kills `shm-handoff record` again and again, and checks that nothing is lost and nothing comes twice.
#[derive(Debug, Parser)]
#[command(name = "crash-recorder", version)]
struct Args {
    /// Kills, at least; every failpoint is tried in any case
    #[arg(long, default_value_t = 2000)]
    kills: u64,

    /// Where chance begins [default: random, and said]
    #[arg(long)]
    seed: Option<u64>,
}

/// A recorder that has not come to its failpoint by then is killed wherever it is.
const LONG_ENOUGH: Duration = Duration::from_millis(150);

/// Without anything happening for so long, somebody waits forever.
const FOR_EVER: Duration = Duration::from_secs(30);

/// How many recorders of a session are killed, at most.
const KILLS: u64 = 6;

/// What is in store for a recorder.
#[derive(Debug, Clone)]
enum Fate {
    Point { name: String, passage: u64 },
    Killed(Duration),
    Nothing,
}

/// Two keys at which nothing is, and a folder.
struct Session {
    from: Key,
    to: Key,
    folder: tempfile::TempDir,
    messages: u64,
}

fn message(number: u64) -> Vec<u8> {
    number.to_ne_bytes().repeat(1 + usize::try_from(number * 7 % 90).expect("less than 90"))
}

fn free_key(random: &mut fastrand::Rng) -> Key {
    loop {
        let Ok(key) = Key::new(random.u32(..)) else { continue };
        if matches!(Segment::stat_at(key), Ok(None)) {
            return key;
        }
    }
}

fn remove_all(key: Key) {
    if let Ok(segment) = Segment::open(key) {
        let _ = segment.remove();
    }
    // SAFETY: System V calls that take numbers alone.
    unsafe {
        let set = libc::semget(key.seats().cast_signed(), 0, 0);
        if set >= 0 {
            libc::semctl(set, 0, libc::IPC_RMID);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        remove_all(self.from);
        remove_all(self.to);
    }
}

impl Session {
    fn new(random: &mut fastrand::Rng) -> Self {
        let (from, to) = (free_key(random), free_key(random));
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self { from, to, folder, messages: random.u64(1..400) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("recording")
    }

    fn recorder(&self, program: &Path, fate: &Fate) -> Child {
        let mut command = Command::new(program);
        command.args(["record", "--follow", "-q", &self.from.number().to_string()]).arg(self.file());
        command.args(["--onto", &self.to.number().to_string(), "--ring=64K"]);
        command.env("CRASH_LIST", self.folder.path().join("points"));
        if let Fate::Point { name, passage } = fate {
            command.env("CRASH_POINT", name).env("CRASH_PASSAGE", passage.to_string());
            command.env("CRASH_DIED_AT", self.folder.path().join("died-at"));
        }
        command.stdout(Stdio::null()).spawn().expect("the recorder was built")
    }

    /// Runs a session, with these fates one behind the other; how many were killed, and at which failpoints.
    fn run(&self, program: &Path, fates: &[Fate]) -> Result<(u64, Vec<String>), String> {
        let writer = Writer::<SysV, Ring>::open(&Options::ring(self.from, 64 << 10).map_err(|why| why.to_string())?);
        let reader = Reader::<SysV, Ring>::open(&Options::ring(self.to, 64 << 10).map_err(|why| why.to_string())?);
        let (writer, reader) = (writer.map_err(|why| why.to_string())?, reader.map_err(|why| why.to_string())?);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| self.write(writer, &stop));
            let reading = scope.spawn(|| self.read(reader, &stop));
            let recorded = self.record(program, fates);
            if recorded.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            let wrote = writing.join().map_err(|_| "the writer panicked")?;
            let read = reading.join().map_err(|_| "the reader panicked")?;
            recorded.and_then(|killed| wrote.and(read).map(|()| killed))
        })
    }

    /// Recorders, until one ends well.
    fn record(&self, program: &Path, fates: &[Fate]) -> Result<(u64, Vec<String>), String> {
        let (started, mut killed) = (Instant::now(), 0);
        for fate in fates.iter().chain([&Fate::Nothing]) {
            let mut recorder = self.recorder(program, fate);
            let since = Instant::now();
            let status = loop {
                if let Some(status) = recorder.try_wait().map_err(|error| error.to_string())? {
                    break status;
                }
                let is_over = match fate {
                    Fate::Killed(after) => since.elapsed() >= *after,
                    Fate::Point { .. } => since.elapsed() >= LONG_ENOUGH,
                    Fate::Nothing => started.elapsed() > FOR_EVER,
                };
                if is_over {
                    let _ = recorder.kill();
                    let _ = recorder.wait();
                    if matches!(fate, Fate::Nothing) {
                        return Err("the last recorder waits forever".to_owned());
                    }
                }
                // The pace of the looks above, each of which has its condition.
                std::thread::sleep(Duration::from_micros(200));
            };
            match status.code() {
                Some(0) => break,
                None => {
                    killed += 1;
                    // It died behind its last step: the next one would wait for the next session.
                    if self.is_over() {
                        break;
                    }
                }
                Some(code) => return Err(format!("a recorder ended with {code}")),
            }
        }
        let died_at = std::fs::read_to_string(self.folder.path().join("died-at")).unwrap_or_default();
        Ok((killed, died_at.lines().map(str::to_owned).collect()))
    }

    fn write(&self, mut writer: Writer<SysV, Ring>, stop: &AtomicBool) -> Result<(), String> {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let mut policy = WaitPolicy::timeout(Duration::from_millis(5));
            let sent = if number < self.messages {
                writer.send_with(&message(number), &mut policy)
            } else {
                writer.end_with(&mut policy)
            };
            match sent {
                Ok(()) if number == self.messages => return writer.close_flushed().map_err(|why| why.to_string()),
                Ok(()) => number += 1,
                // The recorder was killed, or is slow.
                Err(SendError::ReaderGone | SendError::TimedOut) => {}
                Err(error) => return Err(format!("the writer: {error}")),
            }
        }
        Ok(())
    }

    /// Takes what comes, ends the session at the end, and goes.
    fn read(&self, mut reader: Reader<SysV, Ring>, stop: &AtomicBool) -> Result<(), String> {
        let mut next = 0;
        while !stop.load(Ordering::Relaxed) {
            match reader.peek_with(&mut WaitPolicy::timeout(Duration::from_millis(1))) {
                Ok(found) if found.ends_session() => {
                    found.end_session().map_err(|why| why.to_string())?;
                    reader.close().map_err(|why| why.to_string())?;
                    return if next == self.messages { Ok(()) } else { Err(format!("the end behind {next} messages")) };
                }
                Ok(found) if found.text() == message(next) => {
                    next += 1;
                    found.release();
                }
                Ok(_) => return Err(format!("message {next} is not what came")),
                Err(RecvError::TimedOut) => {}
                Err(RecvError::WriterGone) => reader.await_next_writer().map_err(|why| why.to_string())?,
                Err(error) => return Err(format!("the reader: {error}")),
            }
        }
        Ok(())
    }

    /// Each message stands in the file once, and the end; nothing is left at either key.
    fn check(&self) -> Result<(), String> {
        let file = File::open(self.file()).map_err(|error| error.to_string())?;
        let len = file.metadata().map_err(|error| error.to_string())?.len();
        let mut entries = Entries::new(BufReader::new(file), len).map_err(|why| format!("{why:?}"))?;
        let (mut next, mut ends, mut body) = (0, 0, Vec::new());
        while let Some(entry) = entries.next(&mut body).map_err(|why| format!("{why:?}"))? {
            match entry.kind {
                Kind::Message if body == message(next) && ends == 0 => next += 1,
                Kind::Message => return Err(format!("message {next} is not what stands in the file")),
                Kind::End => ends += 1,
                Kind::Session | Kind::Death | Kind::Other(_) => {}
            }
        }
        if (next, ends, entries.stop()) != (self.messages, 1, Some(Stop::Whole)) {
            return Err(format!("the file has {next} messages and {ends} ends, and stops {:?}", entries.stop()));
        }
        for key in [self.from, self.to] {
            if !matches!(Segment::stat_at(key), Ok(None)) {
                return Err(format!("a segment is left at {:#x}", key.number()));
            }
        }
        Ok(())
    }

    /// Whether the end is in the file, and the session was ended at the first key.
    fn is_over(&self) -> bool {
        let Ok(file) = File::open(self.file()) else { return false };
        let len = file.metadata().map_or(0, |stat| stat.len());
        let Ok(mut entries) = Entries::new(BufReader::new(file), len) else { return false };
        let (mut last, mut body) = (None, Vec::new());
        while let Ok(Some(entry)) = entries.next(&mut body) {
            last = Some(entry.kind);
        }
        last == Some(Kind::End) && matches!(Segment::stat_at(self.from), Ok(None))
    }

    fn points(&self) -> Vec<String> {
        let list = std::fs::read_to_string(self.folder.path().join("points")).unwrap_or_default();
        list.lines().map(str::to_owned).collect()
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut program = std::env::current_exe().expect("this program has a path");
    program.set_file_name("crash-shm-handoff");
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("crash-recorder: seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    // How often a recorder died at each failpoint that was ever passed.
    let mut died: BTreeMap<String, u64> = BTreeMap::new();
    let (mut kills, mut sessions, mut messages) = (0, 0, 0);
    // A failpoint that is passed late in a session needs more than one try.
    let mut tries: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let untried = died.iter().find(|(name, count)| **count == 0 && tries.get(*name).is_none_or(|tries| *tries < 8));
        let untried = untried.map(|(name, _)| name.clone());
        if sessions > 0 && kills >= args.kills && untried.is_none() {
            break;
        }
        let mut fates = Vec::new();
        for number in 0..if sessions == 0 { 0 } else { random.u64(1..=KILLS) } {
            let known = died.keys().nth(random.usize(..died.len()));
            let name = if number == 0 { untried.as_ref().or(known) } else { known };
            fates.push(match name {
                Some(name) if number == 0 || random.u8(..) < 200 => {
                    *tries.entry(name.clone()).or_default() += 1;
                    let passage = if number == 0 && untried.is_some() { 1 } else { 1 + random.u64(..12) };
                    Fate::Point { name: name.clone(), passage }
                }
                _ => Fate::Killed(Duration::from_micros(random.u64(..20_000))),
            });
        }
        let session = Session::new(&mut random);
        let went = session.run(&program, &fates).and_then(|killed| session.check().map(|()| killed));
        for name in session.points() {
            died.entry(name).or_default();
        }
        match went {
            Ok((killed, at)) => {
                (kills, sessions, messages) = (kills + killed, sessions + 1, messages + session.messages);
                for name in at {
                    *died.entry(name).or_default() += 1;
                }
            }
            Err(why) => {
                eprintln!("crash-recorder: {why}\n  {fates:?}, {} messages, session {sessions}", session.messages);
                return ExitCode::FAILURE;
            }
        }
    }
    let never: Vec<_> = died.iter().filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    println!(
        "{sessions} sessions with {messages} messages: {kills} kills, {} of {} failpoints hit; none lost, none twice",
        died.len() - never.len(),
        died.len()
    );
    if !never.is_empty() {
        println!("not hit: {never:?}");
    }
    ExitCode::SUCCESS
}
