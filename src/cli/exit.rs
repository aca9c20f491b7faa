//! Exit codes, and the one way in which a binary fails.

use super::hint::Hint;
use super::look::Process;
use super::signals;
use super::stdio::{self, say};
use crate::backend::sysv::{Key, Segment, observe_seats};
use crate::error::{Class, Error, Place, RecvError, Role, SendError, Unsendable};
use nix::errno::Errno;
use std::fmt;
use std::process::ExitCode;

/// How a program ends when it does not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// A system call failed, permission, limits, or the output.
    System,
    /// The command line.
    Usage,
    /// The peer died; for a writer also: the reader left.
    PeerGone,
    /// What is at the key is no channel that can be used.
    NotAChannel,
    /// The input can't be carried.
    BadInput,
    /// Another process has the role.
    RoleTaken,
    /// `--timeout` passed.
    TimedOut,
    /// Ended by this signal.
    Signal(i32),
}

impl Exit {
    /// The number. (Most of 2 is clap's own; 0 is success.)
    pub(super) fn code(self) -> u8 {
        match self {
            Self::System => 1,
            Self::Usage => 2,
            Self::PeerGone => 3,
            Self::NotAChannel => 4,
            Self::BadInput => 5,
            Self::RoleTaken => 6,
            Self::TimedOut => 124,
            Self::Signal(number) => u8::try_from(128 + number).unwrap_or(u8::MAX),
        }
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        match class {
            Class::Usage => Self::Usage,
            Class::TimedOut => Self::TimedOut,
            Class::PeerGone => Self::PeerGone,
            Class::Unsendable => Self::BadInput,
            Class::Taken => Self::RoleTaken,
            Class::NotOurs | Class::OtherOwner | Class::Corrupt => Self::NotAChannel,
            Class::Permission | Class::Limit | Class::System(_) => Self::System,
            // A program does not ask for these, or deals with them where they come from.
            Class::Interrupted | Class::Ended | Class::TooSmall => Self::System,
        }
    }
}

/// The exit codes of both sides, and what else their `--help` and manual end with.
pub(super) const HELP: &str = "\
Exit status:
  0      done: the session ended, everything was sent, or nobody takes the output of
         shmread any more
  1      a system call failed, permission, limits, or the output
  2      usage
  3      the peer died; for a writer also: the reader left
  4      the segment or the seats' semaphore set is not a channel of ours to use
  5      the input can't be carried: that message was not sent, those before were
  6      the role is taken by another process
  124    --timeout passed
  128+n  ended by signal n

Signals:
  SIGHUP, SIGINT, SIGTERM  leave at once; what was sent and not received stays for
                           the next one (one that was ignored at the start, as
                           nohup does, stays ignored). A terminal that hangs up
                           sends SIGHUP; where that is ignored, a hang-up closes
                           the output, and ends the input
  SIGSTOP, SIGCONT         a side that is stopped is waited for: it is not dead
  SIGKILL                  the kernel gives the seat back, and the other side says
                           that this one died

Files:
  There are none: ipcs(1) shows the segment at KEY, and the semaphore set with the
  seats at KEY xor 0x6a3c97e1. With PATH:ID the file PATH has to be there, and to be
  the same one for both sides. ID is what a C program gives to ftok(3): a number, of
  which the low 8 bits count (decimal, 0x hexadecimal, 0 octal), or one letter.

Environment:
  NO_COLOR        if it is set, no colour, but for --color=always
  CLICOLOR_FORCE  if it is set and not 0, colour also where no terminal is";

