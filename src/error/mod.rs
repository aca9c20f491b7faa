//! What can go wrong: below the protocol (`open.rs`), and on the way of a message (`message.rs`).
//!
//! The `Debug` form of an error is its sentence, with what to do next behind it: a `main` that
//! returns one prints that.

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
mod message;
mod open;

pub use corrupt::Corrupt;
pub(crate) use corrupt::corrupt;
pub use message::{RecvError, SendError, Unsendable};
pub use open::{Error, Limit, Object};

use nix::errno::Errno;
use std::fmt;

/// What an error amounts to, whichever it is. It alone decides the exit code of the programs and
/// the status code of the C library; a new class is a decision for both.
///
/// ```
/// use shm_handoff::{Error, RecvError, SendError, error::Class};
/// assert_eq!(SendError::ReaderGone.class(), RecvError::WriterGone.class());
/// assert_eq!(RecvError::Backend(Error::BadCapacity { given: 5 }).class(), Class::Usage);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What was asked for can't be: a key, a capacity.
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
    /// What is there is no channel, or another one than was asked for.
    NotOurs,
    /// What is there belongs to another user, who is not trusted.
    OtherOwner,
    /// The kernel refuses access.
    Permission,
    /// A limit of the kernel is reached.
    Limit,
    /// What lies in the memory breaks its layout.
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
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Writer, backend::inproc::{Channel, InProc}};
/// let channel = Channel::new(2048);
/// let _writer = Writer::<InProc>::open(&channel)?;
/// let error = Writer::<InProc>::open(&channel).unwrap_err();
/// assert!(error.to_string().starts_with("the channel: another writer is attached"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
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

/// The two ends of a handoff, and the one who only shares the memory.
///
/// ```
/// use shm_handoff::Role;
/// assert_eq!(Role::Writer.to_string(), "writer");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Puts messages in. One at a time.
    Writer,
    /// Takes messages out. One at a time.
    Reader,
    /// Attaches without a seat, as the tutorial's C programs do: it is seen by
    /// the attach count alone, and nothing keeps it from doing harm.
    Guest,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Writer => "writer",
            Self::Reader => "reader",
            Self::Guest => "guest",
        })
    }
}

/// What a piece of memory is laid out as.
///
/// ```
/// use shm_handoff::error::Layout;
/// assert_eq!(Layout::Slot.to_string(), "a classic slot");
/// assert_eq!(Layout::Ring { capacity: 2 << 20 }.to_string(), "a ring of 2 MiB");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One flag and one text: what the tutorial's C programs use.
    Slot,
    /// Records of any bytes, one behind the other.
    Ring {
        /// Bytes for records, a power of two.
        capacity: usize,
    },
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot => f.write_str("a classic slot"),
            Self::Ring { capacity } => write!(f, "a ring of {}", Bytes(*capacity)),
        }
    }
}

/// A number of bytes, as people write powers of two.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shift, unit) = match self.0.trailing_zeros() {
            30.. => (30, "GiB"),
            20.. => (20, "MiB"),
            10.. => (10, "KiB"),
            _ => (0, "bytes"),
        };
        write!(f, "{} {unit}", self.0 >> shift)
    }
}
