//! What a third party does, as `ipcrm` does it: nothing of it is attached.

use super::face;
use crate::backend::sysv::Key;

/// Removes the segment at `key`, by calls of the running process; whether there was one.
#[must_use]
pub fn remove_segment(key: Key) -> bool {
    face::shmget(key.number(), 0, 0).and_then(face::shm_remove).is_ok()
}

/// Removes the seats of `key`, by calls of the running process; whether there were some.
#[must_use]
pub fn remove_seats(key: Key) -> bool {
    face::semget(key.seats(), 0, 0).and_then(face::sem_remove).is_ok()
}
