//! Between processes: a System V segment, and seats that the kernel keeps.
//!
//! ```
//! use shm_handoff::{Reader, Writer, backend::sysv::{Key, Options, Segment, SysV}};
//! # let key = shm_handoff::example::key();
//! let options = Options::slot(key);
//! let mut reader = Reader::<SysV>::open(&options)?; // in one process
//! let mut writer = Writer::<SysV>::open(&options)?; // in the other
//! writer.end()?;
//! writer.close()?;
//! assert!(reader.end_session()?);
//! assert_eq!(Segment::stat_at(key)?, None, "nothing is left");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim;
mod comer;
mod errno;
#[cfg(not(model))]
pub(crate) mod features;
mod interrupt;
mod kernel;
mod key;
mod lock;
mod mark;
mod observer;
mod options;
mod recognise;
mod seats;
mod segment;
mod set;
mod taken;
#[cfg(all(test, not(model)))]
mod tests;
mod told;
mod want;
mod wish;
mod words;

pub(crate) use claim::{Claim, beyond_a_look};
#[doc(hidden)]
pub use kernel::Home;
pub(crate) use kernel::proc;
pub use kernel::rows::Stat;
#[cfg(model)]
#[doc(hidden)]
pub use kernel::simulated;
pub use key::{Key, KeySpec};
pub use observer::Observer;
pub use options::Options;
pub use seats::Seats;
pub(crate) use seats::observe as observe_seats;
pub use segment::Segment;
#[cfg_attr(not(feature = "cli"), allow(unused_imports))]
pub(crate) use set::{COUNT as SEMAPHORES, MOST_STEPS};

use super::memory::slot::AnySlot;
use super::{Backend, DeclaredView, Interrupter, PeerStatus, RingView, Sealed, SlotView, Wanted};
use crate::error::{Error, Layout, Role};
use crate::sync::AtomicU32;
use comer::Comer;
use interrupt::Bed;
use options::Attached;
use seats::Seat;
use std::sync::Arc;
use std::time::Duration;
use want::{Plan, Want};

/// How often a status check counts, where a side or an observer comes or goes in the middle of it, before it says
/// that the count means nothing.
const COUNTS: u32 = 10;

/// One process's end of a segment and of the seats at its key. A forked child has no part in it, and opens one of its own.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let writer = Writer::<SysV>::open(&Options::slot(key))?;
/// writer.backend().segment().remove()?;
/// assert_eq!((writer.backend().segment().key(), writer.backend().seats_mode()?), (key, Some(0o600)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SysV {
    // Fields are dropped in this order: detached first, then the seat.
    attached: Attached,
    seat: Option<Seat>,
    options: Options,
    /// Where it sleeps, if another thread may end that.
    bed: Option<Arc<Bed>>,
}

impl SysV {
    /// The attachment.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.attached.segment
    }

    /// Permission bits of the seats' semaphore set; `None`: a guest has no seat, or somebody has
    /// just removed the set.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn seats_mode(&self) -> Result<Option<u32>, Error> {
        self.seat.as_ref().map_or(Ok(None), Seat::mode)
    }
}

impl SysV {
    /// Counts those attached, between two looks at the seats; whether these saw the same.
    fn count(&mut self) -> Result<(PeerStatus, bool), Error> {
        // The seats first: a side that gave one back has detached and released before.
        let seating = self.seat.as_mut().map(Seat::observe).transpose()?;
        let stat = self.segment().stat()?;
        let is_sure = match (&self.seat, seating) {
            // An observer that came or went around the count can be in it and not in the marks.
            (Some(ours), Some(seating)) => ours.is_unchanged(seating.marks)?,
            _ => true,
        };
        let status = PeerStatus {
            peer_seated: seating.is_some_and(|seating| seating.peer_seated),
            writer_failed: seating.is_some_and(|seating| seating.writer_failed),
            attached: stat.attached,
            observers: seating.map_or(0, |seating| seating.marks.observers.into()),
            removed: stat.removed || !self.segment().is_current()?,
            reseated: seating.is_some_and(|seating| seating.reseated),
            ended: seating.is_some_and(|seating| seating.ended),
        };
        Ok((status, is_sure))
    }
}

