//! What a peer that breaks the protocol leaves behind.

/// What lies in the memory breaks its layout: a peer has broken the protocol.
///
/// ```
/// # use shm_handoff::example::*; let (mut writer, mut reader, channel) = ring();
/// let meddler = InProc::open(&channel, Role::Guest)?;
/// meddler.ring().flag(0).store(1_000_000, shm_handoff::sync::Ordering::Release);
/// let Err(RecvError::Backend(Error::Corrupt(why))) = reader.try_recv(&mut [0; 1024]) else { panic!("no such record") };
/// assert_eq!(why.hint(), "remove the segment, and start both sides anew");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ring's content breaks its layout: {what}")]
pub struct Corrupt {
    what: &'static str,
}

impl Corrupt {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "remove the segment, and start both sides anew"
    }
}

pub(crate) const fn corrupt(what: &'static str) -> Corrupt {
    Corrupt { what }
}
