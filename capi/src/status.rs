//! What a function returns, what errno is then, and the words for it.

use crate::hint;
use shm_handoff::declare;
use shm_handoff::error::Class;
use shm_handoff::{Error, RecvError, SendError};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};

/// Done.
pub const SHMH_OK: c_int = 0;
/// The session has ended: the message is its end, or it was met before.
pub const SHMH_ENDED: c_int = 1;
/// Invalid argument: a null pointer, an unknown role or layout, a declaration that can't be read, or key 0. EINVAL
pub const SHMH_E_INVALID: c_int = -1;
/// The handle was closed, or it is that of the process which forked this one. EBADF
pub const SHMH_E_CLOSED: c_int = -2;
/// A reader's handle where a writer's is needed, or the other way round. EPERM
pub const SHMH_E_WRONG_ROLE: c_int = -3;
/// The time to wait has passed. ETIMEDOUT; EAGAIN where it was 0
pub const SHMH_E_TIMED_OUT: c_int = -4;
/// `shmh_interrupt` was called. EINTR
pub const SHMH_E_INTERRUPTED: c_int = -5;
/// The peer that was there died; for a writer also: it left. EPIPE
pub const SHMH_E_PEER_GONE: c_int = -6;
/// The message can't be carried: too long, of another length than a declared record; or, in a text, with a NUL, or
/// beginning with `end` without being `end` alone. EMSGSIZE
pub const SHMH_E_UNSENDABLE: c_int = -7;
/// The buffer is too small; the message stays. ENOBUFS
pub const SHMH_E_TOO_SMALL: c_int = -8;
/// Another process has the role. EBUSY
pub const SHMH_E_ROLE_TAKEN: c_int = -9;
/// What is at the key is no channel, or of another layout or schema. EPROTO
pub const SHMH_E_NOT_A_CHANNEL: c_int = -10;
/// It belongs to another user, or the kernel refuses access. EACCES
pub const SHMH_E_PERMISSION: c_int = -11;
/// A limit of the kernel is reached. ENOSPC
pub const SHMH_E_LIMIT: c_int = -12;
/// The ring's content breaks its layout: a peer has broken the protocol. EBADMSG
pub const SHMH_E_CORRUPT: c_int = -13;
/// A system call failed, with this errno.
pub const SHMH_E_SYSTEM: c_int = -14;
/// A bug in this library: please report it. EFAULT
pub const SHMH_E_INTERNAL: c_int = -15;

/// Why a call failed.
pub(crate) struct Fault {
    code: c_int,
    errno: c_int,
    text: Cow<'static, CStr>,
}

impl Fault {
    pub(crate) fn new(code: c_int, text: &'static CStr) -> Self {
        Self { code, errno: errno_of(code), text: Cow::Borrowed(text) }
    }

    /// An error of the library, and what to do next. A wait that ended has a text of its own:
    /// callers that poll meet it all the time, and it takes no memory.
    fn of(class: Class, error: &dyn std::error::Error, hint: impl FnOnce() -> Option<String>) -> Self {
        let code = code_of(class);
        if let Class::TimedOut | Class::Interrupted = class {
            return Self::new(code, text(code));
        }
        let errno = if let Class::System(errno) = class { errno as c_int } else { errno_of(code) };
        let text = match hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        };
        Self::with(code, Some(errno), &text)
    }

    /// With a text of its own, and the errno of a system call.
    pub(crate) fn with(code: c_int, errno: Option<c_int>, text: &str) -> Self {
        let errno = errno.unwrap_or_else(|| errno_of(code));
        Self { code, errno, text: Cow::Owned(CString::new(text.replace('\0', " ")).unwrap_or_default()) }
    }

    /// A call that was not to wait has not failed as one that waited.
    pub(crate) fn of_a_try(self) -> Self {
        if self.code == SHMH_E_TIMED_OUT { Self { errno: libc::EAGAIN, ..self } } else { self }
    }

    pub(crate) fn is_an_interruption(&self) -> bool {
        self.code == SHMH_E_INTERRUPTED
    }

    /// A wait has ended without what it waited for, and could go on.
    pub(crate) fn ended_a_wait(&self) -> bool {
        matches!(self.code, SHMH_E_TIMED_OUT | SHMH_E_INTERRUPTED)
    }

    pub(crate) fn is_a_peer_gone(&self) -> bool {
        self.code == SHMH_E_PEER_GONE
    }

    /// Leaves it for `shmh_error` and in errno; the code.
    pub(crate) fn report(self) -> c_int {
        let text = self.text.to_bytes();
        let kept = &text[..text.len().min(ROOM - 1)];
        LAST.with_borrow_mut(|last| {
            last[..kept.len()].copy_from_slice(kept);
            last[kept.len()] = 0;
        });
        // SAFETY: the address of this thread's errno.
        unsafe { *libc::__errno_location() = self.errno };
        self.code
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::of(error.class(), &error, || hint::next(&error))
    }
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        Self::of(error.class(), &error, || hint::of_send(&error))
    }
}

