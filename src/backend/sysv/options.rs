//! What a side asks for.

use super::key::Key;
use super::recognise::{self, Want};
use super::seats::Lock;
use super::segment::Segment;
use super::stat::Stat;
use crate::backend::memory::mapped::Mapped;
use crate::backend::memory::offsets::ring;
use crate::error::{Error, Layout, Object};

/// Where to meet, and on what terms.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, Layout, sysv::{Key, Options, SysV}}};
/// # let key = Key::new(std::process::id() << 8 | 1)?;
/// let options = Options::slot(key).mode(0o640);
/// let guest = SysV::open(&options, Role::Guest)?;
/// guest.segment().remove()?;
/// assert_eq!((guest.layout(), guest.segment().stat()?.mode), (Layout::Slot, 0o640));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub(super) key: Key,
    pub(super) want: Want,
    pub(super) mode: u32,
    pub(super) trust_owner: bool,
}

impl Options {
    /// At `key`, a classic slot, as the tutorial's C programs use it; what has to
    /// be made is made with mode 0600, and what belongs to another user is refused.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, Layout, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 2)?;
    /// let guest = SysV::open(&Options::slot(key), Role::Guest)?;
    /// guest.segment().remove()?;
    /// assert_eq!((guest.layout(), guest.segment().stat()?.mode), (Layout::Slot, 0o600));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn slot(key: Key) -> Self {
        Self { key, want: Want::Classic, mode: 0o600, trust_owner: false }
    }

    /// At `key`, whatever is there; where nothing is, a classic slot is made.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 3)?;
    /// let ring = SysV::open(&Options::ring(key, 64 << 10)?, Role::Guest)?;
    /// let same = SysV::open(&Options::any(key), Role::Guest)?;
    /// ring.segment().remove()?;
    /// assert_eq!(same.layout(), ring.layout());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn any(key: Key) -> Self {
        Self { want: Want::Any, ..Self::slot(key) }
    }

    /// At `key`, a ring with `capacity` bytes for records: a power of two from
    /// 64 KiB to 1 GiB. Twice the second-level cache and more is what makes large
    /// messages fast.
    ///
    /// # Errors
    /// [`Error::BadCapacity`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Error, Role, backend::{Backend, Layout, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 4)?;
    /// let ring = SysV::open(&Options::ring(key, 64 << 10)?, Role::Guest)?;
    /// ring.segment().remove()?;
    /// assert_eq!(ring.layout(), Layout::Ring { capacity: 65_536 });
    /// assert_eq!(Options::ring(key, 100_000).unwrap_err(), Error::BadCapacity { given: 100_000 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ring(key: Key, capacity: usize) -> Result<Self, Error> {
        if !ring::is_capacity(capacity) {
            return Err(Error::BadCapacity { given: capacity });
        }
        Ok(Self { want: Want::Ring { capacity, exactly: true }, ..Self::slot(key) })
    }

    /// At `key`, a ring of whatever capacity is there; where nothing is, one of 2 MiB
    /// is made.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, Layout, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 5)?;
    /// let ring = SysV::open(&Options::any_ring(key), Role::Guest)?;
    /// ring.segment().remove()?;
    /// assert_eq!(ring.layout(), Layout::Ring { capacity: 2 << 20 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn any_ring(key: Key) -> Self {
        Self { want: Want::Ring { capacity: ring::DEFAULT, exactly: false }, ..Self::slot(key) }
    }

    /// Permission bits of what has to be made.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 6)?;
    /// let guest = SysV::open(&Options::slot(key).mode(0o666), Role::Guest)?;
    /// guest.segment().remove()?;
    /// assert_eq!(guest.segment().stat()?.mode, 0o666, "no umask");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whether to accept what belongs to another user.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, sysv::{Key, Options, SysV}}};
    /// # let key = Key::new(std::process::id() << 8 | 7)?;
    /// let guest = SysV::open(&Options::slot(key).trust_owner(true), Role::Guest)?;
    /// guest.segment().remove()?;
    /// let stat = guest.segment().stat()?;
    /// assert_eq!(stat.uid, stat.creator_uid, "this one is our own");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn trust_owner(self, trust_owner: bool) -> Self {
        Self { trust_owner, ..self }
    }

    pub(super) fn check(&self, stat: &Stat) -> Result<(), Error> {
        let me = nix::unistd::geteuid().as_raw();
        let layout = recognise::by_size(self.key, stat)?;
        // An owner can name another one and stay the creator, who may do all.
        if !self.trust_owner && (stat.uid != me || stat.creator_uid != me) {
            return Err(Error::OtherOwner {
                key: self.key.number(),
                object: Object::Segment,
                uid: stat.uid,
                creator: stat.creator_uid,
            });
        }
        // Before a seat is taken: a writer that is refused must not count as one that
        // failed, which would end the reader that is there.
        self.want.accept(self.key, layout)
    }

    /// `lock`: nobody else of ours makes or judges memory at the key meanwhile.
    pub(super) fn attach(&self, lock: Option<&Lock>) -> Result<(Segment, Mapped<'static>), Error> {
        let (segment, made) = Segment::open_or_create(self.key, self.want.size(), self.mode)?;
        let layout = if made {
            if let Layout::Ring { capacity } = self.want.layout() {
                recognise::make_ring(&segment, capacity);
            }
            self.want.layout()
        } else {
            let stat = segment.stat()?;
            self.check(&stat)?;
            recognise::recognise(&segment, &stat, lock)?
        };
        // SAFETY: `SysV` has the two together, replaces them together, and lends views for no longer than
        // itself.
        let views = unsafe { segment.views_unbound(layout) };
        Ok((segment, views))
    }
}
