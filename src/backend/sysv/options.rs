//! What a side asks for.

use super::kernel::geteuid;
use super::kernel::rows::Stat;
use super::key::Key;
use super::recognise::{self, Want};
use super::seats::Lock;
use super::segment::Segment;
use crate::backend::Wanted;
use crate::backend::memory::mapped::Mapped;
use crate::backend::memory::offsets::ring;
use crate::error::{Error, Layout, Object};

/// Where to meet, and on what terms. The side that comes first makes the segment, with mode 0600 unless
/// [`mode`](Self::mode) says otherwise; what belongs to another user is refused unless
/// [`trust_owner`](Self::trust_owner) says otherwise.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let options = Options::any_ring(key).mode(0o640).trust_owner(true);
/// let reader = Reader::<SysV>::open(&options)?;
/// let same = Writer::<SysV>::open(&Options::any(key))?;
/// assert_eq!(same.backend().layout(), Layout::Ring { capacity: 2 << 20 });
/// let segment = reader.backend().segment();
/// segment.remove()?;
/// assert_eq!(segment.stat()?.mode, 0o640, "no umask");
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
    /// At `key`, a classic slot, as C programs of the tutorial use it.
    #[must_use]
    pub fn slot(key: Key) -> Self {
        Self { key, want: Want::Classic, mode: 0o600, trust_owner: false }
    }

    /// At `key`, whatever is there; where nothing is, a classic slot is made.
    #[must_use]
    pub fn any(key: Key) -> Self {
        Self { want: Want::Any, ..Self::slot(key) }
    }

    /// At `key`, a ring with `capacity` bytes for records: a power of two from
    /// 64 KiB to 1 GiB. Twice the second-level cache and more makes large messages fast.
    ///
    /// # Errors
    /// [`Error::BadCapacity`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let ring = Writer::<SysV>::open(&Options::ring(key, 64 << 10)?)?;
    /// ring.backend().segment().remove()?;
    /// assert_eq!(ring.backend().layout(), Layout::Ring { capacity: 65_536 });
    /// assert_eq!(Options::ring(key, 100_000).unwrap_err(), Error::BadCapacity { given: 100_000 });
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
    #[must_use]
    pub fn any_ring(key: Key) -> Self {
        Self { want: Want::Ring { capacity: ring::DEFAULT, exactly: false }, ..Self::slot(key) }
    }

    /// Permission bits of what has to be made.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whether to accept what belongs to another user.
    #[must_use]
    pub fn trust_owner(self, trust_owner: bool) -> Self {
        Self { trust_owner, ..self }
    }

    /// Of a side that can use `wanted` alone: what it makes, where nothing is, is that.
    pub(super) fn narrowed(self, wanted: Option<Wanted>) -> Self {
        let want = match (self.want, wanted) {
            (Want::Any, Some(Wanted::Slot)) => Want::Classic,
            (Want::Any, Some(Wanted::Ring)) => Want::Ring { capacity: ring::DEFAULT, exactly: false },
            (want, _) => want,
        };
        Self { want, ..self }
    }

    pub(super) fn check(&self, stat: &Stat) -> Result<(), Error> {
        let me = geteuid();
        let layout = recognise::by_size(self.key, stat)?;
        // An owner can name another one and stay the creator: a creator may do all.
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

    fn judge(&self, segment: &Segment, lock: Option<&Lock>) -> Result<Layout, Error> {
        let stat = segment.stat()?;
        self.check(&stat)?;
        recognise::recognise(segment, &stat, lock)
    }

    /// `lock`: nobody else of ours makes or judges memory at the key meanwhile.
    pub(super) fn attach(&self, lock: Option<&Lock>) -> Result<(Segment, Mapped<'static>), Error> {
        let (segment, layout) = loop {
            let (segment, made) = Segment::open_or_create(self.key, self.want.size(), self.mode)?;
            if made {
                if let Layout::Ring { capacity } = self.want.layout() {
                    recognise::make_ring(&segment, capacity);
                }
                break (segment, self.want.layout());
            }
            match self.judge(&segment, lock) {
                Ok(layout) => break (segment, layout),
                // It was removed while we judged it: what is at the key now is what counts.
                Err(_) if !segment.is_current()? => {}
                Err(error) => return Err(error),
            }
        };
        // SAFETY: `SysV` has the two together, replaces them together, and lends views for no longer than
        // itself.
        let views = unsafe { segment.views_unbound(layout) };
        Ok((segment, views))
    }
}
