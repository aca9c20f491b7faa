//! What to do next, in the words of the command line. What can be done about a key depends on the
//! processes that use what is there, so they are looked up. A command in a hint does not harm them, and
//! is not refused.

use super::exit::{Failure, Hint};
use super::{look, spec};
use crate::backend::sysv::proc::{self, SegmentRow};
use crate::backend::sysv::{Key, observe_seats};
use crate::declare::Declared;
use crate::error::{Class, Error, Ipcs, Layout, Object, RecvError, SendError, Unsendable};
use nix::errno::Errno;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(error.class(), &error, Some(Hint::About(Box::new(error.clone()))))
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Backend(error) => error.into(),
            // Which input it is stands before it.
            SendError::Unsendable(why) => why.into(),
            SendError::ReaderGone => {
                let hint = "the messages that it has not taken wait for the next reader".to_owned();
                Self::of(error.class(), &error, Some(Hint::Words(hint)))
            }
            error => Self::of(error.class(), &error, error.hint().map(Hint::Words)),
        }
    }
}

impl From<RecvError> for Failure {
    fn from(error: RecvError) -> Self {
        let hint = match error {
            RecvError::Backend(error) => return error.into(),
            RecvError::WriterGone => Some("--follow waits for the next one".to_owned()),
            _ => error.hint(),
        };
        Self::of(error.class(), &error, hint.map(Hint::Words))
    }
}

impl From<Unsendable> for Failure {
    fn from(why: Unsendable) -> Self {
        let hint = match why {
            Unsendable::TooLong { .. } => "split it, or shorten it: --long split, --long truncate",
            Unsendable::Nul { .. } => "remove it first: tr -d '\\0'",
            Unsendable::EndWithReturn => "remove the carriage returns first: tr -d '\\r'",
            Unsendable::BeginsWithEnd | Unsendable::NoRecord { .. } => why.hint(),
        };
        Self::of(Class::Unsendable, &why, None).hint(hint)
    }
}

/// What a hint says.
pub(super) fn in_words(hint: &Hint) -> Option<String> {
    match hint {
        Hint::Words(words) => Some(words.clone()),
        Hint::About(error) => next(error),
    }
}

/// What to do next; a command, where there is one, stands behind the last colon.
fn next(error: &Error) -> Option<String> {
    Some(match error {
        Error::NotAChannel { key, .. } if is_declared(*key) => {
            "a side that is there was told its layout: name the same with --layout".to_owned()
        }
        // The last colon is the command's.
        Error::NotAChannel { key, looks_like: Some(spec), .. } => {
            let way = or(way_out(*key, None));
            let (then, way) = if way.is_empty() { ("", "") } else { ("; else use another key", &way[..]) };
            format!("{}: --layout '{spec}'{then}{way}", declares(spec))
        }
        Error::NotAChannel { key, .. } => format!("use another key{}", or(way_out(*key, None))),
        Error::OtherSchema { key, .. } => format!("build both sides with the same type{}", or(way_out(*key, None))),
        Error::OtherDeclared { .. } => "start both sides with the same --layout, or use another key".to_owned(),
        Error::OtherLayout { key, larger: Some(size), .. } => {
            let way = or(way_out(*key, None));
            format!("if the struct lies in a larger segment, add its size to SPEC, ,size={size}{way}")
        }
        Error::OtherLayout { key, found, .. } if *found == Layout::Slot.to_string() => format!(
            "start the other side in the same way (a side that asked for no layout gives its slot up for a ring, or for an \
             `int` flag with one text or record beside it, if no message lies there and no C program is attached){}",
            or(way_out(*key, None))
        ),
        Error::OtherLayout { key, .. } => format!("start the other side in the same way{}", or(way_out(*key, None))),
        Error::Permission { key, object: Object::Segment, .. } if is_mine(*key) => {
            format!("use another key{}", or(way_out(*key, None)))
        }
        Error::Permission { key, object, .. } => {
            match at(*key).and_then(remove_seats).filter(|_| *object == Object::Seats) {
                Some(command) => format!("remove it, because it lets no user in: {command}"),
                None => "run as that user, or have it made anew with --mode 666, and use --trust-owner then".to_owned(),
            }
        }
        Error::OtherOwner { .. } => "--trust-owner if you trust that user, or use another key".to_owned(),
        Error::ForeignSeats { seats, .. } => match remove_set(*seats) {
            Some(command) => format!("use another key, or remove it if it is not needed: {command}"),
            None => "use another key".to_owned(),
        },
        Error::Locked { pid: pid @ 1.., .. } => format!("if that process is stopped, let it go on: kill -CONT {pid}"),
        Error::Missing { .. } => "start the other side first (shm-handoff ls lists the channels)".to_owned(),
        Error::Refused { .. } | Error::Os { errno: Errno::ENOSYS, .. } => {
            format!("{} (shm-handoff doctor checks the machine)", error.hint()?)
        }
        other => return other.hint(),
    })
}

/// Whether a side that is at the key has declared a layout.
fn is_declared(key: u32) -> bool {
    let seats = Key::new(key).ok().and_then(|key| observe_seats(key).ok().flatten());
    seats.is_some_and(|seats| seats.declares)
}

