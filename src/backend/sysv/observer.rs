//! A tool that looks, and changes nothing: attached for reading alone.
//!
//! Where a side of ours waits for a C program, it judges by the count of attachments. So an
//! observer marks itself in the seats' set before it attaches, and takes the mark back when it has
//! detached. One that may not mark itself there does not attach.

use super::kernel::removes_unattached;
use super::kernel::rows::Stat;
use super::key::Key;
use super::lock::LOCKED;
use super::mark::Mark;
use super::recognise;
use super::seats::{self, Seats};
use super::segment::{self, Segment};
use super::set::{Met, Set};
use super::taken::ATTEMPTS;
use super::want::Plan;
use super::wish::Wish;
use crate::backend::memory::header::{self, Said};
use crate::backend::memory::mapped::Mapped;
use crate::backend::memory::slot::{AnySlot, EMPTY};
use crate::backend::{DeclaredView, Layout, RingView, SlotView};
use crate::declare::Declared;
use crate::error::Error;
use std::ffi::c_int;

/// What is at a key. An observer takes no seat, and is attached for reading alone, so that
/// the sides are as safe from it as can be.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let writer = Writer::<SysV>::open(&Options::slot(key))?;
/// let observer = Observer::open(key)?;
/// writer.backend().segment().remove()?;
/// assert_eq!((observer.layout(), observer.id()), (Layout::Slot, writer.backend().segment().id()));
/// assert_eq!(observer.stat().attached, 2, "the writer and the observer");
/// let seats = observer.seats().expect("the writer has one");
/// assert_eq!((seats.writer, seats.reader, seats.writer_failed), (Some(std::process::id()), None, false));
/// assert!(observer.is_attached() && !observer.hides_seats(), "this user may look at both");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Observer {
    // Fields are dropped in this order: detached first, then the mark.
    segment: Option<Segment>,
    _mark: Option<Mark>,
    id: i32,
    stat: Stat,
    plan: Plan,
    /// By a ring's header.
    said: Option<Said>,
    seats: Option<Seats>,
    seats_hidden: bool,
}

/// What an observer may do.
enum Leave {
    /// Attach: nobody of ours is there, or knows of us.
    Attach(Option<Mark>),
    /// Not attach: the set may not be altered, or its lock is held for long, or our detaching would remove the
    /// memory.
    LookFromOutside,
}

/// For the segment with this id, and no other that comes to the key meanwhile.
fn ask_leave(key: Key, id: c_int) -> Result<Leave, Error> {
    // Where memory goes with its last attachment, ours would be that of a segment that its maker is about to attach.
    if removes_unattached() && segment::stat_of(id, key)?.attached == 0 {
        return Ok(Leave::LookFromOutside);
    }
    for _ in 0..ATTEMPTS {
        // (A side that comes to a key without a set while we look at it meets us in one status check; it takes two.)
        match Set::find(key).and_then(|set| set.map(|set| Mark::set(set, LOCKED)).transpose()) {
            Ok(mark) => return Ok(Leave::Attach(mark)),
            Err(Met::Gone) => {}
            Err(Met::Busy | Met::Failed(Error::Permission { .. })) => break,
            Err(Met::Failed(error)) => return Err(error),
        }
    }
    Ok(Leave::LookFromOutside)
}

