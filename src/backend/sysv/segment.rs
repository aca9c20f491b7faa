//! Segments: made, found, attached, looked at, removed.

use super::ffi;
use super::forks;
use super::key::Key;
use super::proc;
use crate::backend::memory::Payload;
use crate::backend::memory::mapped::Mapped;
use crate::backend::memory::offsets::ring as layout;
use crate::error::{Error, Layout, Limit, Object};
use crate::sync::{AtomicU32, AtomicU64};
use nix::errno::Errno;
use std::ffi::c_int;
use std::ptr::NonNull;

/// Attempts at a key whose segment keeps being removed under us.
const ATTEMPTS: usize = 100;

/// One attachment to a segment; dropping it detaches. A forked child has no part in it:
/// there, dropping does nothing, and the memory must not be touched.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::backend::sysv::{Key, Segment};
/// # let key = Key::new(std::process::id() << 8 | 20)?;
/// let segment = Segment::create_new(key, 4096, 0o600)?;
/// segment.remove()?;
/// segment.payload(0, 4096).write_text(b"while it is attached\n");
/// assert_eq!(segment.payload(0, 4096).first_word(), Some(*b"whil"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Segment {
    id: c_int,
    key: Key,
    address: NonNull<u8>,
    size: usize,
    /// This process takes part in `ffi::heavy_fence`.
    reachable: bool,
    /// Pid of the process that attached it.
    attached_by: u32,
}

// SAFETY: an attachment belongs to the process, not to the thread that made
// it, and is reached through atomics and `Payload`s alone.
unsafe impl Send for Segment {}

/// What the kernel says of a segment.
///
/// ```
/// # #[cfg(not(model))] {
/// # use shm_handoff::backend::sysv::{Key, Segment};
/// # let key = Key::new(std::process::id() << 8 | 21)?;
/// let segment = Segment::create_new(key, 4096, 0o600)?;
/// segment.remove()?;
/// let stat = segment.stat()?;
/// assert_eq!((stat.size, stat.mode, stat.attached, stat.removed), (4096, 0o600, 1, true));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: usize,
    /// Permission bits, as in 0o600.
    pub mode: u32,
    /// Uid of the owner.
    pub uid: u32,
    /// Uid of the creator, who keeps access whoever the owner is.
    pub creator_uid: u32,
    /// Attachments: not processes, one can have several.
    pub attached: usize,
    /// Pid of the creator; 0: of another pid namespace.
    pub creator_pid: u32,
    /// Pid of the last to attach or detach; 0: none, or of another namespace.
    pub last_pid: u32,
    /// Marked for removal: it goes with its last attachment.
    pub removed: bool,
}

impl Segment {
    /// Makes a segment of `size` bytes at `key` with the permission bits
    /// `mode` (to which the kernel applies no umask), all zero, and attaches it.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Limit`], [`Error::Os`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Error, backend::sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 22)?;
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let again = Segment::create_new(key, 4096, 0o600);
    /// segment.remove()?;
    /// assert_eq!(again.unwrap_err(), Error::Exists { key: key.number() });
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_new(key: Key, size: usize, mode: u32) -> Result<Self, Error> {
        let flags = libc::IPC_CREAT | libc::IPC_EXCL | (mode & 0o777).cast_signed();
        let id = ffi::shmget(key.number(), size, flags).map_err(|errno| match errno {
            Errno::EEXIST => Error::Exists { key: key.number() },
            _ => making_failed(key, errno),
        })?;
        Self::attach(id, key)
    }

