//! A thread's system calls, trapped and counted.

use crate::seccomp::{answer, equals, install, load};
use std::ffi::c_int;
use std::io::Write;
use std::mem::{MaybeUninit, offset_of};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a report begins with.
pub(crate) const REPORT: &str = "counted: ";

static CALLS: AtomicU64 = AtomicU64::new(0);
static FIRST: AtomicU64 = AtomicU64::new(0);

extern "C" fn count(_: c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's own, valid for the handler's time.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    // The call's number; and it fails, for it was not made.
    let rax = &mut registers[usize::try_from(libc::REG_RAX).unwrap_or(0)];
    let _ = info;
    if CALLS.fetch_add(1, Ordering::Relaxed) == 0 {
        FIRST.store(rax.cast_unsigned(), Ordering::Relaxed);
    }
    *rax = -i64::from(libc::ENOSYS);
}

/// From here on every system call of this thread is counted instead of made, but for
/// those that a report takes, and the handler.
pub(crate) fn arm() {
    // SAFETY: all zero is a `sigaction` without flags.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = count as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
    // SAFETY: the handler uses atomics and its own arguments alone.
    let done = unsafe { libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut()) };
    assert_eq!(done, 0, "sigaction: {}", std::io::Error::last_os_error());

    install(&[
        load(offset_of!(libc::seccomp_data, nr)),
        equals(libc::SYS_rt_sigreturn, 4, 0),
        equals(libc::SYS_exit_group, 3, 0),
        // A report goes to standard output, and nothing that is measured does.
        equals(libc::SYS_write, 0, 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_TRAP),
        answer(libc::SECCOMP_RET_ALLOW),
    ]);
}

/// How many so far, and the number of the first.
pub(crate) fn counted() -> [u64; 2] {
    [CALLS.load(Ordering::Relaxed), FIRST.load(Ordering::Relaxed)]
}

/// Says so, and ends the process.
pub(crate) fn report(counts: [u64; 3]) -> ! {
    let mut line = [0; 100];
    let mut rest = &mut line[..];
    let [calls, first, allocations] = counts;
    writeln!(rest, "\n{REPORT}{calls} {first} {allocations}").expect("it fits");
    let left = rest.len();
    // SAFETY: the line's own bytes; then the process ends, with all that it holds.
    unsafe {
        libc::write(1, line.as_ptr().cast(), line.len() - left);
        libc::_exit(0)
    }
}