impl SysV {
    fn count_surely(&mut self) -> Result<PeerStatus, Error> {
        let (mut status, mut is_sure) = self.count()?;
        for _ in 1..COUNTS {
            if is_sure {
                return Ok(status);
            }
            let reseated = status.reseated;
            (status, is_sure) = self.count()?;
            status.reseated |= reseated;
        }
        // Any of those attached can be a tool.
        Ok(if is_sure { status } else { PeerStatus { observers: status.attached, ..status } })
    }

    /// To whoever [watches](Options::watched).
    fn tell(&self, status: Option<PeerStatus>) {
        if let Some(watched) = self.options.watched {
            watched(self, status);
        }
    }
}

// SAFETY: the views are of memory that the handle holds, and are made anew with it.
unsafe impl Sealed for SysV {}

impl Backend for SysV {
    type Address = Options;

    fn open(options: &Options, role: Role) -> Result<Self, Error> {
        let asked = options;
        // What is in the way is met before anything of ours is made.
        let (options, mode) = match Segment::stat_at(options.key)? {
            Some(stat) => {
                let told = if options.want == Want::Any { comer::told_at(options.key) } else { None };
                let options = options.adopting(&stat, told);
                options.check_first(&stat, role)?;
                options.check_schema(&stat)?;
                (options, stat.mode)
            }
            None => (*options, options.mode),
        };
        if role == Role::Guest {
            return Ok(Self { attached: options.attach(None)?, seat: None, options: *asked, bed: None });
        }
        let comer = Comer {
            key: options.seats(),
            role,
            mode,
            trust_owner: options.trust_owner,
            hash: options.want.plan().hash(),
            asks_none: asked.want == Want::Any,
        };
        let named = |error| match error {
            Error::OtherDeclared { key, pid, .. } if !comer.asks_none => {
                Error::OtherDeclared { key, wanted: Some(options.want.to_string()), pid }
            }
            error => error,
        };
        let mut seat = Seat::take(comer).map_err(named)?;
        let is_unsettled = seat.is_unsettled();
        let attached = seat.locked(|lock| {
            let hash = options.want.plan().hash();
            if is_unsettled && hash != 0 && Segment::stat_at(options.key)?.is_none() {
                lock.announce(hash)?;
            }
            let attached = options.attach(Some(lock))?;
            if is_unsettled {
                lock.settle(attached.plan, attached.made)?;
            }
            if attached.made && attached.plan.layout() == Layout::Declared {
                lock.forget_end()?;
            }
            lock.note_made(attached.made && attached.plan == Plan::Slot)?;
            Ok(attached)
        });
        let attached = match attached.map_err(named) {
            Ok(attached) => attached,
            Err(error @ (Error::OtherLayout { .. } | Error::OtherDeclared { .. } | Error::OtherSchema { .. })) => {
                // What would have been replaced can't be: this is no failure of a writer's.
                let _ = seat.leave();
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        seat.has_layout(attached.plan.hash());
        Ok(Self { attached, seat: Some(seat), options: *asked, bed: None })
    }

    fn open_as(options: &Options, role: Role, wanted: Option<Wanted>) -> Result<Self, Error> {
        Self::open(&options.narrowed(wanted), role)
    }

    fn layout(&self) -> Layout {
        self.attached.views.layout()
    }

    #[inline(always)]
    fn slot(&self) -> SlotView<'_> {
        self.attached.views.slot
    }

    #[inline(always)]
    fn ring(&self) -> RingView<'_> {
        let Some(ring) = self.attached.views.ring else { other_layout() };
        ring
    }

    #[inline(always)]
    fn is_classic(&self) -> bool {
        self.attached.views.declared.is_none()
    }