    /// Attaches the segment at `key`, of whatever size.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Permission`], [`Error::Removed`] if it goes
    /// meanwhile, [`Error::Os`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{Error, backend::sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 23)?;
    /// let made = Segment::create_new(key, 4096, 0o600)?;
    /// let found = Segment::open(key)?;
    /// made.remove()?;
    /// assert_eq!((found.id(), found.size()), (made.id(), 4096));
    /// assert_eq!(Segment::open(key).unwrap_err(), Error::Missing { key: key.number() });
    /// # }
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
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::sysv::{Key, Segment};
    /// # let key = Key::new(std::process::id() << 8 | 24)?;
    /// let (first, made) = Segment::open_or_create(key, 4096, 0o600)?;
    /// let (again, made_again) = Segment::open_or_create(key, 4096, 0o600)?;
    /// first.remove()?;
    /// assert!(made && !made_again && first.id() == again.id());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        match ffi::shmget(key.number(), 0, 0) {
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
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::sysv::{Key, Segment};
    /// # let key = Key::new(std::process::id() << 8 | 25)?;
    /// assert_eq!(Segment::stat_at(key)?, None);
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let stat = Segment::stat_at(key)?;
    /// segment.remove()?;
    /// assert_eq!(stat.map(|stat| (stat.size, stat.attached)), Some((4096, 1)));
    /// # }
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

    /// As [`open`](Self::open), for reading alone: who stores to it is killed by the kernel.
    pub(super) fn open_read_only(key: Key) -> Result<Self, Error> {
        let id = Self::find(key)?.ok_or(Error::Missing { key: key.number() })?;
        Self::attach_with(id, key, libc::SHM_RDONLY)
    }

    fn attach_with(id: c_int, key: Key, flags: c_int) -> Result<Self, Error> {
        let (attached, stat) = forks::none_during(|| {
            let attached = ffi::shmat(id, flags);
            let stat = ffi::shm_stat(id);
            if let (Ok(address), Ok(stat)) = (attached, &stat) {
                ffi::keep_from_children(address, stat.shm_segsz);
            }
            (attached, stat)
        });
        let address = attached.map_err(|errno| failed("shmat", Needs::Permission, key, errno))?;
        // From here on the drop detaches. The size is the kernel's word, of
        // this very id; the segment can't shrink.
        let (reachable, attached_by) = (ffi::be_fenced(), std::process::id());
        let mut segment = Self { id, key, address, size: 0, reachable, attached_by };
        let stat = stat.map_err(|errno| failed("shmctl(IPC_STAT)", Needs::Permission, key, errno))?;
        segment.size = stat.shm_segsz;
        Ok(segment)
    }

