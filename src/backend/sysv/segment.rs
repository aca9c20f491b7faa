//! Segments: made, found, attached, looked at, removed.

use super::errno::{Needs, failed, making_failed};
use super::kernel::rows::Stat;
use super::kernel::{self, Attachment, Home, proc};
use super::key::Key;
use crate::error::Error;
use nix::errno::Errno;
use std::ffi::c_int;

/// Attempts at a key whose segment keeps being removed under us.
const ATTEMPTS: usize = 100;

/// One attachment to a segment; dropping it detaches. A forked child has no part in it:
/// there, dropping does nothing, and the memory must not be touched.
///
/// ```
/// # use shm_handoff::example::*; let key = key();
/// let segment = Segment::create_new(key, 4096, 0o600)?;
/// assert_eq!((segment.key(), segment.size()), (key, 4096));
/// let same = Segment::open(key)?;
/// assert_eq!(segment.id(), same.id());
/// segment.remove()?; // the key is free; the memory goes with the last attachment
/// assert_eq!(Segment::stat_at(key)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Segment {
    id: c_int,
    key: Key,
    pub(super) attachment: Attachment,
    pub(super) size: usize,
    /// This process takes part in `kernel::heavy_fence`.
    pub(super) reachable: bool,
    /// The process that attached it.
    attached_by: Home,
}

// SAFETY: an attachment belongs to the process, not to the thread that made
// it, and is reached through atomics and `Payload`s alone.
unsafe impl Send for Segment {}

