//! What to do next, in Python's words: where there is an argument or a method for it. For all else the library's own hint
//! does.

use shm_handoff::backend::sysv::{Key, Segment};
use shm_handoff::error::Unsendable;
use shm_handoff::{Error, RecvError, SendError};

pub(crate) fn of_open(error: &Error) -> Option<String> {
    let hint = match error {
        Error::NotAChannel { looks_like: Some(spec), .. } => {
            return Some(format!("if it is what it looks like, open it with layout=\"{spec}\""));
        }
        Error::OtherLayout { larger: Some(size), .. } => {
            return Some(format!("if the struct lies in a larger segment, add its size to layout=: \",size={size}\""));
        }
        Error::OtherLayout { key, .. } if is_unused(*key) => {
            return Some(format!(
                "nobody uses it; to remove it, with what waits in it, run `shm-handoff rm {key}`, or `ipcrm -M {key:#x}` where \
                 the programs are not installed; or use another key"
            ));
        }
        Error::OtherLayout { .. } => {
            "give both sides the same ring= or layout=; a side without either takes what is there"
        }
        Error::OtherDeclared { .. } => "give both sides the same layout=",
        Error::OtherSchema { .. } => "give both sides the same schema=, or use another key",
        Error::Missing { .. } => "start the other side first",
        Error::Permission { .. } => "run as that user, or have it made with another mode=",
        Error::OtherOwner { .. } => "trust_owner=True if you trust that user, or use another key",
        Error::BadReply { needs: 0, .. } => "say in layout= where the answer lies: \",reply=NAME\"",
        Error::BadCapacity { .. } => "ring=True takes what is there, or makes one of 2 MiB",
        other => return other.hint(),
    };
    Some(hint.to_owned())
}

pub(crate) fn of_send(error: &SendError) -> Option<String> {
    match error {
        SendError::ReaderGone => {
            Some("await_reader() waits for the next one, and then the writer can go on".to_owned())
        }
        SendError::Unsendable(why) => Some(of_unsendable(*why)),
        other => other.hint(),
    }
}

pub(crate) fn of_recv(error: &RecvError) -> Option<String> {
    match error {
        RecvError::BufferTooSmall { .. } => Some("a buffer of `capacity` bytes holds every message".to_owned()),
        RecvError::WriterGone => Some("await_next_writer() goes on with the next one".to_owned()),
        other => other.hint(),
    }
}

fn of_unsendable(why: Unsendable) -> String {
    let other_way = match why {
        Unsendable::TooLong { .. } => "; a ring carries up to a quarter of its size: ring=BYTES",
        // Of a text in a slot alone.
        Unsendable::Nul { .. } | Unsendable::BeginsWithEnd | Unsendable::EndWithReturn => {
            "; a ring carries any bytes: ring=True"
        }
        Unsendable::NoRecord { .. } => "",
    };
    format!("{}{other_way}", why.hint())
}

/// Whether no process is attached to the segment at this key.
fn is_unused(key: u32) -> bool {
    let stat = Key::new(key).and_then(Segment::stat_at);
    stat.is_ok_and(|stat| stat.is_some_and(|stat| stat.attached == 0))
}
