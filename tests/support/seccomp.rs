//! Filters of system calls, as sandboxes have them.

use std::mem::offset_of;

fn op(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k }
}

pub(crate) fn load(at: usize) -> libc::sock_filter {
    op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, u32::try_from(at).unwrap())
}

pub(crate) fn equals(number: libc::c_long, jt: u8, jf: u8) -> libc::sock_filter {
    op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, jt, jf, u32::try_from(number).unwrap())
}

pub(crate) fn answer(answer: u32) -> libc::sock_filter {
    op(libc::BPF_RET | libc::BPF_K, 0, 0, answer)
}

/// From here on the kernel asks `filter` about every system call of this thread, and of
/// those that it starts.
pub(crate) fn install(filter: &[libc::sock_filter]) {
    let program = libc::sock_fprog { len: u16::try_from(filter.len()).unwrap(), filter: filter.as_ptr().cast_mut() };
    // SAFETY: takes numbers alone.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(done, 0, "prctl: {}", std::io::Error::last_os_error());
    // SAFETY: the kernel copies the program, which outlives the call.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(done, 0, "seccomp: {}", std::io::Error::last_os_error());
}

/// From here on this system call is refused, as a sandbox does.
pub(crate) fn refuse(number: libc::c_long) {
    install(&[
        load(offset_of!(libc::seccomp_data, nr)),
        equals(number, 0, 1),
        answer(libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()),
        answer(libc::SECCOMP_RET_ALLOW),
    ]);
}
