//! Somebody who looks, and changes nothing: attached for reading alone.

use super::key::Key;
use super::recognise;
use super::seats::{self, Seats};
use super::segment::{Segment, Stat};
use crate::backend::layout::CLASSIC;
use crate::backend::{Kind, Ring};
use crate::error::Error;
use crate::sync::as_the_maker;

/// What is at a key. Takes no seat, and is attached for reading alone, so that
/// whoever it looks at is as safe from it as can be.
///
/// ```no_run
/// # #[cfg(not(model))] {
/// use shm_handoff::backend::sysv::{Key, Observer};
/// let observer = Observer::open(Key::new(1234)?)?;
/// println!("{:?}, {} attached", observer.kind(), observer.stat().attached - 1);
/// # }
/// # Ok::<(), shm_handoff::Error>(())
/// ```
#[derive(Debug)]
pub struct Observer {
    segment: Segment,
    stat: Stat,
    kind: Kind,
    seats: Option<Seats>,
}

impl Observer {
    /// Looks at `key`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Permission`] if it may not be read,
    /// [`Error::NotAChannel`], [`Error::ForeignSeats`], [`Error::Os`].
    pub fn open(key: Key) -> Result<Self, Error> {
        let seats = seats::observe(key)?;
        let segment = Segment::open_read_only(key)?;
        let stat = segment.stat()?;
        let kind = recognise::recognise(&segment, &stat, false)?;
        Ok(Self { segment, stat, kind, seats })
    }

    /// Its layout.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id, as `ipcs` shows it.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.segment.id()
    }

    /// What the kernel says of it, this observer's own attachment included.
    #[must_use]
    pub fn stat(&self) -> &Stat {
        &self.stat
    }

    /// Who is seated; `None`: there are no seats, so nobody of ours.
    #[must_use]
    pub fn seats(&self) -> Option<Seats> {
        self.seats
    }

    /// The flag of a classic slot.
    #[must_use]
    pub fn flag(&self) -> u32 {
        as_the_maker::peek(self.segment.word(CLASSIC.flag_at))
    }

    /// The text of a classic slot, up to its NUL.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut text = vec![0; CLASSIC.text_len];
        let len = self.segment.payload(CLASSIC.text_at, CLASSIC.text_len).read_text(&mut text);
        text.truncate(len.unwrap_or(CLASSIC.text_len));
        text
    }

    /// The places of a ring, to be loaded from and nothing else.
    pub(crate) fn ring(&self) -> Option<Ring<'_>> {
        match self.kind {
            Kind::Ring { capacity } => Some(self.segment.ring(capacity)),
            Kind::Classic => None,
        }
    }
}
