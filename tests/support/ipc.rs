//! System V calls that the tests make behind the binaries' back.

use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The id of the segment at `key`.
pub(crate) fn find_segment(key: u32) -> Option<i32> {
    // SAFETY: no memory is involved.
    let id = unsafe { libc::shmget(key.cast_signed(), 0, 0) };
    (id >= 0).then_some(id)
}

/// Removes the segment at `key`, if there is one.
pub(crate) fn remove_segment(key: u32) {
    if let Some(id) = find_segment(key) {
        // SAFETY: IPC_RMID takes no buffer.
        unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

/// The id of the semaphore set at `key`.
pub(crate) fn find_set(key: u32) -> Option<i32> {
    // SAFETY: no memory is involved.
    let id = unsafe { libc::semget(key.cast_signed(), 0, 0) };
    (id >= 0).then_some(id)
}

/// Makes a set of `count` semaphores, all 0.
pub(crate) fn make_set(key: u32, count: i32) -> i32 {
    // SAFETY: no memory is involved.
    let id = unsafe { libc::semget(key.cast_signed(), count, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    assert!(id >= 0, "semget: {}", std::io::Error::last_os_error());
    id
}

/// As [`make_set`], by another user and with this mode.
pub(crate) fn make_set_as(user: u32, key: u32, count: i32, mode: i32) {
    // SAFETY: the child makes system calls alone, and `_exit` runs nothing of ours.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above.
        unsafe {
            let done = libc::setgid(user) == 0
                && libc::setuid(user) == 0
                && libc::semget(key.cast_signed(), count, libc::IPC_CREAT | libc::IPC_EXCL | mode) >= 0;
            libc::_exit(i32::from(!done))
        }
    }
    assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
    let mut status = 0;
    // SAFETY: there is room for the status.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "a set by user {user}");
}

/// Changes semaphores of a set by these steps, all or none, without waiting; whether it did. With
/// `undo` the kernel takes them back when this process ends.
pub(crate) fn change(id: i32, steps: &[(u16, i16)], undo: bool) -> bool {
    let flags = libc::IPC_NOWAIT | if undo { libc::SEM_UNDO } else { 0 };
    let flags = i16::try_from(flags).unwrap();
    let mut steps: Vec<_> = steps
        .iter()
        .map(|(sem_num, sem_op)| libc::sembuf { sem_num: *sem_num, sem_op: *sem_op, sem_flg: flags })
        .collect();
    // SAFETY: pointer and count are one vector's.
    unsafe { libc::semop(id, steps.as_mut_ptr(), steps.len()) == 0 }
}

/// Makes a segment with any mode, as this user, which root alone may choose, or as ourselves.
pub(crate) fn make_segment_as(user: Option<u32>, key: u32, size: usize, mode: i32) {
    let make = move || {
        // SAFETY: no memory is involved.
        let id = unsafe { libc::shmget(key.cast_signed(), size, libc::IPC_CREAT | libc::IPC_EXCL | mode) };
        if id >= 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    let mut command = Command::new("true");
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    // SAFETY: one async-signal-safe call, between fork and exec.
    unsafe { command.pre_exec(make) };
    let done = command.status().unwrap_or_else(|error| panic!("shmget: {error}"));
    assert!(done.success(), "true: {done}");
}

pub(crate) fn set_value(id: i32, number: i32, value: i32) {
    // SAFETY: SETVAL takes an int, no buffer.
    let done = unsafe { libc::semctl(id, number, libc::SETVAL, value) };
    assert!(done >= 0, "semctl(SETVAL): {}", std::io::Error::last_os_error());
}

/// The value of one semaphore; `None` if the set is gone or is not ours to see.
pub(crate) fn value(id: i32, number: i32) -> Option<i32> {
    // SAFETY: GETVAL takes no buffer.
    let value = unsafe { libc::semctl(id, number, libc::GETVAL) };
    (value >= 0).then_some(value)
}

/// The permission bits of the set at `key`.
pub(crate) fn set_mode(key: u32) -> Option<u32> {
    let id = find_set(key)?;
    let mut stat = MaybeUninit::<libc::semid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `semid_ds` at most, and there is room for it.
    let done = unsafe { libc::semctl(id, 0, libc::IPC_STAT, stat.as_mut_ptr()) };
    assert!(done >= 0, "semctl(IPC_STAT): {}", std::io::Error::last_os_error());
    // SAFETY: zeroed and then filled; any bits are a valid `semid_ds`.
    Some(u32::from(unsafe { stat.assume_init() }.sem_perm.mode) & 0o777)
}

/// Removes the set at `key`, if there is one.
pub(crate) fn remove_set(key: u32) {
    find_set(key).into_iter().for_each(remove_set_by_id);
}

/// Removes a set, if it is there.
pub(crate) fn remove_set_by_id(id: i32) {
    // SAFETY: IPC_RMID takes no buffer.
    unsafe { libc::semctl(id, 0, libc::IPC_RMID) };
}

/// All sets that there are.
pub(crate) fn sets() -> Vec<i32> {
    let table = std::fs::read_to_string("/proc/sysvipc/sem").unwrap();
    table.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap()).collect()
}

/// The processes that were the last to change one of its semaphores.
pub(crate) fn users(id: i32) -> Vec<u32> {
    // SAFETY: GETPID takes no buffer.
    let user = |number| u32::try_from(unsafe { libc::semctl(id, number, libc::GETPID) }).ok();
    (0..).map_while(user).filter(|pid| *pid != 0).collect()
}

/// Writes `bytes` at `offset` from the segment's beginning. All of its last
/// page is there, whatever size it was made with.
pub(crate) fn scribble(key: u32, offset: usize, bytes: &[u8]) {
    let id = find_segment(key).expect("there is a segment");
    // SAFETY: with a null address the kernel chooses a free range.
    let start = unsafe { libc::shmat(id, std::ptr::null(), 0) };
    assert!(start.addr() != usize::MAX, "shmat: {}", std::io::Error::last_os_error());
    assert!(offset + bytes.len() <= 4096, "beyond the first page");
    // SAFETY: the first page is mapped, and the range lies in it. Nobody else
    // uses those bytes: it is behind the text.
    unsafe { start.cast::<u8>().add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    // SAFETY: attached above, and not used from here on.
    unsafe { libc::shmdt(start) };
}

/// How many are attached to the segment with this id, wherever a key leads;
/// `None` if it is gone.
pub(crate) fn attached(id: i32) -> Option<u64> {
    let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `shmid_ds` at most, and there is room for it.
    let done = unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) };
    // SAFETY: zeroed and then filled; any bits are a valid `shmid_ds`.
    (done >= 0).then(|| unsafe { stat.assume_init() }.shm_nattch)
}

/// Gives a segment to another user; who made it stays its creator.
pub(crate) fn give_segment(id: i32, uid: u32) {
    let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one `shmid_ds`, any bits of which are one; IPC_SET reads it.
    let done = unsafe {
        libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr());
        let mut stat = stat.assume_init();
        stat.shm_perm.uid = uid;
        libc::shmctl(id, libc::IPC_SET, &raw mut stat)
    };
    assert!(done >= 0, "shmctl(IPC_SET): {}", std::io::Error::last_os_error());
}

/// Gives a segment, or else a semaphore set, other permission bits.
pub(crate) fn set_permissions(is_segment: bool, id: i32, mode: u32) {
    if is_segment {
        let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: IPC_STAT writes one `shmid_ds`, any bits of which are one; IPC_SET reads it.
        let done = unsafe {
            libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr());
            let mut stat = stat.assume_init();
            stat.shm_perm.mode = mode.try_into().expect("nine bits");
            libc::shmctl(id, libc::IPC_SET, &raw mut stat)
        };
        assert!(done >= 0, "shmctl(IPC_SET): {}", std::io::Error::last_os_error());
    } else {
        let mut stat = MaybeUninit::<libc::semid_ds>::zeroed();
        // SAFETY: as above, of a set.
        let done = unsafe {
            libc::semctl(id, 0, libc::IPC_STAT, stat.as_mut_ptr());
            let mut stat = stat.assume_init();
            stat.sem_perm.mode = mode.try_into().expect("nine bits");
            libc::semctl(id, 0, libc::IPC_SET, &raw mut stat)
        };
        assert!(done >= 0, "semctl(IPC_SET): {}", std::io::Error::last_os_error());
    }
}

