//! What a peer that breaks the protocol leaves behind.

/// What lies in the ring is no ring's content: a peer has broken the protocol.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::{RecvError, Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}, ring::{Reader, Writer}, sync::Ordering};
/// # let ring = Channel::ring(4096);
/// # let mut writer = Writer::<InProc>::open(&ring)?;
/// # let mut reader = Reader::<InProc>::open(&ring)?;
/// let meddler = InProc::open(&ring, Role::Guest)?;
/// meddler.ring().records.flag(0).store(1_000_000, Ordering::Release);
/// assert!(matches!(reader.try_recv(&mut [0; 1024]), Err(RecvError::Backend(Error::Corrupt(_)))));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ring's content breaks its layout: {what}")]
pub struct Corrupt {
    what: &'static str,
}

impl Corrupt {
    /// What to do about it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{RecvError, Role, backend::{Backend, RingBackend, inproc::{Channel, InProc}}, ring::{Reader, Writer}, sync::Ordering};
    /// # let ring = Channel::ring(4096);
    /// # let mut writer = Writer::<InProc>::open(&ring)?;
    /// # let mut reader = Reader::<InProc>::open(&ring)?;
    /// let meddler = InProc::open(&ring, Role::Guest)?;
    /// meddler.ring().records.flag(0).store(1_000_000, Ordering::Release);
    /// let Err(RecvError::Backend(Error::Corrupt(why))) = reader.try_recv(&mut [0; 1024]) else { panic!("a record of that size") };
    /// assert_eq!(why.hint(), "remove the segment, and start both sides anew");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "remove the segment, and start both sides anew"
    }
}

pub(crate) const fn corrupt(what: &'static str) -> Corrupt {
    Corrupt { what }
}
