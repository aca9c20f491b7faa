//! The kernel's objects and limits, as messages name them.

use std::fmt;

/// A System V object that is in the way, as messages name it.
///
/// ```
/// use shm_handoff::error::Object;
/// assert_eq!(Object::Seats.to_string(), "semaphore set");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// The shared memory segment.
    Segment,
    /// The semaphore set that holds the seats.
    Seats,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Segment => "segment",
            Self::Seats => "semaphore set",
        })
    }
}

/// A kernel limit that stops an object from being made.
///
/// ```
/// use shm_handoff::error::Limit;
/// assert_eq!(Limit::Shmmni.to_string(), "SHMMNI (number of segments)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Number of segments on the system.
    Shmmni,
    /// Size of one segment.
    Shmmax,
    /// Pages of all segments together.
    Shmall,
    /// Number of semaphore sets, or of semaphores in all of them.
    Sem,
    /// Semaphores of one set.
    Semmsl,
    /// Operations on semaphores that are done at once.
    Semopm,
    /// Memory of the machine or of the control group.
    Memory,
}

impl Limit {
    /// The command that shows the limit and how much of it is used.
    ///
    /// ```
    /// use shm_handoff::error::Limit;
    /// assert_eq!(Limit::Shmmni.how_to_see(), "sysctl kernel.shmmni; ipcs -m");
    /// ```
    #[must_use]
    pub fn how_to_see(self) -> &'static str {
        match self {
            Self::Shmmni => "sysctl kernel.shmmni; ipcs -m",
            Self::Shmmax => "sysctl kernel.shmmax",
            Self::Shmall => "sysctl kernel.shmall; ipcs -mu",
            Self::Sem => "sysctl kernel.sem; ipcs -s",
            Self::Semmsl | Self::Semopm => "sysctl kernel.sem",
            Self::Memory => "free -h",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shmmni => "SHMMNI (number of segments)",
            Self::Shmmax => "SHMMAX (size of a segment)",
            Self::Shmall => "SHMALL (pages of all segments)",
            Self::Sem => "SEMMNI or SEMMNS (number of semaphore sets or semaphores)",
            Self::Semmsl => "SEMMSL (semaphores of a set, the first number of kernel.sem)",
            Self::Semopm => "SEMOPM (operations at once, the third number of kernel.sem)",
            Self::Memory => "memory (of the machine or of the control group)",
        })
    }
}
