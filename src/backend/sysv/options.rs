//! The options with which a side opens a channel.

use super::SysV;
use super::comer::{self, Told};
use super::kernel::geteuid;
use super::kernel::rows::Stat;
use super::key::Key;
use super::lock::{self, Lock};
use super::recognise;
use super::segment::Segment;
use super::want::{Plan, Want};
use super::wish::Wish;
use crate::backend::memory::header::{self, Said};
use crate::backend::memory::mapped::Mapped;
use crate::backend::memory::offsets::{SLOT, ring};
use crate::backend::memory::slot::EMPTY;
use crate::backend::{PeerStatus, Wanted};
use crate::declare::Declared;
use crate::error::{Error, Layout, Object, Role};
use crate::schema::Schema;

/// The key of a channel, its layout and its permissions. The side that comes first makes the segment, with mode 0600
/// unless [`mode`](Self::mode) says otherwise. A segment of another user is refused unless
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
    /// The schema of a ring's messages; 0 means none.
    pub(super) schema: u64,
    pub(super) watched: Option<Watched>,
    /// Its text, for an error.
    pub(super) schema_text: Option<&'static str>,
}

/// Is told what each status check has seen; without a status the side has moved to other memory.
pub(crate) type Watched = fn(&SysV, Option<PeerStatus>);

impl Options {
    /// At `key`, a classic slot, as C programs of the tutorial use it.
    #[must_use]
    pub fn slot(key: Key) -> Self {
        Self { key, want: Want::Classic, mode: 0o600, trust_owner: false, schema: 0, schema_text: None, watched: None }
    }

    /// At `key`, the layout that is there. If there is no segment, a classic slot is made.
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

    /// At `key`, a ring of the capacity that is there. If there is no segment, a ring of 2 MiB
    /// is made.
    #[must_use]
    pub fn any_ring(key: Key) -> Self {
        Self { want: Want::Ring { capacity: ring::DEFAULT, exactly: false }, ..Self::slot(key) }
    }

