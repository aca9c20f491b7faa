//! The errors: below the protocol (`open.rs`), and on the way of a message (`message.rs`).
//!
//! The `Debug` form of an error is its sentence, followed by its hint. A `main` that
//! returns an error prints that.

/// `Debug` of an error: its sentence, and its hint behind it.
macro_rules! sentence_is_debug {
    ($($error:ty),*) => {$(
        #[automatically_derived]
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")?;
                self.hint().map_or(Ok(()), |hint| write!(f, "; {hint}"))
            }
        }
    )*};
}

mod corrupt;
pub(crate) mod message;
pub(crate) mod names;
mod objects;
pub(crate) mod open;

// What is at the crate's root is not here, too.
pub use corrupt::Corrupt;
pub(crate) use corrupt::corrupt;
pub use message::{Mistyped, Unsendable};
pub(crate) use message::{RecvError, SendError};
pub(crate) use names::{Layout, Role};
pub use objects::{Limit, Object};
pub(crate) use open::Error;

use nix::errno::Errno;
use std::fmt;

/// What comes behind the name of so many things.
pub(crate) fn plural<N: Copy + From<u8> + PartialEq>(number: N) -> &'static str {
    if number == N::from(1) { "" } else { "s" }
}

/// The kind of an error. It alone decides the exit code of the programs and
/// the status code of the C library; a new class is a decision for both.
///
/// ```
/// use shm_handoff::{Error, RecvError, SendError, error::Class};
/// assert_eq!(SendError::ReaderGone.class(), RecvError::WriterGone.class());
/// assert_eq!(RecvError::Backend(Error::BadCapacity { given: 5 }).class(), Class::Usage);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An argument is invalid, such as a key or a capacity, or the writer was closed.
    Usage,
    /// The time to wait has passed, or there was none.
    TimedOut,
    /// The caller ended the wait.
    Interrupted,
    /// The peer died; for a writer also: the reader left.
    PeerGone,
    /// The message can't be sent.
    Unsendable,
    /// The caller's buffer is too small.
    TooSmall,
    /// Another process has the role.
    Taken,
    /// The segment is no channel, or not of the layout asked for.
    NotOurs,
    /// The object belongs to another user, and that user is not trusted.
    OtherOwner,
    /// The kernel refuses access.
    Permission,
    /// A limit of the kernel is reached.
    Limit,
    /// The contents of the memory break its layout, or a message is no value of its type.
    Corrupt,
    /// A system call failed, or might as well have.
    System(Errno),
}

/// Where something went wrong.
///
/// ```
/// use shm_handoff::error::Place;
/// assert_eq!(Place::Key(1234).to_string(), "key 1234 (0x4d2)");
/// assert_eq!(format!("{:#}", Place::Key(1234)), "1234 (0x4d2)", "where a heading says that it is a key");
/// assert_eq!(Place::Channel.to_string(), "the channel");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At a System V key.
    Key(u32),
    /// Within the process: there is no key.
    Channel,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if f.alternate() => write!(f, "{key} ({key:#x})"),
            Self::Key(key) => write!(f, "key {key} ({key:#x})"),
            Self::Channel => f.write_str("the channel"),
        }
    }
}

/// A key as `ipcs` shows it, to be compared with that, or found there.
pub(crate) struct Ipcs(pub(crate) u32);

impl fmt::Display for Ipcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}
