//! What the protocol stands on: a piece of memory that two sides share, two
//! seats, and a way to sleep.
//!
//! A backend *hands out places*; every atomic operation on them is executed by
//! [`protocol`](crate::protocol), with an order from its one
//! [`Orders`](crate::protocol::Orders) table. (A ring's header is made and
//! recognised here, by orders of the same table.) So a backend cannot ignore an
//! order, and a model checker that stands behind the atomics sees each of them.

#[cfg(loom)]
#[doc(hidden)]
pub mod header;
#[cfg(not(model))]
#[allow(unreachable_pub, reason = "a model's test sees it")]
pub(crate) mod header;
pub mod inproc;
pub mod layout;
mod payload;
mod ring;
#[cfg(all(not(model), target_os = "linux"))]
#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "the programs look at more"))]
pub mod sysv;
#[cfg(vectors)]
mod vector;

pub use payload::Payload;
pub use ring::{PeerFences, Records, Ring};

pub use crate::error::Layout;
use crate::error::{Error, Role};
use crate::sync::AtomicU32;
use std::time::Duration;

/// Who is there, as far as the backend can tell at one moment.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Role, backend::{Backend, PeerStatus, inproc::{Channel, InProc}}};
/// # let slot = Channel::new(2048);
/// let mut reader = InProc::open(&slot, Role::Reader)?;
/// let alone = PeerStatus { peer_seated: false, writer_failed: false, attached: 1, observers: 0, removed: false, reseated: false };
/// assert_eq!(reader.status()?, alone);
/// let writer = InProc::open(&slot, Role::Writer)?;
/// assert_eq!(reader.status()?, PeerStatus { peer_seated: true, attached: 2, ..alone });
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // facts of one moment, by name
pub struct PeerStatus {
    /// The other role's seat is taken.
    pub peer_seated: bool,
    /// The writer's seat is free, and the writer that had it did not leave in
    /// order.
    pub writer_failed: bool,
    /// Attachments to the memory, our own included.
    pub attached: usize,
    /// How many of these may be those of tools that only look: the count tells nothing of them.
    pub observers: usize,
    /// The memory was removed: newcomers will meet at another one.
    pub removed: bool,
    /// Our own seat had gone and was taken anew: so may the peer's have, who has not
    /// noticed yet. Its free seat says nothing.
    pub reseated: bool,
}

impl PeerStatus {
    /// Somebody beside us is attached, and no tool is taken for it.
    ///
    /// ```
    /// # use shm_handoff::backend::PeerStatus;
    /// let two = PeerStatus { peer_seated: false, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false };
    /// assert!(two.has_company());
    /// assert!(!PeerStatus { observers: 1, ..two }.has_company(), "that can be the tool");
    /// ```
    #[must_use]
    pub fn has_company(&self) -> bool {
        self.attached.saturating_sub(self.observers) >= 2
    }

    /// Nobody beside us is attached.
    ///
    /// ```
    /// # use shm_handoff::backend::PeerStatus;
    /// let two = PeerStatus { peer_seated: false, writer_failed: false, attached: 2, observers: 1, removed: false, reseated: false };
    /// assert!(!two.is_alone(), "the tool can be about to attach still");
    /// assert!(PeerStatus { attached: 1, ..two }.is_alone());
    /// ```
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.attached <= 1
    }
}