impl Segment {
    /// Makes a segment of `size` bytes at `key` with the permission bits
    /// `mode` (to which the kernel applies no umask), all zero, and attaches it.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Limit`], [`Error::Os`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let again = Segment::create_new(key, 4096, 0o600);
    /// segment.remove()?;
    /// assert_eq!(again.unwrap_err(), Error::Exists { key: key.number() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_new(key: Key, size: usize, mode: u32) -> Result<Self, Error> {
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | (mode & 0o777).cast_signed();
        let id = kernel::shmget(key.number(), size, flags).map_err(|errno| match errno {
            Errno::EEXIST => Error::Exists { key: key.number() },
            _ => making_failed(key, errno),
        })?;
        Self::attach(id, key).inspect_err(|_| {
            // What its maker can't attach would be in the way of the next try.
            let _ = Self::remove_id(id, key);
        })
    }

    /// Attaches the segment at `key`, of whatever size.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Permission`], [`Error::Removed`] if it goes
    /// meanwhile, [`Error::Os`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// let made = Segment::create_new(key, 4096, 0o600)?;
    /// let found = Segment::open(key)?;
    /// made.remove()?;
    /// assert_eq!((found.id(), found.size()), (made.id(), 4096));
    /// assert_eq!(Segment::open(key).unwrap_err(), Error::Missing { key: key.number() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(key: Key) -> Result<Self, Error> {
        let id = Self::find(key)?.ok_or(Error::Missing { key: key.number() })?;
        Self::attach(id, key)
    }

    /// Attaches the segment at `key`, made anew if there is none; says whether
    /// it was made. Of two that make it at once one makes it.
    ///
    /// # Errors
    /// As [`create_new`](Self::create_new) and [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_or_create(key: Key, size: usize, mode: u32) -> Result<(Self, bool), Error> {
        let mut last = Error::Removed { key: key.number() };
        for _ in 0..ATTEMPTS {
            let opened = match Self::open(key) {
                Err(Error::Missing { .. }) => Self::create_new(key, size, mode).map(|segment| (segment, true)),
                found => found.map(|segment| (segment, false)),
            };
            match opened {
                Ok((segment, is_new)) => {
                    // It can go between the look-up and the attachment.
                    if segment.is_current()? {
                        return Ok((segment, is_new));
                    }
                }
                Err(error @ (Error::Exists { .. } | Error::Removed { .. })) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// The id of the segment at `key`, if there is one.
    pub(super) fn find(key: Key) -> Result<Option<c_int>, Error> {
        match kernel::shmget(key.number(), 0, 0) {
            Ok(id) => Ok(Some(id)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(failed("shmget", Needs::Nothing, key, errno)),
        }
    }

    /// What the kernel says of the segment at `key`, if there is one; this
    /// does not attach it.
    ///
    /// # Errors
    /// [`Error::Permission`] if it may not be read; [`Error::Os`].
    ///
    /// ```
    /// # use shm_handoff::example::*; let key = key();
    /// assert_eq!(Segment::stat_at(key)?, None);
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let stat = Segment::stat_at(key)?;
    /// segment.remove()?;
    /// assert_eq!(stat.map(|stat| (stat.size, stat.attached)), Some((4096, 1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stat_at(key: Key) -> Result<Option<Stat>, Error> {
        let Some(id) = Self::find(key)? else { return Ok(None) };
        match stat_of(id, key) {
            Err(Error::Removed { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn attach(id: c_int, key: Key) -> Result<Self, Error> {
        Self::attach_with(id, key, 0)
    }

    /// Attaches the segment with this id for reading alone: the kernel kills a process that stores to it.
    pub(super) fn attach_read_only(id: c_int, key: Key) -> Result<Self, Error> {
        Self::attach_with(id, key, libc::SHM_RDONLY)
    }

    fn attach_with(id: c_int, key: Key, flags: c_int) -> Result<Self, Error> {
        let (attached, stat) = kernel::no_fork_during(|| {
            let attached = kernel::shmat(id, flags);
            let stat = kernel::shm_stat(id);
            if let (Ok(attachment), Ok(stat)) = (&attached, &stat) {
                attachment.keep_from_children(stat.size);
            }
            (attached, stat)
        });
        let attachment = attached.map_err(|errno| failed("shmat", Needs::Permission, key, errno))?;
        // From here on the drop detaches. The size is the kernel's word, of
        // this very id; the segment can't shrink.
        let (reachable, attached_by) = (kernel::be_fenced(), Home::here());
        let mut segment = Self { id, key, attachment, size: 0, reachable, attached_by };
        let stat = stat.map_err(|errno| failed("shmctl(IPC_STAT)", Needs::Permission, key, errno))?;
        segment.size = stat.size;
        Ok(segment)
    }

    /// What the kernel says of it now.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Os`].
    pub fn stat(&self) -> Result<Stat, Error> {
        stat_of(self.id, self.key)
    }

    /// Whether the key still leads here.
    ///
    /// # Errors
    /// [`Error::Os`].
    #[doc(hidden)]
    pub fn is_current(&self) -> Result<bool, Error> {
        Ok(Self::find(self.key)? == Some(self.id))
    }

    /// Removes it: the key is free at once, the memory goes with its last
    /// attachment. That it is removed already is no error.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Os`].
    pub fn remove(&self) -> Result<(), Error> {
        Self::remove_id(self.id, self.key)
    }

    /// Removes the segment with this id.
    pub(super) fn remove_id(id: c_int, key: Key) -> Result<(), Error> {
        match kernel::shm_remove(id) {
            Ok(()) | Err(Errno::EINVAL | Errno::EIDRM) => Ok(()),
            Err(errno) => Err(failed("shmctl(IPC_RMID)", Needs::Ownership, key, errno)),
        }
    }

    /// How many have attached the segment with this id, also if it may not be read; 0: it is gone.
    pub(super) fn attached_to(id: c_int, key: Key) -> usize {
        match stat_of(id, key) {
            Ok(stat) => stat.attached,
            Err(Error::Permission { .. }) => {
                let rows = proc::segments().unwrap_or_default();
                rows.iter().find(|row| row.id == id).map_or(0, |row| row.attached)
            }
            Err(_) => 0,
        }
    }

    /// The key it was opened at.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// Its id, as `ipcs` shows it.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where it is attached.
    #[doc(hidden)]
    #[cfg(not(model))]
    #[must_use]
    pub fn address(&self) -> usize {
        self.attachment.address().as_ptr().addr()
    }
}

/// By value, so that on the way that is not taken nothing has to lie in memory.
impl Drop for Segment {
    fn drop(&mut self) {
        // In a forked child something else may lie there by now.
        if Home::here() != self.attached_by {
            return;
        }
        // SAFETY: attached by `attach`, once, and all borrows have ended.
        // That it fails is impossible by that, so there is nothing to report.
        let _ = unsafe { kernel::shmdt(&self.attachment) };
    }
}

/// What the kernel says of the segment with this id.
pub(super) fn stat_of(id: c_int, key: Key) -> Result<Stat, Error> {
    kernel::shm_stat(id).map_err(|errno| failed("shmctl(IPC_STAT)", Needs::Permission, key, errno))
}
