//! What the tools show of a key: looked at for a moment, for reading alone.

use super::positions::Positions;
use super::suspect;
use crate::backend::memory::offsets::{SLOT, ring as layout};
use crate::backend::sysv::proc::{self, SegmentRow};
use crate::backend::sysv::{Key, Observer, Seats, observe_seats};
use crate::declare::{Declared, FlagType, Size};
use crate::error::{self, Error};
use crate::protocol::ring;
use serde::Serialize;

/// A segment, and what is to be known of it. Fields are added within a schema, never changed.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the names in the JSON")]
pub(super) struct Shown {
    pub(super) key: u32,
    pub(super) id: i32,
    pub(super) layout: Layout,
    pub(super) size: usize,
    pub(super) mode: String,
    pub(super) uid: u32,
    pub(super) owner: String,
    #[serde(skip)]
    pub(super) creator_uid: u32,
    pub(super) creator_pid: u32,
    pub(super) attached: usize,
    pub(super) removed: bool,
    pub(super) writer: Option<Process>,
    pub(super) reader: Option<Process>,
    pub(super) writer_failed: bool,
    /// This user may not look at the seats: who has them is not known.
    pub(super) seats_hidden: bool,
    /// Messages that were sent and not released, and their bytes; none: not to be told.
    pub(super) messages: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// The end of a session waits behind them, which is no message: in a ring, or beside the records of a declared slot.
    pub(super) ended: bool,
    pub(super) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flag: Option<i64>,
    /// Of a declared slot, whose values of the flag are its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) full: Option<bool>,
    /// The declared layout, in the terse form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ring: Option<Positions>,
    /// Its content was looked at, and where `messages` is none, it breaks the layout.
    #[serde(skip)]
    pub(super) looked_into: bool,
    /// The text of a slot, or its record.
    #[serde(skip)]
    pub(super) text: Vec<u8>,
    /// What lies where the reader answers.
    #[serde(skip)]
    pub(super) reply: Vec<u8>,
}

impl Shown {
    /// What makes the flag of a classic slot look like that of another struct, in a sentence.
    pub(super) fn suspicion(&self) -> Option<String> {
        let flag = self.flag.filter(|_| self.layout == Layout::Classic)?;
        u32::try_from(flag).ok().filter(|flag| suspect::is_text(*flag)).map(suspect::in_words)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    Classic,
    Ring,
    Declared,
    /// Neither, whatever its size.
    Foreign,
}

impl Layout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Ring => "ring",
            Self::Declared => "declared",
            Self::Foreign => "foreign",
        }
    }

    /// In a sentence.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Classic => "classic slot",
            Self::Ring => "ring",
            Self::Declared => "declared slot",
            Self::Foreign => "foreign segment",
        }
    }
}

/// What a segment is good for, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Somebody is attached or seated.
    Used,
    /// Nobody is there, and messages wait for a reader.
    Waiting,
    /// Nobody is there, and the end of a session waits for a reader, and nothing else.
    Ended,
    /// Nobody is there, and nothing waits.
    Unused,
    /// Removed, and somebody is still attached.
    Orphan,
    /// Its content is not ours to judge.
    Foreign,
    /// It may not be read.
    Unreadable,
}

impl Status {
    /// All of them: the last one's number says how many there are.
    pub(super) const ALL: [Self; Self::Unreadable as usize + 1] =
        [Self::Used, Self::Waiting, Self::Ended, Self::Unused, Self::Orphan, Self::Foreign, Self::Unreadable];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
            Self::Unused => "unused",
            Self::Orphan => "orphan",
            Self::Foreign => "foreign",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A process in a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Process {
    /// 0: of another pid namespace.
    pub(super) pid: u32,
    pub(super) command: Option<String>,
}

impl Process {
    pub(super) fn new(pid: u32) -> Self {
        let command = (pid != 0).then(|| proc::text(format!("/proc/{pid}/comm")).ok()).flatten();
        // Its owner chose it: it must not make our reader's terminal do things.
        Self { pid, command: command.map(|name| name.trim_end().replace(char::is_control, "?")) }
    }

    /// `1234 shmwrite`.
    pub(super) fn short(&self) -> String {
        match &self.command {
            Some(command) => format!("{} {command}", self.pid),
            None => self.pid.to_string(),
        }
    }