/// Shared memory with two seats.
///
/// # Contract
///
/// None of these is a matter of memory safety: the places handed out are
/// atomics and [`Payload`]s, which are defined whatever is done to them. A
/// backend that breaks one loses or doubles messages, or waits for ever.
///
/// * **B1** [`flag`](Self::flag) and [`payload`](Self::payload) name the same
///   memory in every handle that was opened at the same address, until it is
///   removed. New memory is all zero.
/// * **B2** The flag and the payload do not overlap, and the backend touches
///   neither.
/// * **B3** At most one handle holds each of the seats of [`Role::Writer`] and
///   [`Role::Reader`]; [`Role::Guest`] takes none. The seat is taken before the
///   memory is attached, and given back after it was detached, also when the
///   holder is killed.
/// * **B4** Giving back a seat *happens before* it is seen free in a
///   [`status`](Self::status) or taken by somebody else. (In one process a
///   lock does that, between processes the kernel's semaphores do.)
/// * **B5** A writer's handle that is dropped, or whose process dies, without
///   [`leave`](Self::leave) counts as failed, until the next writer is seated
///   or [`forget_failure`](Self::forget_failure) is called.
/// * **B6** [`status`](Self::status) tells the truth of some moment during the
///   call and does not wait for the peer. Of those attached, `observers` are at least as
///   many as there are tools.
/// * **B7** [`sleep`](Self::sleep) returns after the given time at the latest
///   (the scheduler's delay apart); [`wake`](Self::wake) may end the peer's
///   sleep early, or do nothing.
/// * **B8** After [`remove`](Self::remove) the memory stays usable for those
///   attached; [`open`](Self::open) and [`reopen`](Self::reopen) lead to new
///   memory.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Error, Role, backend::{Backend, inproc::{Channel, InProc}}};
/// # let slot = Channel::new(2048);
/// fn is_alone<B: Backend>(address: &B::Address) -> Result<bool, Error> {
///     Ok(B::open(address, Role::Guest)?.status()?.attached == 1)
/// }
/// assert!(is_alone::<InProc>(&slot)?);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Backend: Sized {
    /// What names the memory.
    type Address;

    /// Takes the seat of `role`, then attaches the memory at `address`, made
    /// anew if there is none.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if another handle has the role; else what the
    /// memory's opening met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Error, Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let writer = InProc::open(&slot, Role::Writer)?;
    /// let error = InProc::open(&slot, Role::Writer).unwrap_err();
    /// assert!(matches!(error, Error::SeatTaken { role: Role::Writer, .. }));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn open(address: &Self::Address, role: Role) -> Result<Self, Error>;

    /// What the memory is laid out as.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, Layout, inproc::{Channel, InProc}}};
    /// assert_eq!(InProc::open(&Channel::new(2048), Role::Guest)?.layout(), Layout::Slot);
    /// assert_eq!(InProc::open(&Channel::ring(4096), Role::Guest)?.layout(), Layout::Ring { capacity: 4096 });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn layout(&self) -> Layout {
        Layout::Slot
    }

    /// The flag.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}, sync::Ordering};
    /// # let slot = Channel::new(2048);
    /// let guest = InProc::open(&slot, Role::Guest)?;
    /// assert_eq!(guest.flag().load(Ordering::Acquire), 0, "new memory is all zero");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn flag(&self) -> &AtomicU32;

    /// The text's bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let (writer, reader) = (InProc::open(&slot, Role::Writer)?, InProc::open(&slot, Role::Reader)?);
    /// writer.payload().write_text(b"hello\n");
    /// assert_eq!(reader.payload().first_word(), Some(*b"hell"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn payload(&self) -> Payload<'_>;

    /// Sleeps for `longest` at most.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # use std::time::Duration;
    /// # let slot = Channel::new(2048);
    /// let (writer, reader) = (InProc::open(&slot, Role::Writer)?, InProc::open(&slot, Role::Reader)?);
    /// let sleeper = std::thread::spawn(move || reader.sleep(Duration::from_millis(1)));
    /// assert!(sleeper.join().is_ok(), "it ends by itself");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn sleep(&self, longest: Duration);

    /// Wakes a sleeping peer, where sleepers can be woken.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # use std::time::Duration;
    /// # let slot = Channel::new(2048);
    /// let (writer, reader) = (InProc::open(&slot, Role::Writer)?, InProc::open(&slot, Role::Reader)?);
    /// let sleeper = std::thread::spawn(move || reader.sleep(Duration::from_millis(1)));
    /// writer.wake(); // before it sleeps, meanwhile, or after
    /// assert!(sleeper.join().is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn wake(&self);

    /// Looks who is there.
    ///
    /// # Errors
    /// [`Error::SeatTaken`] if this handle lost its seat to somebody; else what
    /// the look-up met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let mut writer = InProc::open(&slot, Role::Writer)?;
    /// assert!(!writer.status()?.peer_seated);
    /// let reader = InProc::open(&slot, Role::Reader)?;
    /// assert!(writer.status()?.peer_seated);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn status(&mut self) -> Result<PeerStatus, Error>;

    /// Whether the memory stays when nobody is attached any more. Where it does not, what was
    /// sent and not released goes with its last attachment.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// assert!(InProc::open(&Channel::new(2048), Role::Guest)?.persists());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn persists(&self) -> bool {
        true
    }

    /// Lets the memory go and attaches what is at the address now, made anew
    /// if there is none. The seat is kept. The layout is the same; a ring's capacity
    /// can be another one.
    ///
    /// # Errors
    /// As [`open`](Self::open). The handle stays on the old memory then.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let (mut writer, mut reader) = (InProc::open(&slot, Role::Writer)?, InProc::open(&slot, Role::Reader)?);
    /// reader.remove()?;
    /// assert!(writer.status()?.removed);
    /// writer.reopen()?;
    /// assert!(!writer.status()?.removed);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn reopen(&mut self) -> Result<(), Error>;

    /// Removes the memory; those attached keep it.
    ///
    /// # Errors
    /// What the removal met. Memory that is removed already is no error.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let mut reader = InProc::open(&slot, Role::Reader)?;
    /// reader.remove()?;
    /// reader.remove()?;
    /// assert!(reader.status()?.removed);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn remove(&mut self) -> Result<(), Error>;

    /// For a reader: forgets that a writer failed, so that the next failure is
    /// seen as a new one. Does nothing while a writer is seated.
    ///
    /// # Errors
    /// What the system call met.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let (mut reader, writer) = (InProc::open(&slot, Role::Reader)?, InProc::open(&slot, Role::Writer)?);
    /// drop(writer);
    /// assert!(reader.status()?.writer_failed);
    /// reader.forget_failure()?;
    /// assert!(!reader.status()?.writer_failed);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn forget_failure(&mut self) -> Result<(), Error>;

    /// Detaches and gives the seat back *in order*: a reader goes on waiting
    /// for the next writer.
    ///
    /// # Errors
    /// What the system call met; the seat is given back all the same.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, inproc::{Channel, InProc}}};
    /// # let slot = Channel::new(2048);
    /// let (mut reader, writer) = (InProc::open(&slot, Role::Reader)?, InProc::open(&slot, Role::Writer)?);
    /// writer.leave()?;
    /// assert!(!reader.status()?.writer_failed);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn leave(self) -> Result<(), Error>;
}

