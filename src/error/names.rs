//! What errors and others name: roles, layouts.

use std::fmt;

/// The two ends of a handoff, and a side that only shares the memory.
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
/// use shm_handoff::backend::Layout;
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
    /// One flag and a text or records, where a [declaration](crate::declare) says.
    Declared,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot => f.write_str("a classic slot"),
            Self::Declared => f.write_str("a declared slot"),
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