/// The segment at a key, of whatever size, attached for as long as this is there.
pub(crate) struct Attached {
    memory: *mut libc::c_void,
    words: usize,
}

impl Attached {
    /// `None` if there is none.
    pub(crate) fn at(key: u32) -> Option<Self> {
        let id = find_segment(key)?;
        // SAFETY: with a null address the kernel chooses a free range.
        let memory = unsafe { libc::shmat(id, std::ptr::null(), 0) };
        let mut stat = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: IPC_STAT writes one `shmid_ds` at most, and there is room for it.
        let done = unsafe { libc::shmctl(id, libc::IPC_STAT, stat.as_mut_ptr()) };
        if memory.addr() == usize::MAX || done < 0 {
            return None;
        }
        // SAFETY: zeroed and then filled; any bits are a valid `shmid_ds`.
        let size = unsafe { stat.assume_init() }.shm_segsz;
        Some(Self { memory, words: size / 4 })
    }

    /// All of it.
    pub(crate) fn words(&self) -> &[shm_handoff::sync::AtomicU32] {
        // SAFETY: attached as long as we are, page-aligned, so many words long; any bits are
        // a number, and what others do to it atomics may see.
        unsafe { std::slice::from_raw_parts(self.memory.cast(), self.words) }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: attached by us, and nothing refers to it any more.
        unsafe { libc::shmdt(self.memory) };
    }
}