/// What a declaration of a text says, in words.
pub(super) fn declares(spec: &str) -> String {
    let (text, size) = spec.split_once(",size=").map_or((spec, None), |(text, size)| (text, Some(size)));
    match size {
        None => format!("if it is the tutorial's struct with {text}"),
        Some(size) => format!("if it is the tutorial's struct with {text}, first in {size} bytes"),
    }
}

fn or(way: Option<Way>) -> String {
    way.map_or_else(String::new, |way| format!(", or {}: {}", way.in_words(), way.command(None)))
}

/// What can be done about what lies at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Somebody uses it.
    Who { key: u32 },
    /// Nobody does, and so many messages wait.
    Read { key: u32, messages: u64, trust: bool },
    /// Nobody does, and nothing would be lost; or nobody can tell what.
    Remove { key: u32, force: bool },
}

impl Way {
    /// It ends by itself, and is not refused. `declared`: what lies there is such a slot.
    pub(super) fn command(self, declared: Option<&Declared>) -> String {
        let layout = declared.map(spec::option).unwrap_or_default();
        match self {
            Self::Who { key } => format!("shm-handoff who {key}"),
            Self::Read { key, messages, trust } => {
                format!("shmread -k {key}{layout} --count {messages}{}", if trust { " --trust-owner" } else { "" })
            }
            Self::Remove { key, force: false } => format!("shm-handoff rm{layout} {key}"),
            Self::Remove { key, force: true } => format!("shm-handoff rm --force{layout} {key}"),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Who { .. } => "see which processes use it",
            Self::Read { .. } => "first read the messages in it",
            Self::Remove { force: false, .. } => "remove what is there, which nobody uses",
            Self::Remove { force: true, .. } => "remove what is there, which nobody uses, with any message in it",
        }
    }
}

/// `None`: there is nothing, or it is not this user's to remove.
pub(super) fn way_out(key: u32, declared: Option<&Declared>) -> Option<Way> {
    let at = Key::new(key).ok()?;
    let slot = look::slot(at, declared);
    // Observers come and go around the count.
    let before = look::observers(slot);
    let row = proc::segment_at(key).ok()??;
    if row.attached > before.max(look::observers(slot)) {
        return Some(Way::Who { key });
    }
    if !may_remove(&row) {
        return None;
    }
    let unread = match look::at(at, declared) {
        Ok(shown) if shown.writer.is_some() || shown.reader.is_some() => return Some(Way::Who { key }),
        // `rm` would not get past the seats.
        Ok(shown) if !shown.looked_into => return None,
        // No message, but the text of another struct.
        Ok(shown) if shown.suspicion().is_some() => None,
        Ok(shown) => shown.messages,
        Err(Error::ForeignSeats { .. } | Error::OtherVersion { .. }) => return None,
        Err(Error::Permission { object: Object::Segment, .. }) if is_blank(&row) => Some(0),
        Err(_) => None,
    };
    let trust = look::needs_trust(row.uid, row.creator_uid);
    Some(match unread {
        Some(messages @ 1..) => Way::Read { key, messages, trust },
        unread => Way::Remove { key, force: unread.is_none() },
    })
}

/// Whether it is a slot in which nobody has ever been, so that nothing waits, though it may not be read.
pub(super) fn is_blank(row: &SegmentRow) -> bool {
    look::is_slot(row.size) && proc::was_attached(row.id).is_ok_and(|was| !was)
}

/// Whether this user may remove it: no mode lets others do that.
pub(super) fn may_remove(row: &SegmentRow) -> bool {
    let me = nix::unistd::geteuid();
    me.is_root() || [row.uid, row.creator_uid].contains(&me.as_raw())
}

fn at(key: u32) -> Option<Key> {
    Key::new(key).ok()
}

fn is_mine(key: u32) -> bool {
    proc::segment_at(key).ok().flatten().is_some_and(|row| row.uid == nix::unistd::geteuid().as_raw())
}

/// The command that removes the semaphore set at the key of the seats, if this user may.
pub(super) fn remove_seats(key: Key) -> Option<String> {
    remove_set(key.seats())
}

fn remove_set(seats: u32) -> Option<String> {
    let me = nix::unistd::geteuid();
    let row = proc::sets().ok()?.into_iter().find(|row| row.key == seats)?;
    (me.is_root() || row.uid == me.as_raw()).then(|| format!("ipcrm -S {}", Ipcs(seats)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sysv::Segment;

    /// `rm` fails while it holds the creation lock, for which an observer waits.
    #[test]
    fn a_failure_is_made_without_a_look_at_the_key() {
        let key = Key::new(std::process::id() << 8 | 63).unwrap();
        // SAFETY: no memory is involved.
        let id = unsafe { libc::shmget(key.number().cast_signed(), 5000, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
        assert!(id >= 0, "{}", std::io::Error::last_os_error());
        let failure = Failure::from(Error::NotAChannel { key: key.number(), why: String::new(), looks_like: None });
        let was_attached = proc::was_attached(id);
        Segment::open(key).unwrap().remove().unwrap();
        assert!(!was_attached.unwrap(), "{failure:?}");
    }
}