    /// At `key`, a slot in the struct that `declared` describes. If there is no segment, one of the declared size is made. A
    /// segment that has more than the struct stays when a session ends: the rest is the program's.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let options = Options::declared(key, &"text[1024]".parse()?);
    /// let mut writer = Writer::<SysV>::open(&options)?;
    /// assert_eq!((writer.backend().layout(), writer.capacity()), (Layout::Declared, 1023));
    /// let other = Options::declared(key, &"struct { char text[1024]; int written; }".parse()?);
    /// let error = Reader::<SysV>::open(&other).unwrap_err();
    /// assert!(error.to_string().contains("has declared another layout than"), "{error}");
    /// writer.backend().segment().remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn declared(key: Key, declared: &Declared) -> Self {
        Self { want: Want::declared(declared), ..Self::slot(key) }
    }

    /// Permission bits of a segment or semaphore set that has to be made.
    #[must_use]
    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whether to accept a segment or semaphore set of another user.
    #[must_use]
    pub fn trust_owner(self, trust_owner: bool) -> Self {
        Self { trust_owner, ..self }
    }

    /// The schema of the messages, for a ring: that of a type ([`schema_of`](Self::schema_of)), or any number but 0 that both sides
    /// work out from the type that they send. The ring's header carries that of the side which makes it, and a side with another one is refused. A side
    /// without one, and a ring without one, suit every side. A slot has none, so this has no effect there.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let writer = Writer::<SysV>::open(&Options::any_ring(key).schema(7))?;
    /// let other = Reader::<SysV>::open(&Options::any_ring(key).schema(8)).unwrap_err();
    /// let untyped = Reader::<SysV>::open(&Options::any(key))?;
    /// writer.backend().segment().remove()?;
    /// assert_eq!(other, Error::OtherSchema { key: key.number(), found: 7, wanted: 8, text: None });
    /// assert_eq!(untyped.backend().schema(), Some(7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn schema(self, schema: u64) -> Self {
        Self { schema, schema_text: None, ..self }
    }

    /// The [schema](Self::schema) of `T`, which an error then names beside its number.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// #[repr(C)]
    /// struct Tick { time: u64, bid: f64, ask: f64 }
    /// shm_handoff::schema!(struct Tick { time: u64, bid: f64, ask: f64 });
    /// let older = Writer::<SysV>::open(&Options::any_ring(key).schema(7))?;
    /// let refused = Reader::<SysV>::open(&Options::any_ring(key).schema_of::<Tick>()).unwrap_err();
    /// older.backend().segment().remove()?;
    /// assert!(refused.to_string().ends_with("was asked for, that of Tick/24{time:u64@0,bid:f64@8,ask:f64@16}"), "{refused}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn schema_of<T: Schema>(self) -> Self {
        Self { schema: T::SCHEMA, schema_text: Some(T::TEXT), ..self }
    }

    /// What each status check sees goes to `by`, too.
    #[cfg(all(feature = "cli", not(model)))]
    pub(crate) fn watched(self, by: Watched) -> Self {
        Self { watched: Some(by), ..self }
    }

    /// Of a side that can use `wanted` alone: what it makes, where nothing is, is that.
    pub(super) fn narrowed(&self, wanted: Option<Wanted>) -> Self {
        Self { want: self.want.narrowed(wanted), ..*self }
    }

    /// The key of the seats.
    pub(super) fn seats(&self) -> Key {
        self.key.with_slot_at(self.want.plan().at())
    }

    /// Before a seat is taken: a writer that is refused must not count as one that failed, which would end the
    /// reader that is there.
    pub(super) fn check_first(&self, stat: &Stat, role: Role) -> Result<(), Error> {
        match self.check(stat) {
            Err(Error::OtherLayout { .. }) if self.may_replace(stat) && comer::may_replace(self.key, role) => Ok(()),
            // It looks like nothing of ours, and a side that is there says what it is.
            Err(not_ours @ Error::NotAChannel { .. }) => match comer::told_at(self.key) {
                Some(Told { pid: Some(pid), .. }) => {
                    let wanted = (self.want != Want::Any).then(|| self.want.to_string());
                    Err(Error::OtherDeclared { key: self.key.number(), wanted, pid })
                }
                _ => Err(not_ours),
            },
            checked => checked,
        }
    }

    fn check(&self, stat: &Stat) -> Result<(), Error> {
        let me = geteuid();
        // An owner can name another one and stay the creator: a creator may do all.
        let is_owned = || {
            if self.trust_owner || (stat.uid == me && stat.creator_uid == me) {
                return Ok(());
            }
            Err(Error::OtherOwner {
                key: self.key.number(),
                object: Object::Segment,
                uid: stat.uid,
                creator: stat.creator_uid,
            })
        };
        if let Want::Declared(wish) = self.want {
            recognise::fits(self.key, stat, wish)?;
            return is_owned();
        }
        let layout = recognise::by_size(self.key, stat)?;
        is_owned()?;
        self.want.accept(self.key, layout)
    }

    /// The same of a ring's schema, for which it is looked into: nobody judges by the count of those attached there.
    pub(super) fn check_schema(&self, stat: &Stat) -> Result<(), Error> {
        if self.schema == 0 || !matches!(recognise::by_size(self.key, stat), Ok(Layout::Ring { .. })) {
            return Ok(());
        }
        let Some(id) = Segment::find(self.key)? else { return Ok(()) };
        // What is in the way of this look, the way in meets as well, and names.
        let said = Segment::attach_read_only(id, self.key).ok().and_then(|segment| recognise::said(&segment));
        self.suits(said)
    }

    /// Whether a ring's messages are of this side's type, as far as both have told one.
    fn suits(&self, said: Option<Said>) -> Result<(), Error> {
        match said {
            Some(Said { schema, .. }) if self.schema != 0 && ![0, self.schema].contains(&schema) => {
                Err(Error::OtherSchema {
                    key: self.key.number(),
                    found: schema,
                    wanted: self.schema,
                    text: self.schema_text,
                })
            }
            _ => Ok(()),
        }
    }

    /// What a side that asks for no layout takes from the other one, where a declared layout is told that the segment can
    /// have.
    pub(super) fn adopting(&self, stat: &Stat, told: Option<Told>) -> Self {
        let wish = if self.want == Want::Any { told.and_then(|told| Wish::guess(stat.size, told.hash)) } else { None };
        wish.map_or(*self, |wish| Self { want: Want::Declared(wish), ..*self })
    }

    /// What the segment is, and what a ring says of itself.
    fn judge(&self, segment: &Segment, lock: Option<&Lock>) -> Result<(Plan, Option<Said>), Error> {
        let stat = segment.stat()?;
        let told = if self.want == Want::Any { lock.and_then(Lock::told) } else { None };
        let adopting = self.adopting(&stat, told);
        if let (Want::Any, Some(Told { pid: Some(pid), .. })) = (adopting.want, told)
            && stat.attached > 1
        {
            // The other side is attached, and what it has declared can't be told from outside.
            return Err(Error::OtherDeclared { key: self.key.number(), wanted: None, pid });
        }
        adopting.check(&stat)?;
        if let Want::Declared(wish) = adopting.want {
            recognise::is_declared(segment, &stat, wish, lock)?;
            return Ok((adopting.want.plan(), None));
        }
        let (layout, said) = recognise::recognise(segment, &stat, lock, self.schema)?;
        self.suits(said)?;
        Ok((layout.into(), said))
    }

    /// `lock`: nobody else of ours makes or judges memory at the key meanwhile.
    pub(super) fn attach(&self, lock: Option<&Lock>) -> Result<Attached, Error> {
        let at = self.want.plan().at();
        if at == 0 {
            return self.attach_locked(lock);
        }
        // Whoever makes the segment does so under the lock of its first slot.
        lock::locked_at(self.key, self.mode, self.trust_owner, || self.attach_locked(lock))
    }

    fn attach_locked(&self, lock: Option<&Lock>) -> Result<Attached, Error> {
        let mut has_replaced = false;
        let (segment, plan, made, said) = loop {
            let (segment, made) = Segment::open_or_create(self.key, self.want.size(), self.mode)?;
            if made {
                let plan = self.want.plan();
                let said = match plan {
                    Plan::Slot => None,
                    Plan::Ring { capacity } => Some(recognise::make_ring(&segment, capacity, self.schema)),
                    Plan::Declared(wish) => {
                        recognise::make_empty(&segment, wish);
                        None
                    }
                };
                break (segment, plan, made, said);
            }
            match self.judge(&segment, lock) {
                Ok((plan, said)) => break (segment, plan, made, said),
                // It was removed while we judged it: what is at the key now is what counts.
                Err(_) if !segment.is_current()? => {}
                Err(Error::OtherLayout { .. }) if !has_replaced && self.replaces(&segment, lock)? => {
                    has_replaced = true;
                }
                Err(error) => return Err(error),
            }
        };
        // SAFETY: `Attached`, and then `SysV`, has the two together, replaces them together, and lends views for no longer
        // than itself.
        let views = unsafe { segment.views_unbound(plan.shape()) };
        Ok(Attached { views, segment, plan, said, made })
    }

    /// Whether a slot that the other side has made can be replaced by what this side asks for.
    fn may_replace(&self, stat: &Stat) -> bool {
        let asks = match self.want {
            Want::Ring { .. } => true,
            // The other side has to find out what it moves to.
            Want::Declared(wish) => {
                wish.geometry.at() == 0 && Wish::guess(wish.geometry.size(), wish.geometry.hash()) == Some(wish)
            }
            Want::Classic | Want::Any => false,
        };
        asks && stat.size == SLOT.size
    }

    /// Removes a slot that the other side has made without asking for one, if nothing lies there and no C program is
    /// attached. (What the other side publishes meanwhile, it sends again.)
    fn replaces(&self, segment: &Segment, lock: Option<&Lock>) -> Result<bool, Error> {
        let Some(lock) = lock else { return Ok(false) };
        if !self.may_replace(&segment.stat()?) || !lock.may_replace() {
            return Ok(false);
        }
        let both = 2;
        if segment.stat()?.attached != both || header::get(segment.word(SLOT.flag_at)) != EMPTY {
            return Ok(false);
        }
        lock.begin_move()?;
        segment.remove()?;
        Ok(true)
    }
}

/// What was attached, and what it was taken for.
#[derive(Debug)]
pub(super) struct Attached {
    // Fields are dropped in this order: no view outlives what it shows.
    pub(super) views: Mapped<'static>,
    pub(super) segment: Segment,
    pub(super) plan: Plan,
    /// By a ring's header.
    pub(super) said: Option<Said>,
    /// By this side, just now.
    pub(super) made: bool,
}
