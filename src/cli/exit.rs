//! Exit codes, and why a program ends with one of them.

use crate::error::{Class, Error};
use nix::errno::Errno;
use std::fmt;

/// How a program ends when it does not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
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
    #[must_use]
    pub fn code(self) -> u8 {
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

/// What each exit code means, whichever program ends with it. docs/programs.md has this table, too.
const MEANINGS: [(&str, &str); 9] = [
    ("0", "done"),
    ("1", "a system call failed, permission, limits, or the output"),
    ("2", "usage"),
    ("3", "the peer died; for a writer also: the reader left"),
    ("4", "the segment or the seats' semaphore set is not a channel of ours to use"),
    ("5", "the input can't be carried: that message was not sent, those before were"),
    ("6", "the role is taken by another process"),
    ("124", "--timeout passed"),
    ("128+n", "ended by signal n"),
];

/// The long part of a `--help`, and behind it the section about these exit codes, with what each stands for in
/// this program.
#[must_use]
pub fn help(text: &str, codes: &[(&str, &str)]) -> String {
    const WIDTH: usize = 84;
    let indent = codes.iter().map(|(code, _)| code.len()).max().unwrap_or(0) + 4;
    let mut text = text.to_owned() + "\n\nExit status:";
    for (code, more) in codes {
        let (_, meaning) = MEANINGS.iter().find(|(known, _)| known == code).expect("a code of the table");
        let mut line = format!("  {code}");
        let mut pad = indent - line.len();
        for word in format!("{meaning}{more}").split(' ') {
            if line.len() + pad + word.len() > WIDTH {
                text = text + "\n" + &line;
                (line, pad) = (String::new(), indent);
            }
            line += &(" ".repeat(pad) + word);
            pad = 1;
        }
        text = text + "\n" + &line;
    }
    text
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
            Class::Permission | Class::Limit | Class::System(_)
            // A program does not ask for these, or deals with them where they come from.
            | Class::Interrupted | Class::TooSmall => Self::System,
        }
    }
}

fn name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// A message can name a file, whose name must not steer a terminal, nor look like a line of ours.
pub(super) fn visible(message: &str) -> String {
    escaped(message, |_| false)
}

fn escaped(message: &str, is_spared: impl Fn(char) -> bool) -> String {
    let shown = |c: char| if c.is_control() && !is_spared(c) { c.escape_default().to_string() } else { c.to_string() };
    message.chars().map(shown).collect()
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Words(String),
    /// What can be done about this error. It depends on what is at the key, so it is looked up when it is said:
    /// by then what failed has given back the seats and the lock that it held.
    About(Box<Error>),
}

/// Why a program ends otherwise than well: what failed on what, and what to do next.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
    pub(super) hint: Option<Hint>,
}

impl Failure {
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        // What points into a SPEC, which is a matter of usage, has lines of its own.
        let message = escaped(&message, |c| c == '\n' && exit == Exit::Usage);
        Self { exit, message, hint: None }
    }

    #[must_use]
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(Hint::Words(hint.to_string())), ..self }
    }

    /// An error of the library.
    pub(super) fn of(class: Class, error: &dyn fmt::Display, hint: Option<Hint>) -> Self {
        match Exit::from(class) {
            Exit::TimedOut => Self::timed_out(),
            exit => Self { hint, ..Self::new(exit, error) },
        }
    }

    #[must_use]
    pub(super) fn signal(number: i32) -> Self {
        Self::new(Exit::Signal(number), format!("ended by {}", name(number)))
    }

    #[must_use]
    pub(super) fn timed_out() -> Self {
        Self::new(Exit::TimedOut, "the other side made no progress for as long as --timeout allows")
    }

    pub(super) fn io(what: &str, errno: Errno) -> Self {
        Self::new(Exit::System, format!("{what}: {} ({errno:?})", errno.desc()))
    }

    /// Standard output is closed, where messages would go nowhere.
    pub(super) fn no_output() -> Self {
        Self::io("standard output is closed", Errno::EBADF).hint("open it, to /dev/null if need be")
    }
}