impl From<RecvError> for Fault {
    fn from(error: RecvError) -> Self {
        Self::of(error.class(), &error, || hint::of_recv(&error))
    }
}

impl From<declare::Error> for Fault {
    /// Behind the picture of its place, which has several lines, the hint has a line of its own.
    fn from(error: declare::Error) -> Self {
        Self::with(SHMH_E_INVALID, None, &format!("{error}\n{}", error.hint()))
    }
}

/// Bytes of a text, its NUL among them; a longer one is cut.
const ROOM: usize = 1024;

thread_local! {
    // Without a destructor: exit handlers, which run after those of thread-locals, fail and ask, too.
    static LAST: RefCell<[u8; ROOM]> = const { RefCell::new([0; ROOM]) };
}

pub(crate) fn last() -> *const c_char {
    LAST.with(|last| last.as_ptr().cast::<c_char>().cast_const())
}

fn code_of(class: Class) -> c_int {
    match class {
        Class::Usage => SHMH_E_INVALID,
        Class::TimedOut => SHMH_E_TIMED_OUT,
        Class::Interrupted => SHMH_E_INTERRUPTED,
        Class::PeerGone => SHMH_E_PEER_GONE,
        Class::Unsendable => SHMH_E_UNSENDABLE,
        Class::TooSmall => SHMH_E_TOO_SMALL,
        Class::Taken => SHMH_E_ROLE_TAKEN,
        Class::NotOurs => SHMH_E_NOT_A_CHANNEL,
        Class::OtherOwner | Class::Permission => SHMH_E_PERMISSION,
        Class::Limit => SHMH_E_LIMIT,
        Class::Corrupt => SHMH_E_CORRUPT,
        Class::System(_) => SHMH_E_SYSTEM,
    }
}

fn errno_of(code: c_int) -> c_int {
    match code {
        SHMH_E_INVALID => libc::EINVAL,
        SHMH_E_CLOSED => libc::EBADF,
        SHMH_E_WRONG_ROLE => libc::EPERM,
        SHMH_E_TIMED_OUT => libc::ETIMEDOUT,
        SHMH_E_INTERRUPTED => libc::EINTR,
        SHMH_E_PEER_GONE => libc::EPIPE,
        SHMH_E_UNSENDABLE => libc::EMSGSIZE,
        SHMH_E_TOO_SMALL => libc::ENOBUFS,
        SHMH_E_ROLE_TAKEN => libc::EBUSY,
        SHMH_E_NOT_A_CHANNEL => libc::EPROTO,
        SHMH_E_PERMISSION => libc::EACCES,
        SHMH_E_LIMIT => libc::ENOSPC,
        SHMH_E_CORRUPT => libc::EBADMSG,
        SHMH_E_SYSTEM => libc::EIO,
        _ => libc::EFAULT,
    }
}

