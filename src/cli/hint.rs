//! What to do next, in the words of the command line: where there is an option or a program
//! for it. For all else the library's own hint does.

use crate::error::Error;
use crate::protocol::message::Uncarriable;
use nix::errno::Errno;

pub(super) fn next(error: &Error) -> Option<String> {
    Some(match error {
        Error::OtherLayout { key, .. } => {
            format!("start the other side in the same way, or remove what is there: shm-handoff rm {key}")
        }
        Error::Permission { .. } => "run as that user, or have it opened with --mode".to_owned(),
        Error::OtherOwner { .. } => "--trust-owner if you trust that user, or use another key".to_owned(),
        Error::Refused { .. } | Error::Os { errno: Errno::ENOSYS, .. } => {
            format!("{} (what works: shm-handoff doctor)", error.hint()?)
        }
        other => return other.hint(),
    })
}

pub(super) fn of_input(why: Uncarriable) -> &'static str {
    match why {
        Uncarriable::TooLong { .. } => "split it, or shorten it: --long split, --long truncate",
        Uncarriable::Nul { .. } => "remove it first: tr -d '\\0'",
        Uncarriable::EndWithReturn => "remove the carriage returns first: tr -d '\\r'",
        Uncarriable::BeginsWithEnd => why.hint(),
    }
}