/// Why a program ends otherwise than well: what failed on what, and what to do next.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
    pub(super) hint: Option<Hint>,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string(), hint: None }
    }

    pub(super) fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(Hint::Words(hint.to_string())), ..self }
    }

    /// An error of the library.
    fn of(class: Class, error: &dyn fmt::Display, hint: Option<Hint>) -> Self {
        match Exit::from(class) {
            Exit::TimedOut => Self::timed_out(),
            exit => Self { hint, ..Self::new(exit, error) },
        }
    }

    pub(super) fn signal(number: i32) -> Self {
        Self::new(Exit::Signal(number), format!("ended by {}", signals::name(number)))
    }

    pub(super) fn timed_out() -> Self {
        Self::new(Exit::TimedOut, "no progress of the other side for as long as --timeout allows")
    }

    /// What is said of a wait that ended without a word of the peer (a `writer`, say): the peer that was there all
    /// the time and did nothing, or else that nobody was met.
    pub(super) fn silence(peer: Role, key: Key, what_came: &str) -> Self {
        let seats = observe_seats(key).ok().flatten();
        let seated = seats.and_then(|seats| if peer == Role::Writer { seats.writer } else { seats.reader });
        let silent = |who: String, hint: String| {
            Self::new(Exit::TimedOut, format!("{key}: {who} did nothing for as long as --timeout allows")).hint(hint)
        };
        let number = key.number();
        match (seated, Segment::stat_at(key)) {
            (Some(pid), _) => silent(
                format!("the {peer} ({})", Process::new(pid).in_words()),
                format!("it may be stopped: shm-handoff doctor {number}"),
            ),
            // Ourselves, and a C program.
            (None, Ok(Some(stat))) if stat.attached >= 2 => {
                silent("a program without a seat".to_owned(), format!("see which: shm-handoff who {number}"))
            }
            _ => Self::met_nobody(what_came, number),
        }
    }

    /// Nobody was met in all the time: where that was.
    fn met_nobody(what_came: &str, key: u32) -> Self {
        let namespace = match std::fs::read_link("/proc/self/ns/ipc") {
            Ok(namespace) => namespace.display().to_string(),
            Err(_) => "/proc/self/ns/ipc, which has its number, can't be read".to_owned(),
        };
        let why = format!(
            "{what_came} to {} in this IPC namespace ({}) for as long as --timeout allows",
            Place::Key(key),
            namespace
        );
        Self::new(Exit::TimedOut, why)
            .hint(format!("what is in another container is not seen: shm-handoff doctor {key}"))
    }

    pub(super) fn io(what: &str, errno: Errno) -> Self {
        Self::new(Exit::System, format!("{what}: {} ({errno:?})", errno.desc()))
    }

    /// Standard output is closed, where messages would go nowhere.
    pub(super) fn no_output() -> Self {
        Self::io("standard output is closed", Errno::EBADF).hint("open it, to /dev/null if need be")
    }

    /// Does all of `items`, also those behind one that fails. Each failure is said, the last one by the
    /// caller as any other; the first one's code is what counts.
    pub(super) fn each<T>(
        program: &str,
        items: impl IntoIterator<Item = T>,
        mut one: impl FnMut(T) -> Result<(), Self>,
    ) -> Result<(), Self> {
        let mut last: Option<Self> = None;
        for item in items {
            if let Err(failure) = one(item) {
                let exit = last.as_ref().map_or(failure.exit, |last| last.exit);
                if let Some(last) = last {
                    last.report(program, "");
                }
                last = Some(Self { exit, ..failure });
            }
        }
        last.map_or(Ok(()), Err)
    }

    /// Says it on stderr, with what else there is to say behind it.
    pub(super) fn report(&self, program: &str, and: &str) -> ExitCode {
        let (bad, good) = (stdio::BAD, stdio::HINT);
        say!("{bad}{program}:{bad:#} {}{and}", self.message);
        if let Some(hint) = self.hint.as_ref().and_then(Hint::in_words) {
            say!("  {good}hint:{good:#} {hint}");
        }
        ExitCode::from(self.exit.code())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(error.class(), &error, Some(Hint::about(&error)))
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            // Which input it is stands before it.
            SendError::Unsendable(why) => why.into(),
            error => Self::of(error.class(), &error, Hint::of_send(&error)),
        }
    }
}

impl From<RecvError> for Failure {
    fn from(error: RecvError) -> Self {
        Self::of(error.class(), &error, Hint::of_recv(&error))
    }
}

impl From<Unsendable> for Failure {
    fn from(why: Unsendable) -> Self {
        Self::of(Class::Unsendable, &why, Some(Hint::of_input(why)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sysv::{Key, Segment, proc};

    /// `rm` fails while it holds the creation lock, for which an observer waits.
    #[test]
    fn a_failure_is_made_without_a_look_at_the_key() {
        let key = Key::new(std::process::id() << 8 | 63).unwrap();
        // SAFETY: no memory is involved.
        let id = unsafe { libc::shmget(key.number().cast_signed(), 5000, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
        assert!(id >= 0, "{}", std::io::Error::last_os_error());
        let failure = Failure::from(Error::NotAChannel { key: key.number(), why: String::new() });
        let was_attached = proc::was_attached(id);
        Segment::open(key).unwrap().remove().unwrap();
        assert!(!was_attached.unwrap(), "{failure:?}");
    }
}