    /// In a sentence.
    pub(super) fn in_words(&self) -> String {
        match self.pid {
            0 => "a process of another pid namespace".to_owned(),
            _ => format!("pid {}", self.short()),
        }
    }
}

/// The name of a user, or the number.
pub(super) fn user(uid: u32) -> String {
    let known = nix::unistd::User::from_uid(uid.into()).ok().flatten();
    known.map_or_else(|| uid.to_string(), |user| user.name)
}

/// Looks at a key; `declared`: at a slot that it describes.
pub(super) fn at(key: Key, declared: Option<&Declared>) -> Result<Shown, Error> {
    let observer = match declared {
        Some(declared) => Observer::open_declared(key, declared)?,
        None => Observer::open(key)?,
    };
    Ok(shown(key, &observer, declared))
}

/// The key for the seats of a slot.
pub(super) fn slot(key: Key, declared: Option<&Declared>) -> Key {
    declared.map_or(key, |declared| key.with_slot_at(declared.at()))
}

/// The flag as a C program would print it.
fn number(of: FlagType, flag: u32) -> i64 {
    let [byte, ..] = flag.to_le_bytes();
    match of {
        FlagType::I32 => flag.cast_signed().into(),
        FlagType::U32 => flag.into(),
        FlagType::I8 => byte.cast_signed().into(),
        FlagType::U8 => byte.into(),
    }
}

/// What the kernel says of a key, as a row of its table would.
pub(super) fn row(key: Key) -> Result<SegmentRow, Error> {
    Ok(row_of(key, &Observer::open(key)?))
}

fn row_of(key: Key, observer: &Observer) -> SegmentRow {
    let stat = observer.stat();
    SegmentRow {
        key: key.number(),
        id: observer.id(),
        mode: stat.mode,
        size: stat.size,
        creator_pid: stat.creator_pid,
        // Without ourselves.
        attached: stat.attached.saturating_sub(observer.is_attached().into()),
        uid: stat.uid,
        creator_uid: stat.creator_uid,
    }
}

/// How many of the attachments at a key can be observers': they are there for a moment, and use nothing.
pub(super) fn observers(key: Key) -> usize {
    observe_seats(key).ok().flatten().map_or(0, |seats| seats.observers.into())
}

/// Whether a segment of this owner and this creator is refused without `--trust-owner`: its owner can
/// name another one and stay the creator: a creator may do all.
pub(super) fn needs_trust(uid: u32, creator_uid: u32) -> bool {
    [uid, creator_uid] != [nix::unistd::geteuid().as_raw(); 2]
}

/// What an observer sees of a key.
pub(super) fn shown(key: Key, observer: &Observer, declared: Option<&Declared>) -> Shown {
    let key = slot(key, declared);
    let row = row_of(key, observer);
    let mut shown = Shown {
        removed: observer.stat().removed,
        looked_into: observer.is_attached(),
        seats_hidden: observer.hides_seats(),
        ..from_row(&row)
    };
    // Other observers had come before this one, or are there beside it.
    let mut observers = observers(key).saturating_sub(1);
    if let Some(Seats { writer, reader, writer_failed, observers: before, ended, .. }) = observer.seats() {
        shown.ended = ended;
        observers = observers.max(before.into());
        shown.writer = writer.map(Process::new);
        shown.reader = reader.map(Process::new);
        shown.writer_failed = writer_failed;
    }
    match observer.layout() {
        error::Layout::Slot => {
            shown.flag = observer.flag().map(i64::from);
            shown.text = observer.text().unwrap_or_default();
            shown.messages = shown.flag.map(|flag| u64::from(flag != 0));
            shown.bytes = shown.flag.map(|flag| if flag == 0 { 0 } else { shown.text.len() as u64 });
        }
        error::Layout::Declared => {
            shown.layout = Layout::Declared;
            let of = declared.map_or(FlagType::U32, |declared| declared.flag().of);
            shown.flag = observer.flag().map(|flag| number(of, flag));
            shown.full = observer.is_full();
            shown.spec = declared.map(Declared::to_string);
            shown.messages = shown.full.map(u64::from);
            shown.text = observer.record().unwrap_or_default();
            shown.reply = observer.reply().unwrap_or_default();
            shown.bytes = shown.messages.map(|messages| messages * shown.text.len() as u64);
        }
        error::Layout::Ring { capacity } => {
            shown.layout = Layout::Ring;
            // A side that is at work can have gone on in the middle of it: once more, then.
            let waiting = observer.ring().and_then(|places| (0..100).find_map(|_| ring::waiting(places).ok()));
            if let Some(waiting) = waiting {
                shown.messages = Some(waiting.messages);
                shown.bytes = Some(waiting.bytes);
                shown.ended = waiting.ended;
                shown.ring = Some(Positions::of(observer, capacity, waiting));
            }
        }
    }
    let is_used = shown.attached > observers || shown.writer.is_some() || shown.reader.is_some();
    shown.status = match shown.messages {
        _ if is_used => Status::Used,
        Some(0) if shown.ended => Status::Ended,
        Some(0) => Status::Unused,
        None if !shown.looked_into => Status::Unreadable,
        _ => Status::Waiting,
    };
    shown
}

/// What a row of `/proc/sysvipc/shm` tells: the layout by its size, and nothing of its content.
pub(super) fn from_row(row: &SegmentRow) -> Shown {
    Shown {
        key: row.key,
        id: row.id,
        layout: by_size(row.size),
        size: row.size,
        mode: format!("{:03o}", row.mode & 0o777),
        uid: row.uid,
        owner: user(row.uid),
        creator_uid: row.creator_uid,
        creator_pid: row.creator_pid,
        attached: row.attached,
        removed: row.is_removed(),
        writer: None,
        reader: None,
        writer_failed: false,
        seats_hidden: false,
        messages: None,
        bytes: None,
        ended: false,
        status: Status::Foreign,
        flag: None,
        full: None,
        spec: None,
        ring: None,
        looked_into: false,
        text: Vec::new(),
        reply: Vec::new(),
    }
}

fn by_size(size: usize) -> Layout {
    let is_ring = size.checked_sub(layout::RECORDS_AT).is_some_and(layout::is_capacity);
    match size {
        _ if size == SLOT.size => Layout::Classic,
        _ if is_ring => Layout::Ring,
        _ => Layout::Foreign,
    }
}

/// Whether it is that of a classic slot.
pub(super) fn is_slot(size: usize) -> bool {
    by_size(size) == Layout::Classic
}

/// Whether a channel can have this size.
pub(super) fn could_be_ours(size: usize) -> bool {
    by_size(size) != Layout::Foreign
}

/// Whether a segment of this size counts as a declared slot; one that may be larger takes no other channel for one.
pub(super) fn is_declared(declared: &Declared, size: usize) -> bool {
    match declared.size() {
        Size::Exactly(bytes) => size == bytes,
        Size::AtLeast(bytes) => size >= bytes && !could_be_ours(size),
    }
}

/// Refuses a segment that is too small or too large for a declared slot.
pub(super) fn fits(declared: &Declared, key: u32, size: usize) -> Result<(), Error> {
    let fits = match declared.size() {
        Size::Exactly(bytes) => size == bytes,
        Size::AtLeast(bytes) => size >= bytes,
    };
    let found = || match by_size(size) {
        Layout::Foreign => format!("a segment of {size} bytes"),
        layout => layout.noun().to_owned(),
    };
    let other = || Error::OtherLayout { key, found: found(), wanted: format!("the layout {declared}"), larger: None };
    if fits { Ok(()) } else { Err(other()) }
}

/// Every segment of this IPC namespace; `declared`: those of its size are such slots.
pub(super) fn everywhere(declared: Option<&Declared>) -> std::io::Result<Vec<Shown>> {
    Ok(proc::segments()?.iter().filter_map(|row| of_row(row, declared)).collect())
}

/// `None`: it has gone meanwhile.
fn of_row(row: &SegmentRow, declared: Option<&Declared>) -> Option<Shown> {
    let declared = declared.filter(|declared| is_declared(declared, row.size));
    let mut told = from_row(row);
    if let Some(declared) = declared {
        told = Shown { layout: Layout::Declared, spec: Some(declared.to_string()), ..told };
    }
    if told.layout == Layout::Foreign {
        return Some(told);
    }
    let Ok(key) = Key::new(row.key) else {
        let status = if row.is_removed() { Status::Orphan } else { Status::Foreign };
        return Some(Shown { status, ..told });
    };
    match at(key, declared) {
        Ok(shown) if shown.id == row.id => Some(shown),
        // A ring of that very size.
        Err(Error::NotAChannel { .. } | Error::OtherLayout { .. }) if declared.is_some() => of_row(row, None),
        Ok(_) | Err(Error::Missing { .. } | Error::Removed { .. }) => None,
        Err(Error::NotAChannel { .. }) => Some(Shown { layout: Layout::Foreign, ..told }),
        Err(Error::ForeignSeats { .. } | Error::OtherVersion { .. }) => Some(told),
        Err(_) => Some(Shown { status: Status::Unreadable, ..told }),
    }
}