pub(crate) fn text(code: c_int) -> &'static CStr {
    match code {
        SHMH_OK => c"done",
        SHMH_ENDED => c"the session has ended",
        SHMH_E_INVALID => c"invalid argument",
        SHMH_E_CLOSED => c"the handle was closed",
        SHMH_E_WRONG_ROLE => c"the handle has the other role",
        SHMH_E_TIMED_OUT => c"the time to wait has passed",
        SHMH_E_INTERRUPTED => c"the wait was interrupted",
        SHMH_E_PEER_GONE => c"the peer has died or left",
        SHMH_E_UNSENDABLE => c"the message can't be carried",
        SHMH_E_TOO_SMALL => c"the buffer is too small",
        SHMH_E_ROLE_TAKEN => c"another process has the role",
        SHMH_E_NOT_A_CHANNEL => c"what is at the key is no channel of that layout",
        SHMH_E_PERMISSION => c"it belongs to another user",
        SHMH_E_LIMIT => c"a limit of the kernel is reached",
        SHMH_E_CORRUPT => c"the ring's content breaks its layout",
        SHMH_E_SYSTEM => c"a system call failed",
        SHMH_E_INTERNAL => c"a bug in shm-handoff",
        _ => c"no code of shm-handoff",
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;
    use nix::errno::Errno;
    use shm_handoff::Role;
    use shm_handoff::backend::Layout;
    use shm_handoff::error::{Limit, Mistyped, Object, Place, Unsendable};
    use shm_handoff::{Error, RecvError, SendError};

    #[test]
    fn no_error_speaks_of_a_command_line() {
        let (key, pid, object, role) = (1234, 77, Object::Segment, Role::Writer);
        let errors = [
            Error::Exists { key },
            Error::Missing { key },
            Error::NotAChannel { key, why: "it has 12 bytes".to_owned(), looks_like: None },
            Error::OtherLayout {
                key,
                found: Layout::Slot.to_string(),
                wanted: Layout::Ring { capacity: 2 << 20 }.to_string(),
                larger: None,
            },
            Error::WrongLayout { found: Layout::Slot, wanted: "a ring" },
            Error::Permission { key, object, owner: "uid 7".to_owned(), mode: 0o600 },
            Error::OtherOwner { key, object, uid: 7, creator: 7 },
            Error::Limit { key, object, limit: Limit::Shmmni },
            Error::Removed { key },
            Error::SeatTaken { at: Place::Key(key), role, pid },
            Error::Locked { key, pid },
            Error::ForeignSeats { key, seats: 5 },
            Error::OtherVersion { key, found: 1, known: 2, pid: Some(pid) },
            Error::OtherVersion { key, found: 1, known: 2, pid: None },
            Error::Refused { call: "shmget", on: "key 1234".to_owned(), errno: Errno::EPERM },
            Error::Os { call: "shmget", on: "key 1234".to_owned(), errno: Errno::ENOMEM },
            Error::BadKey { given: "0".to_owned(), reason: "it is private" },
            Error::BadCapacity { given: 5 },
            Error::OtherDeclared { key, wanted: Some("the layout flag=i32@0,text=60@4,size=64".to_owned()), pid },
            Error::OtherDeclared { key, wanted: None, pid },
            Error::OtherSchema { key, found: 1, wanted: 2, text: None },
            Error::BadReply { given: 3, needs: 4 },
            Error::BadReply { given: 3, needs: 0 },
        ];
        let of_sending = [
            SendError::Unsendable(Unsendable::TooLong { most: 2047 }),
            SendError::Unsendable(Unsendable::Nul { at: 3 }),
            SendError::Unsendable(Unsendable::BeginsWithEnd),
            SendError::Unsendable(Unsendable::EndWithReturn),
            SendError::Unsendable(Unsendable::NoRecord { given: 3, needs: 4 }),
            SendError::ReaderGone,
            SendError::TimedOut,
        ];
        let of_receiving = [
            RecvError::WriterGone,
            RecvError::BufferTooSmall { capacity: 2048 },
            RecvError::Mistyped(Mistyped::Length { name: "u64", given: 3, needs: 8 }),
            RecvError::TimedOut,
        ];
        let faults = errors.map(Fault::from).into_iter().chain(of_sending.map(Fault::from));
        for fault in faults.chain(of_receiving.map(Fault::from)) {
            let text = fault.text.to_str().unwrap();
            let named = ["--", "shm-handoff ", "shmread", "shmwrite"].into_iter().find(|word| text.contains(word));
            assert_eq!(named, None, "{text}");
        }
        let says = |error: Error, word: &str| {
            let text = Fault::from(error).text;
            assert!(text.to_str().unwrap().contains(word), "{text:?}");
        };
        says(Error::OtherOwner { key, object, uid: 7, creator: 7 }, "trust_owner");
        says(Error::OtherSchema { key, found: 1, wanted: 2, text: None }, "schema in struct shmh_options");
        let of_a_side = [Fault::from(SendError::ReaderGone), Fault::from(RecvError::WriterGone)];
        for (fault, way_out) in of_a_side.iter().zip(["shmh_await_reader", "shmh_await_next_writer"]) {
            assert!(fault.text.to_str().unwrap().contains(way_out), "{:?}", fault.text);
        }
        says(
            Error::OtherLayout {
                key,
                found: Layout::Slot.to_string(),
                wanted: Layout::Ring { capacity: 1 }.to_string(),
                larger: None,
            },
            "SHMH_ANY",
        );
    }
}