    #[inline(always)]
    fn declared(&self) -> DeclaredView<'_> {
        let Some(slot) = self.attached.views.declared else { other_layout() };
        slot
    }

    fn tell_end(&mut self) -> Result<(), Error> {
        self.seat.as_mut().map_or(Ok(()), Seat::tell_end)
    }

    fn forget_end(&self) {
        if let Some(seat) = &self.seat {
            seat.forget_end();
        }
    }

    fn is_ours_to_remove(&self) -> bool {
        self.attached.plan.is_all()
    }

    fn await_move(&mut self) -> Result<bool, Error> {
        let has_end_beside = self.attached.views.declared.is_some_and(|slot| !slot.is_text());
        self.seat.as_ref().map_or(Ok(false), |seat| seat.await_move(has_end_beside))
    }

    fn is_moving(&self) -> bool {
        self.seat.as_ref().is_some_and(Seat::is_moving)
    }

    fn sleep(&self, longest: Duration) {
        match &self.bed {
            None => kernel::sleep(longest),
            Some(bed) => bed.sleep(longest),
        }
    }

    fn pause(&self, time: Duration) {
        kernel::sleep(time);
    }

    #[cfg_attr(loom, allow(clippy::arc_with_non_send_sync, reason = "a checker's words stay with its own threads"))]
    fn interrupter(&mut self) -> Interrupter {
        let bed = self.bed.get_or_insert_with(|| Arc::new(Bed::new()));
        Interrupter::of(Arc::<Bed>::clone(bed))
    }

    /// In the classic layout nobody is woken: a C peer would not do it either.
    fn wake(&self) {}

    fn status(&mut self) -> Result<PeerStatus, Error> {
        let status = self.count_surely()?;
        self.tell(Some(status));
        Ok(status)
    }

    fn persists(&self) -> bool {
        !kernel::removes_unattached()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        // The layout that was met first was as good as asked for, unless the other side has put its own in its
        // place. A capacity is insisted on only if it was.
        let is_moving = self.is_moving();
        let exactly = matches!(self.options.want, Want::Ring { exactly: true, .. });
        let want = match self.attached.plan {
            _ if is_moving => Want::Any,
            // A side that asks for none takes what another one has made meanwhile.
            _ if self.options.want == Want::Any && Segment::stat_at(self.options.key)?.is_some() => Want::Any,
            Plan::Slot => Want::Classic,
            Plan::Ring { capacity } => Want::Ring { capacity, exactly },
            Plan::Declared(wish) => Want::Declared(wish),
        };
        let options = Options { want, ..self.options };
        self.attached = match &mut self.seat {
            None => options.attach(None)?,
            Some(seat) => {
                let attached = seat.locked(|lock| {
                    let attached = options.attach(Some(lock))?;
                    if is_moving {
                        lock.end_move(attached.plan.hash())?;
                    }
                    lock.note_made(attached.made && attached.plan == Plan::Slot)?;
                    Ok(attached)
                })?;
                seat.has_layout(attached.plan.hash());
                attached
            }
        };
        self.tell(None);
        Ok(())
    }

    fn remove(&mut self) -> Result<(), Error> {
        self.segment().remove()
    }

    fn remove_behind_end(&mut self) -> Result<(), Error> {
        let segment = &self.attached.segment;
        match &mut self.seat {
            None => segment.remove(),
            Some(seat) => seat.locked(|lock| {
                lock.forget_end()?;
                segment.remove()
            }),
        }
    }

    fn forget_failure(&mut self) -> Result<(), Error> {
        self.seat.as_ref().map_or(Ok(()), Seat::forget_failure)
    }

    fn leave(self) -> Result<(), Error> {
        let Self { attached, seat, .. } = self;
        drop(attached);
        seat.map_or(Ok(()), Seat::leave)
    }

    fn park(&self, parked: &AtomicU32, longest: Duration) {
        match &self.bed {
            None => kernel::futex_wait(parked, 1, longest),
            Some(bed) => bed.sleep_on(parked, longest),
        }
    }

    fn unpark(&self, parked: &AtomicU32) -> bool {
        kernel::futex_wake(parked)
    }

    fn heavy_fence(&self) -> bool {
        kernel::heavy_fence()
    }
}

/// The cores of a layout are made for memory of that layout.
#[cold]
#[inline(never)]
fn other_layout() -> ! {
    unreachable!("places of the other layout")
}
