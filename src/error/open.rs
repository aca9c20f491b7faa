//! What goes wrong below the protocol: with a segment, a seat, a key.

use super::objects::{Limit, Object};
use super::{Class, Corrupt, Ipcs, Layout, Place, Role, plural};
use nix::errno::Errno;

/// A failure with a segment, a seat or a key. Each case names the failed operation and its object;
/// [`hint`](Self::hint) names the next step. `Debug` prints both, for a `main` that returns it.
///
/// ```
/// use shm_handoff::Error;
/// let error = Error::Missing { key: 1234 };
/// assert_eq!(error.to_string(), "key 1234 (0x4d2): there is no segment");
/// assert_eq!(error.hint().as_deref(), Some("start the other side first, or create it"));
/// assert_eq!(format!("{error:?}"), format!("{error}; start the other side first, or create it"));
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Exclusive creation found a segment at the key.
    #[error("{}: a segment is there already", Place::Key(*.key))]
    Exists {
        /// The segment's key.
        key: u32,
    },
    /// There is no segment at the key.
    #[error("{}: there is no segment", Place::Key(*.key))]
    Missing {
        /// The segment's key.
        key: u32,
    },
    /// The segment is not a channel of this library.
    #[error(
        "{}: the segment is no handoff channel: {why}", Place::Key(*.key)
    )]
    NotAChannel {
        /// The segment's key.
        key: u32,
        /// The reason.
        why: String,
        /// The [declaration](crate::declare) that it looks like.
        looks_like: Option<String>,
    },
    /// The segment has another layout than the one asked for.
    #[error(
        "{}: {found} is there, and {wanted} was asked for", Place::Key(*.key)
    )]
    OtherLayout {
        /// The segment's key.
        key: u32,
        /// The layout that is there.
        found: String,
        /// What was asked for.
        wanted: String,
        /// The size of a segment that has room for what was declared, and more.
        larger: Option<usize>,
    },
    /// The other side has declared another layout.
    #[error("{}: the other side, {}, has declared {}", Place::Key(*.key), who(*.pid), other_than(.wanted.as_deref()))]
    OtherDeclared {
        /// The segment's key.
        key: u32,
        /// The layout asked for. `None`: this side asked for none, and can't guess the other side's.
        wanted: Option<String>,
        /// The other side; 0: a process of another pid namespace.
        pid: u32,
    },
    /// The memory has another layout than the type of the side says, or than the call needs.
    #[error("{found} can't be used as {wanted}")]
    WrongLayout {
        /// The layout that is there.
        found: Layout,
        /// The layout that is needed.
        wanted: &'static str,
    },
    /// The kernel refused access.
    #[error(
        "{}: permission denied: the {object} belongs to {owner} with mode {mode:03o}", Place::Key(*.key)
    )]
    Permission {
        /// The key of the segment.
        key: u32,
        /// The object to which access was refused.
        object: Object,
        /// Its owner, as `uid N`, or `an unknown user`.
        owner: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The object belongs to another user, who could change it at will.
    #[error(
        "{}: the {object} belongs to uid {uid} (made by uid {creator}), not to you", Place::Key(*.key)
    )]
    OtherOwner {
        /// The key of the segment.
        key: u32,
        /// The object.
        object: Object,
        /// Its owner.
        uid: u32,
        /// Its creator, who keeps access forever.
        creator: u32,
    },
    /// A limit of the kernel is reached.
    #[error("{}: the {object} can't be made: limit {limit} reached", Place::Key(*.key))]
    Limit {
        /// The key of the segment.
        key: u32,
        /// The object that was to be made.
        object: Object,
        /// Which limit.
        limit: Limit,
    },
    /// The segment was removed while it was being opened, again and again.
    #[error("{}: the segment was removed while it was being opened", Place::Key(*.key))]
    Removed {
        /// The segment's key.
        key: u32,
    },
    /// The seat is taken: another process has this role.
    #[error("{at}: another {role} is attached, {}", who(*.pid))]
    SeatTaken {
        /// Where the seat is.
        at: Place,
        /// The role that is taken.
        role: Role,
        /// The holder; 0: a process of another pid namespace.
        pid: u32,
    },
    /// The lock under which segments are made was not given back in time.
    #[error("{}: the creation lock is held, {}", Place::Key(*.key), who(*.pid))]
    Locked {
        /// The segment's key.
        key: u32,
        /// The holder; 0: a process of another pid namespace.
        pid: u32,
    },
    /// A semaphore set that is not ours has the key of the seats.
    #[error(
        "{}: a foreign semaphore set holds the seats' key {}", Place::Key(*.key), Ipcs(*.seats)
    )]
    ForeignSeats {
        /// The segment's key.
        key: u32,
        /// The semaphore set's key.
        seats: u32,
    },
    /// The seats' semaphore set is another version's, and in use or not ours to make anew.
    #[error("{}: the seats' semaphore set is of version {found}, and this program's is {known}{}", Place::Key(*.key), used(*.pid))]
    OtherVersion {
        /// The segment's key.
        key: u32,
        /// The version that was found.
        found: u32,
        /// This library's.
        known: u32,
        /// A process that uses it; 0: of another pid namespace.
        pid: Option<u32>,
    },
    /// The ring carries messages of another type.
    #[error("{}: the ring there carries messages of schema {found:#018x}, and schema {wanted:#018x} was asked for{}", Place::Key(*.key), of_type(*.text))]
    OtherSchema {
        /// The segment's key.
        key: u32,
        /// The schema that its maker has given.
        found: u64,
        /// This side's.
        wanted: u64,
        /// The text of this side's, where [`Options::schema_of`](crate::backend::sysv::Options::schema_of) was given a type.
        text: Option<&'static str>,
    },
    /// A key that can't be used.
    #[error("key {given}: {reason}")]
    BadKey {
        /// The key as given.
        given: String,
        /// Why it can't be used.
        reason: &'static str,
    },
    /// A capacity that no ring can have.
    #[error("a ring of {given} byte{}: the capacity is a power of two from 64K to 1G", plural(*.given))]
    BadCapacity {
        /// What was asked for.
        given: usize,
    },
    /// An answer of another length than the layout sets aside for one.
    #[error("an answer of {given} byte{}: {}", plural(*.given), answers(*.needs))]
    BadReply {
        /// Its length, in bytes.
        given: usize,
        /// The length that the layout sets aside; 0: none.
        needs: usize,
    },
    /// A sandbox refused a system call, whatever its object.
    #[error("{on}: the system call {call} is refused: {} ({errno:?})", errno.desc())]
    Refused {
        /// The call.
        call: &'static str,
        /// The object of the call.
        on: String,
        /// Its errno.
        errno: Errno,
    },
    /// The contents of the memory break its layout, so a peer has broken the protocol.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// Any other failure of a system call.
    #[error("{on}: {call} failed: {} ({errno:?})", errno.desc())]
    Os {
        /// The call.
        call: &'static str,
        /// The object of the call.
        on: String,
        /// Its errno.
        errno: Errno,
    },
}