    /// What the kernel says of it now.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Os`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::{layout::ring, sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 26)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// assert_eq!(segment.stat()?.creator_pid, std::process::id());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stat(&self) -> Result<Stat, Error> {
        stat_of(self.id, self.key)
    }

    /// Whether the key still leads here.
    ///
    /// # Errors
    /// [`Error::Os`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::sysv::{Key, Segment};
    /// # let key = Key::new(std::process::id() << 8 | 27)?;
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let before = segment.is_current()?;
    /// segment.remove()?;
    /// assert!(before && !segment.is_current()?);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_current(&self) -> Result<bool, Error> {
        Ok(Self::find(self.key)? == Some(self.id))
    }

    /// Removes it: the key is free at once, the memory goes with its last
    /// attachment. That it is removed already is no error.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Os`].
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::sysv::{Key, Segment};
    /// # let key = Key::new(std::process::id() << 8 | 28)?;
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// segment.remove()?;
    /// segment.remove()?;
    /// assert_eq!(Segment::stat_at(key)?, None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&self) -> Result<(), Error> {
        Self::remove_id(self.id, self.key)
    }

    /// Removes the segment with this id.
    pub(super) fn remove_id(id: c_int, key: Key) -> Result<(), Error> {
        match ffi::shm_remove(id) {
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
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::{layout::ring, sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 29)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// assert_eq!(segment.key(), key);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// Its id, as `ipcs` shows it.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::sysv::{Key, Segment};
    /// # let key = Key::new(std::process::id() << 8 | 30)?;
    /// let segment = Segment::create_new(key, 4096, 0o600)?;
    /// let same = Segment::open(key)?;
    /// segment.remove()?;
    /// assert_eq!(segment.id(), same.id());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Its size in bytes.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::{layout::ring, sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 31)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// assert_eq!(segment.size(), 73_728);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Where it is attached.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::{layout::ring, sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 32)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// assert!(segment.address().is_multiple_of(4096), "a page begins there");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn address(&self) -> usize {
        self.address.as_ptr().addr()
    }

    /// The 32-bit word at `offset`.
    ///
    /// # Panics
    /// If it is not aligned, not within the segment, or, where that has a ring's size,
    /// half of one of a ring's 64-bit words: a caller's mistake.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::{layout::ring, sysv::{Key, Segment}}, sync::Ordering};
    /// # let key = Key::new(std::process::id() << 8 | 33)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// segment.word(0).store(1, Ordering::Release);
    /// assert_eq!(segment.word(0).load(Ordering::Acquire), 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        self.no_wide(offset, 4);
        self.word_of_maker(offset)
    }

    /// Atomics of two sizes must not overlap, in whatever safe code.
    fn no_wide(&self, offset: usize, len: usize) {
        let is_ring = self.size.checked_sub(layout::RECORDS_AT).is_some_and(layout::is_capacity);
        assert!(!is_ring || !layout::has_wide(offset, offset + len), "a 64-bit word lies at {offset}");
    }

    /// As [`word`](Self::word), wherever: of a segment that nobody else is attached to.
    pub(super) fn word_of_maker(&self, offset: usize) -> &AtomicU32 {
        assert!(
            offset.is_multiple_of(4) && self.size >= 4 && offset <= self.size - 4,
            "no word at {offset} of {}",
            self.size
        );
        // SAFETY: within the attachment by the check above, aligned since
        // attachments are page-aligned, and attached for as long as `self` is
        // borrowed. All access in this process is by 32-bit atomics or
        // `Payload`s; other processes are outside Rust's memory model, and an
        // atomic of one size is what is defined whatever they do.
        unsafe { AtomicU32::from_ptr(self.address.as_ptr().add(offset).cast()) }
    }

    /// The 64-bit word of a ring's header at `offset`.
    ///
    /// # Panics
    /// If none is there, or the segment does not have a ring's size: a caller's
    /// mistake.
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::{backend::{layout::ring, sysv::{Key, Segment}}, sync::Ordering};
    /// # let key = Key::new(std::process::id() << 8 | 34)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// assert_eq!(segment.double_word(ring::HEAD_AT).load(Ordering::Acquire), 0);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn double_word(&self, offset: usize) -> &AtomicU64 {
        assert!(
            offset.is_multiple_of(8) && layout::has_wide(offset, offset + 8) && self.size >= layout::RECORDS_AT,
            "no double word at {offset} of {}",
            self.size
        );
        // SAFETY: as for `word`; such words are reached by 64-bit atomics alone.
        unsafe { AtomicU64::from_ptr(self.address.as_ptr().add(offset).cast()) }
    }

    /// The places of `layout`, for as long as the attachment is borrowed.
    ///
    /// # Panics
    /// If the size is another layout's.
    #[must_use]
    pub(crate) fn views(&self, layout: Layout) -> Mapped<'_> {
        // SAFETY: the attachment stays for as long as `self` is borrowed.
        unsafe { self.views_unbound(layout) }
    }

    /// As [`views`](Self::views), bound to nothing.
    ///
    /// # Safety
    /// Neither what is returned nor a view of it is used after `self` was dropped.
    pub(super) unsafe fn views_unbound<'a>(&self, layout: Layout) -> Mapped<'a> {
        // SAFETY: attached, so page-aligned, with the kernel's word for the size; all access in this process
        // is by atomics of the words' sizes. The rest is the caller's promise.
        unsafe { Mapped::new(self.address, self.size, layout, self.reachable) }
    }

    /// The `len` bytes at `offset`.
    ///
    /// # Panics
    /// As for [`word`](Self::word).
    ///
    /// ```
    /// # #[cfg(not(model))] {
    /// # use shm_handoff::backend::{layout::ring, sysv::{Key, Segment}};
    /// # let key = Key::new(std::process::id() << 8 | 36)?;
    /// let segment = Segment::create_new(key, ring::size(64 << 10), 0o600)?;
    /// # segment.remove()?;
    /// segment.payload(4, 2048).write_text(b"hello\n");
    /// assert_eq!(segment.payload(4, 2048).first_word(), Some(*b"hell"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn payload(&self, offset: usize, len: usize) -> Payload<'_> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.size);
        assert!(offset.is_multiple_of(4) && inside, "no {len} bytes at {offset} of {}", self.size);
        self.no_wide(offset, len);
        // SAFETY: as for `word`.
        unsafe { Payload::from_raw(self.address.as_ptr().add(offset), len) }
    }
}