impl Observer {
    /// Looks at `key`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Permission`] if it may not be read,
    /// [`Error::NotAChannel`], [`Error::ForeignSeats`], [`Error::Os`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// assert_eq!(Observer::open(key).unwrap_err(), Error::Missing { key: key.number() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(key: Key) -> Result<Self, Error> {
        Self::open_as(key, None)
    }

    /// Looks at a slot at `key` that `declared` describes.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::OtherLayout`] if the segment has another size.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let declared = "struct { int ready; short pair[2]; }".parse()?;
    /// let writer = Writer::<SysV>::open(&Options::declared(key, &declared))?;
    /// let observer = Observer::open_declared(key, &declared)?;
    /// writer.backend().segment().remove()?;
    /// assert_eq!((observer.layout(), observer.flag(), observer.record()), (Layout::Declared, Some(0), Some(vec![0; 4])));
    /// assert_eq!((observer.is_full(), observer.reply()), (Some(false), None), "nothing waits, and nothing can be answered");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_declared(key: Key, declared: &Declared) -> Result<Self, Error> {
        let wish = Wish::of(declared);
        Self::open_as(key.with_slot_at(wish.geometry.at()), Some(wish))
    }

    fn open_as(key: Key, wish: Option<&'static Wish>) -> Result<Self, Error> {
        for _ in 0..ATTEMPTS {
            match Self::try_open(key, wish) {
                // Between two steps of the look: there is nothing now, or what came next.
                Err(Error::Removed { .. }) => {}
                opened => return opened,
            }
        }
        Err(Error::Removed { key: key.number() })
    }

    fn try_open(key: Key, wish: Option<&'static Wish>) -> Result<Self, Error> {
        let (seats, seats_hidden) = match seats::observe(key) {
            Err(Error::Permission { .. }) => (None, true),
            observed => (observed?, false),
        };
        let id = Self::find(key)?;
        match ask_leave(key, id)? {
            Leave::Attach(mark) => Self::attach(id, key, mark, seats, wish),
            Leave::LookFromOutside => {
                let stat = segment::stat_of(id, key)?;
                let plan = match wish {
                    Some(wish) => recognise::fits(key, &stat, wish).map(|()| Plan::Declared(wish))?,
                    None => recognise::by_size(key, &stat)?.into(),
                };
                Ok(Self { segment: None, _mark: None, id, stat, plan, said: None, seats, seats_hidden })
            }
        }
    }

    /// Where nobody of ours can be: without a mark, and without seats.
    pub(super) fn open_claimed(key: Key, declared: Option<&Declared>) -> Result<Self, Error> {
        Self::attach(Self::find(key)?, key, None, None, declared.map(Wish::of))
    }

    fn find(key: Key) -> Result<c_int, Error> {
        Segment::find(key)?.ok_or(Error::Missing { key: key.number() })
    }

    fn attach(
        id: c_int,
        key: Key,
        mut mark: Option<Mark>,
        seats: Option<Seats>,
        wish: Option<&'static Wish>,
    ) -> Result<Self, Error> {
        let segment = Segment::attach_read_only(id, key)?;
        mark.as_mut().map(Mark::attached);
        let stat = segment.stat()?;
        let (plan, said) = if let Some(wish) = wish {
            recognise::is_declared(&segment, &stat, wish, None)?;
            (Plan::Declared(wish), None)
        } else {
            let (layout, said) = recognise::recognise(&segment, &stat, None, 0)?;
            (layout.into(), said)
        };
        Ok(Self { id: segment.id(), segment: Some(segment), _mark: mark, stat, plan, said, seats, seats_hidden: false })
    }

    /// Its layout.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.plan.layout()
    }

    /// What tells a ring from all others, as [`SysV::stream`](super::SysV::stream) says it. `None`: a slot, or it is not attached.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let writer = Writer::<SysV>::open(&Options::any_ring(key).schema(7))?;
    /// let observer = Observer::open(key)?;
    /// writer.backend().segment().remove()?;
    /// assert_eq!((observer.stream(), observer.schema()), (writer.backend().stream(), Some(7)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stream(&self) -> Option<u64> {
        self.said.map(|said| said.stream)
    }

    /// The [schema](super::Options::schema) of a ring's messages, if its maker has told one.
    #[must_use]
    pub fn schema(&self) -> Option<u64> {
        self.said.map(|said| said.schema).filter(|schema| *schema != 0)
    }

    /// Its id, as `ipcs` shows it.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// What the kernel says of it, this observer's own attachment included if it
    /// [`is_attached`](Self::is_attached).
    #[must_use]
    pub fn stat(&self) -> &Stat {
        &self.stat
    }

    /// Who is seated; `None`: there are no seats, so nobody of ours, unless they are
    /// [hidden](Self::hides_seats).
    #[must_use]
    pub fn seats(&self) -> Option<Seats> {
        self.seats
    }

    /// Whether there are seats that this user may not look at: who is seated can't be told.
    #[must_use]
    pub fn hides_seats(&self) -> bool {
        self.seats_hidden
    }

    /// Whether it could attach, and so see the content: a user who may not alter the seats' set does not.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.segment.is_some()
    }

    /// The flag of a slot; `None`: it is not to be seen.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let options = Options::slot(key);
    /// let (reader, mut writer) = (Reader::<SysV>::open(&options)?, Writer::<SysV>::open(&options)?);
    /// let observer = Observer::open(key)?;
    /// assert_eq!(observer.flag(), Some(0), "nothing waits");
    /// writer.send(b"hello\n")?;
    /// assert_eq!((observer.flag(), observer.text().as_deref()), (Some(1), Some(&b"hello\n"[..])));
    /// reader.backend().segment().remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn flag(&self) -> Option<u32> {
        match self.declared() {
            Some(slot) => Some(header::get_flag(slot.flag())),
            None => Some(header::get(self.slot()?.flag)),
        }
    }

    /// Whether a message lies in a slot; `None`: it is not to be seen.
    #[must_use]
    pub fn is_full(&self) -> Option<bool> {
        let flag = self.flag()?;
        Some(self.declared().map_or(flag != EMPTY, |slot| slot.is_full(flag)))
    }

    /// The text of a classic slot, up to its NUL; `None`: it is not to be seen.
    #[must_use]
    pub fn text(&self) -> Option<Vec<u8>> {
        let slot = self.slot()?;
        let mut text = vec![0; slot.text.len()];
        let len = slot.text.read_text(&mut text);
        text.truncate(len.unwrap_or(text.len()));
        Some(text)
    }

    /// What lies in a declared slot: its text, or its record; `None`: it is not to be seen.
    #[must_use]
    pub fn record(&self) -> Option<Vec<u8>> {
        let slot = self.declared()?;
        let mut record = vec![0; slot.longest()];
        let len = slot.read(&mut record).unwrap_or(record.len());
        record.truncate(len);
        Some(record)
    }

    /// What lies where the reader may answer; `None`: it is not to be seen, or nothing can be answered.
    #[must_use]
    pub fn reply(&self) -> Option<Vec<u8>> {
        let slot = self.declared()?;
        let mut reply = vec![0; slot.reply_len()];
        slot.read_reply(&mut reply);
        (!reply.is_empty()).then_some(reply)
    }

    /// What lies there, to be loaded from and nothing else.
    fn views(&self) -> Option<Mapped<'_>> {
        Some(self.segment.as_ref()?.views(self.plan.shape()))
    }

    fn declared(&self) -> Option<DeclaredView<'_>> {
        self.views()?.declared
    }

    fn slot(&self) -> Option<SlotView<'_>> {
        (self.layout() == Layout::Slot).then(|| self.views().map(|views| views.slot))?
    }

    /// The places of a ring, to be loaded from and nothing else.
    pub(crate) fn ring(&self) -> Option<RingView<'_>> {
        self.views()?.ring
    }
}