/// The type behind a schema that this side asks for.
fn of_type(text: Option<&'static str>) -> String {
    text.map_or_else(String::new, |text| format!(", that of {text}"))
}

impl Error {
    /// There is no memory for `what`.
    pub(crate) fn no_memory(what: String) -> Self {
        Self::Os { call: "allocation", on: what, errno: Errno::ENOMEM }
    }

    /// Which class it is of.
    ///
    /// ```
    /// use shm_handoff::{Error, error::Class};
    /// assert_eq!(Error::BadCapacity { given: 5 }.class(), Class::Usage);
    /// ```
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::BadKey { .. } | Self::BadCapacity { .. } | Self::BadReply { .. } => Class::Usage,
            Self::SeatTaken { .. } => Class::Taken,
            Self::NotAChannel { .. }
            | Self::OtherLayout { .. }
            | Self::OtherDeclared { .. }
            | Self::OtherSchema { .. }
            | Self::WrongLayout { .. }
            | Self::ForeignSeats { .. }
            | Self::OtherVersion { .. } => Class::NotOurs,
            Self::Corrupt(_) => Class::Corrupt,
            Self::OtherOwner { .. } => Class::OtherOwner,
            Self::Permission { .. } => Class::Permission,
            Self::Limit { .. } => Class::Limit,
            Self::Exists { .. } => Class::System(Errno::EEXIST),
            Self::Missing { .. } | Self::Removed { .. } => Class::System(Errno::ENOENT),
            Self::Locked { .. } => Class::System(Errno::EAGAIN),
            Self::Os { errno, .. } | Self::Refused { errno, .. } => Class::System(*errno),
        }
    }

    /// The next step, if one is known. The programs and the C library use their own words if they have
    /// an option for it.
    ///
    /// ```
    /// use shm_handoff::{Error, Role, error::Place};
    /// let error = Error::SeatTaken { at: Place::Key(1234), role: Role::Reader, pid: 77 };
    /// assert_eq!(error.to_string(), "key 1234 (0x4d2): another reader is attached, pid 77");
    /// assert_eq!(error.hint().as_deref(), Some("stop it, or use another key"));
    /// ```
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Corrupt(why) => why.hint().to_owned(),
            Self::Exists { .. } => "open it instead, or use another key".to_owned(),
            Self::Missing { .. } => "start the other side first, or create it".to_owned(),
            Self::NotAChannel { looks_like: Some(spec), .. } => {
                format!("if it is what it looks like, declare that: {spec}")
            }
            Self::NotAChannel { .. } => "it belongs to another program: use another key".to_owned(),
            Self::OtherSchema { .. } => "build both sides with the same type, or use another key".to_owned(),
            Self::OtherDeclared { .. } => "declare the same layout on both sides".to_owned(),
            Self::OtherLayout { larger: Some(size), .. } => {
                format!("if the struct lies in a larger segment, declare that, too: size={size}")
            }
            Self::OtherLayout { .. } => "start the other side in the same way, or remove the segment".to_owned(),
            Self::Permission { .. } => "run as that user, or have it made with another mode".to_owned(),
            Self::OtherOwner { .. } => "use another key, or accept that owner if you trust them".to_owned(),
            Self::Limit { limit, .. } => format!("see: {}", limit.how_to_see()),
            Self::Removed { .. } => "try again".to_owned(),
            Self::SeatTaken { at: Place::Key(_), .. } => "stop it, or use another key".to_owned(),
            Self::SeatTaken { at: Place::Channel, .. } => "drop it, or make another channel".to_owned(),
            Self::Locked { .. } => "if that process is stopped, continue or end it".to_owned(),
            Self::ForeignSeats { seats, .. } => {
                format!("use another key, or remove it if it is not needed: ipcrm -S {}", Ipcs(*seats))
            }
            Self::OtherVersion { .. } => {
                "end the processes that use it and start both sides in the same version, or use another key".to_owned()
            }
            Self::Os { errno: Errno::ENOMEM, .. } => format!("see: {}; ulimit -a", Limit::Memory.how_to_see()),
            Self::Os { errno: Errno::EMFILE | Errno::ENFILE, .. } => "more files: ulimit -n".to_owned(),
            Self::Refused { .. } => "a sandbox refuses it (seccomp, a container, a security module): allow System V \
                                     shared memory and semaphores there, or run outside"
                .to_owned(),
            Self::Os { errno: Errno::ENOSYS, .. } => "the kernel has no System V IPC, or a sandbox hides it".to_owned(),
            Self::BadReply { needs: 0, .. } => "declare where it lies: reply=".to_owned(),
            Self::WrongLayout { .. }
            | Self::BadKey { .. }
            | Self::BadCapacity { .. }
            | Self::BadReply { .. }
            | Self::Os { .. } => return None,
        };
        Some(hint)
    }
}

sentence_is_debug!(Error);

fn other_than(wanted: Option<&str>) -> String {
    wanted.map_or_else(
        || "a layout, and this one was told none".to_owned(),
        |wanted| format!("another layout than {wanted}"),
    )
}

fn answers(needs: usize) -> String {
    if needs == 0 { "nothing can be answered here".to_owned() } else { format!("the layout has one of {needs}") }
}

fn used(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!("; it is in use by {}", who(pid)))
}

fn who(pid: u32) -> String {
    if pid == 0 { "in another pid namespace (pid 0)".to_owned() } else { format!("pid {pid}") }
}