/// By value, so that on the way that is not taken nothing has to lie in memory.
impl Drop for Segment {
    fn drop(&mut self) {
        // In a forked child something else may lie there by now.
        if std::process::id() != self.attached_by {
            return;
        }
        // SAFETY: attached by `attach`, once, and all borrows have ended.
        // That it fails is impossible by that, so there is nothing to report.
        let _ = unsafe { ffi::shmdt(self.address) };
    }
}

pub(super) fn stat_of(id: c_int, key: Key) -> Result<Stat, Error> {
    let raw = ffi::shm_stat(id).map_err(|errno| failed("shmctl(IPC_STAT)", Needs::Permission, key, errno))?;
    let mode = u32::from(raw.shm_perm.mode);
    let pid = |pid: libc::pid_t| u32::try_from(pid).unwrap_or(0);
    Ok(Stat {
        size: raw.shm_segsz,
        mode: mode & 0o777,
        uid: raw.shm_perm.uid,
        creator_uid: raw.shm_perm.cuid,
        attached: usize::try_from(raw.shm_nattch).unwrap_or(usize::MAX),
        creator_pid: pid(raw.shm_cpid),
        last_pid: pid(raw.shm_lpid),
        removed: mode & ffi::SHM_DEST != 0,
    })
}

fn failed(call: &'static str, needs: Needs, key: Key, errno: Errno) -> Error {
    match errno {
        Errno::EINVAL | Errno::EIDRM => Error::Removed { key: key.number() },
        Errno::EACCES | Errno::EPERM => refused(call, needs, key, Object::Segment, errno),
        _ => Error::Os { call, on: on(key), errno },
    }
}

fn on(key: Key) -> String {
    format!("segment at {key}")
}

/// What the kernel asks of a process that makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing, as for a look-up.
    Nothing,
    /// What the object's mode gives.
    Permission,
    /// To be its owner or its creator.
    Ownership,
}

/// A refusal: an owner's, with what /proc tells everybody (`IPC_STAT` tells nothing to a process that it
/// refuses), or a sandbox's. The kernel says EPERM only where ownership is needed, and EACCES only where a
/// permission is: every other refusal is a sandbox's, and about the call alone.
pub(super) fn refused(call: &'static str, needs: Needs, key: Key, object: Object, errno: Errno) -> Error {
    if needs == Needs::Nothing || (errno == Errno::EPERM && needs == Needs::Permission) {
        let on = if object == Object::Seats { super::set::on(key) } else { on(key) };
        return Error::Refused { call, on, errno };
    }
    let row = match object {
        Object::Segment => {
            let rows = proc::segments().unwrap_or_default();
            rows.iter().find(|row| row.key == key.number()).map(|row| (row.uid, row.mode))
        }
        Object::Seats => {
            let rows = proc::sets().unwrap_or_default();
            rows.iter().find(|row| row.key == key.seats()).map(|row| (row.uid, row.mode))
        }
    };
    Error::Permission {
        key: key.number(),
        object,
        owner: row.map_or_else(|| "an unknown user".to_owned(), |(uid, _)| format!("uid {uid}")),
        mode: row.map_or(0, |(_, mode)| mode & 0o777),
    }
}

fn making_failed(key: Key, errno: Errno) -> Error {
    let limit = match errno {
        Errno::EINVAL => Limit::Shmmax,
        Errno::ENOMEM => Limit::Memory,
        // ENOSPC is both "too many segments" and "too many pages".
        Errno::ENOSPC => {
            let number = |file: &str| std::fs::read_to_string(file).ok()?.trim().parse::<usize>().ok();
            let used = proc::segments().map_or(0, |rows| rows.len());
            if number("/proc/sys/kernel/shmmni").is_some_and(|most| used >= most) {
                Limit::Shmmni
            } else {
                Limit::Shmall
            }
        }
        _ => return failed("shmget", Needs::Nothing, key, errno),
    };
    Error::Limit { key: key.number(), object: Object::Segment, limit }
}
