//! What a handle can tell of its memory.

use super::SysV;
use crate::declare::Declared;

impl SysV {
    /// Where the flag and what is handed over lie: as this side declared it, or as it took that from the other side. A
    /// classic slot is the tutorial's struct. `None`: a ring.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let first = Reader::<SysV>::open(&Options::declared(key, &"text[1024]".parse()?))?;
    /// let second = Writer::<SysV>::open(&Options::any(key))?;
    /// let declared = second.backend().declaration().expect("it is no ring");
    /// assert_eq!(declared.to_string(), "flag=i32@0,text=1024@4,size=1028");
    /// first.backend().segment().remove()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn declaration(&self) -> Option<Declared> {
        self.attached.plan.declared()
    }

    /// What tells a ring from all others: a random number that its maker has given it. `None`: a slot.
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let writer = Writer::<SysV>::open(&Options::any_ring(key))?;
    /// let reader = Reader::<SysV>::open(&Options::any_ring(key))?;
    /// writer.backend().segment().remove()?;
    /// let stream = writer.backend().stream();
    /// assert!(stream.is_some() && stream == reader.backend().stream(), "both sides see the same");
    /// assert_eq!(writer.backend().schema(), None, "no type was told");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stream(&self) -> Option<u64> {
        self.attached.said.map(|said| said.stream)
    }

    /// The [schema](super::Options::schema) of a ring's messages, if its maker has told one.
    #[must_use]
    pub fn schema(&self) -> Option<u64> {
        self.attached.said.map(|said| said.schema).filter(|schema| *schema != 0)
    }

    /// Whether this side has made the segment.
    #[cfg(all(feature = "cli", not(model)))]
    pub(crate) fn has_made(&self) -> bool {
        self.attached.made
    }

    /// Pid of the process in the other role's seat; 0: of another pid namespace. `None`: it can't be told.
    #[cfg(all(feature = "cli", not(model)))]
    pub(crate) fn peer_pid(&self) -> Option<u32> {
        self.seat.as_ref()?.peer_pid()
    }
}
