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
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, Kind, sysv::{Key, Observer, Options, SysV}}};
/// # let key = Key::new(std::process::id() << 8 | 11)?;
/// let writer = SysV::open(&Options::classic(key), Role::Writer)?;
/// let observer = Observer::open(key)?;
/// writer.segment().remove()?;
/// assert_eq!(observer.kind(), Kind::Classic);
/// assert_eq!(observer.stat().attached, 2, "the writer and the observer");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Error, backend::sysv::{Key, Observer}};
    /// # let key = Key::new(std::process::id() << 8 | 12)?;
    /// assert_eq!(Observer::open(key).unwrap_err(), Error::Missing { key: key.number() });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(key: Key) -> Result<Self, Error> {
        let seats = seats::observe(key)?;
        let segment = Segment::open_read_only(key)?;
        let stat = segment.stat()?;
        let kind = recognise::recognise(&segment, &stat, false)?;
        Ok(Self { segment, stat, kind, seats })
    }

    /// Its layout.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, Kind, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 13)?;
    /// let ring = SysV::open(&Options::ring(key, 64 << 10)?, Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// ring.segment().remove()?;
    /// assert_eq!(observer.kind(), Kind::Ring { capacity: 65_536 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id, as `ipcs` shows it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 14)?;
    /// let guest = SysV::open(&Options::classic(key), Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// # guest.segment().remove()?;
    /// assert_eq!(observer.id(), guest.segment().id());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> i32 {
        self.segment.id()
    }

    /// What the kernel says of it, this observer's own attachment included.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 15)?;
    /// let guest = SysV::open(&Options::classic(key), Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// # guest.segment().remove()?;
    /// assert_eq!((observer.stat().size, observer.stat().attached), (2052, 2));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stat(&self) -> &Stat {
        &self.stat
    }

    /// Who is seated; `None`: there are no seats, so nobody of ours.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 16)?;
    /// let guest = SysV::open(&Options::classic(key), Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// # guest.segment().remove()?;
    /// assert_eq!(observer.seats(), None, "guests have none");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn seats(&self) -> Option<Seats> {
        self.seats
    }

    /// The flag of a classic slot.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 17)?;
    /// let guest = SysV::open(&Options::classic(key), Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// # guest.segment().remove()?;
    /// assert_eq!(observer.flag(), 0, "nothing waits");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn flag(&self) -> u32 {
        as_the_maker::peek(self.segment.word(CLASSIC.flag_at))
    }

    /// The text of a classic slot, up to its NUL.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Observer, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 18)?;
    /// let guest = SysV::open(&Options::classic(key), Role::Guest)?;
    /// let observer = Observer::open(key)?;
    /// # guest.segment().remove()?;
    /// guest.payload().write_text(b"hello\n");
    /// assert_eq!(observer.text(), b"hello\n");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
