//! What to do next, in C's words: where there is a member of `struct shmh_options` or a function
//! for it. For all else the library's own hint does.

use shm_handoff::{Error, RecvError, SendError};

pub(crate) fn next(error: &Error) -> Option<String> {
    let hint = match error {
        Error::OtherLayout { .. } => "open it as SHMH_ANY for what is there, or ask for the same on both sides",
        Error::Permission { .. } => "run as that user, or have it made with another mode in struct shmh_options",
        Error::OtherOwner { .. } => "set trust_owner in struct shmh_options if you trust that user, or use another key",
        Error::OtherSchema { .. } => "give both sides the same schema in struct shmh_options, or use another key",
        other => return other.hint(),
    };
    Some(hint.to_owned())
}

pub(crate) fn of_send(error: &SendError) -> Option<String> {
    match error {
        SendError::Backend(error) => next(error),
        SendError::ReaderGone => Some("shmh_await_reader() waits for the next one".to_owned()),
        other => other.hint(),
    }
}

pub(crate) fn of_recv(error: &RecvError) -> Option<String> {
    match error {
        RecvError::Backend(error) => next(error),
        RecvError::BufferTooSmall { .. } => Some("shmh_capacity() bytes hold every message".to_owned()),
        RecvError::WriterGone => Some("shmh_await_next_writer() waits for the next one".to_owned()),
        other => other.hint(),
    }
}
