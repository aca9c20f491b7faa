//! What an errno of a call on a segment or on a semaphore set means.

use super::kernel::{proc, shmmni};
use super::key::Key;
use crate::error::{Error, Limit, Object};
use nix::errno::Errno;

pub(super) fn failed(call: &'static str, needs: Needs, key: Key, errno: Errno) -> Error {
    match errno {
        Errno::EINVAL | Errno::EIDRM => Error::Removed { key: key.number() },
        Errno::EACCES | Errno::EPERM => refused(call, needs, key, Object::Segment, errno),
        _ => Error::Os { call, on: segment_at(key), errno },
    }
}

fn segment_at(key: Key) -> String {
    format!("segment at {key}")
}

/// What the kernel asks of a process that makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing, as for a look-up.
    Nothing,
    /// What the object's mode gives.
    Permission,
    /// To be its owner or its creator.
    Ownership,
}

/// A refusal: an owner's, with what /proc tells everybody (`IPC_STAT` tells nothing to a process that it
/// refuses), or a sandbox's. The kernel says EPERM only where ownership is needed, and EACCES only where a
/// permission is: every other refusal is a sandbox's, and about the call alone.
pub(super) fn refused(call: &'static str, needs: Needs, key: Key, object: Object, errno: Errno) -> Error {
    if needs == Needs::Nothing || (errno == Errno::EPERM && needs == Needs::Permission) {
        let on = if object == Object::Seats { set_of(key) } else { segment_at(key) };
        return Error::Refused { call, on, errno };
    }
    let row = match object {
        Object::Segment => {
            let rows = proc::segments().unwrap_or_default();
            rows.iter().find(|row| row.key == key.number()).map(|row| (row.uid, row.mode))
        }
        Object::Seats => {
            let rows = proc::sets().unwrap_or_default();
            rows.iter().find(|row| row.key == key.seats()).map(|row| (row.uid, row.mode))
        }
    };
    Error::Permission {
        key: key.number(),
        object,
        owner: row.map_or_else(|| "an unknown user".to_owned(), |(uid, _)| format!("uid {uid}")),
        mode: row.map_or(0, |(_, mode)| mode & 0o777),
    }
}

pub(super) fn making_failed(key: Key, errno: Errno) -> Error {
    let limit = match errno {
        Errno::EINVAL => Limit::Shmmax,
        Errno::ENOMEM => Limit::Memory,
        // ENOSPC is both "too many segments" and "too many pages".
        Errno::ENOSPC => {
            let used = proc::segments().map_or(0, |rows| rows.len());
            if shmmni().is_some_and(|most| used >= most) { Limit::Shmmni } else { Limit::Shmall }
        }
        _ => return failed("shmget", Needs::Nothing, key, errno),
    };
    Error::Limit { key: key.number(), object: Object::Segment, limit }
}

/// Why there is no set, and none can be made.
pub(super) fn no_set(key: Key, errno: Errno) -> Error {
    match errno {
        Errno::EACCES | Errno::EPERM => refused("semget", Needs::Nothing, key, Object::Seats, errno),
        Errno::EINVAL => set_limit(key, Limit::Semmsl),
        Errno::ENOSPC => set_limit(key, Limit::Sem),
        _ => Error::Os { call: "semget", on: set_of(key), errno },
    }
}

pub(super) fn set_limit(key: Key, limit: Limit) -> Error {
    Error::Limit { key: key.number(), object: Object::Seats, limit }
}

pub(super) fn set_of(key: Key) -> String {
    format!("semaphore set of {key}")
}