/// Shared memory that can be a ring.
///
/// # Contract
///
/// As for [`Backend`], and:
///
/// * **B9** [`ring`](Self::ring) names the same memory in every handle opened at
///   the same address, until it is removed. New memory is all zero.
/// * **B10** [`park`](Self::park) returns at once unless the parked word is 1, when
///   [`unpark`](Self::unpark) was called since, and after the given time; and
///   sometimes for no reason. The look at the parked word and falling asleep are one
///   step for `unpark`: an `unpark` after the parked word was changed wakes whoever saw
///   it unchanged.
/// * **B11** [`Ring::peer_fences`] are the same words in every handle, 0 in new memory. If
///   [`heavy_fence`](Self::heavy_fence) says `true`, then of two sides, one
///   of which stores, calls it and loads, and the other one stores, and loads what
///   comes later in its program, one sees the other's store.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{Error, Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}};
/// fn longest<B: RingBackend>(address: &B::Address) -> Result<usize, Error> {
///     Ok(B::open(address, Role::Guest)?.ring().longest)
/// }
/// assert_eq!(longest::<InProc>(&Channel::ring(4096))?, 1024);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RingBackend: Backend {
    /// The places of the ring.
    ///
    /// # Panics
    /// May panic where [`layout`](Backend::layout) is another one.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}};
    /// let guest = InProc::open(&Channel::ring(4096), Role::Guest)?;
    /// assert_eq!(guest.ring().records.capacity(), 4096);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn ring(&self) -> Ring<'_>;

    /// Sleeps while `parked` is 1, for `longest` at most.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}, sync::Ordering};
    /// # use std::time::Duration;
    /// let guest = InProc::open(&Channel::ring(4096), Role::Guest)?;
    /// let parked = guest.ring().reader_parked;
    /// guest.park(parked, Duration::from_secs(60));
    /// assert_eq!(parked.load(Ordering::Relaxed), 0, "it is not 1, so nobody slept");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn park(&self, parked: &AtomicU32, longest: Duration);

    /// Wakes whoever sleeps on `parked`; whether anybody did.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}};
    /// let guest = InProc::open(&Channel::ring(4096), Role::Guest)?;
    /// assert!(!guest.unpark(guest.ring().reader_parked), "nobody sleeps");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn unpark(&self, parked: &AtomicU32) -> bool;

    /// A `fence(SeqCst)` in every thread that runs, of all processes whose
    /// [`Ring::peer_fences`] are `reachable`; whether there was one.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}};
    /// let guest = InProc::open(&Channel::ring(4096), Role::Guest)?;
    /// assert!(!guest.heavy_fence(), "in one process each side has a fence of its own");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn heavy_fence(&self) -> bool {
        false
    }
}
