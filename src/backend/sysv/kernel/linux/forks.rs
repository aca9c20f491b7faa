//! No fork between an attachment and the advice that keeps it from children: a child that got it
//! would count as attached, as a C program does, until it ends or runs another program.
//!
//! `fork` of the C library runs the handlers of `pthread_atfork`. (`posix_spawn` and `vfork` share
//! the memory of their parent and attach nothing; a bare system call is beyond us, and so is a process
//! in which no memory is left for the handlers.)

use std::sync::Once;

/// The C library's, for it can be unlocked in the child, where the thread that holds it is the only one.
static mut LOCK: libc::pthread_mutex_t = libc::PTHREAD_MUTEX_INITIALIZER;

extern "C" fn hold() {
    // SAFETY: initialised as it is declared, and never moved; not held by this thread, which makes system
    // calls alone while it holds it. (`fork` in a signal handler in the middle of them would wait forever:
    // POSIX lets no handler of `pthread_atfork` be relied upon there.)
    unsafe { libc::pthread_mutex_lock(&raw mut LOCK) };
}

extern "C" fn let_go() {
    // SAFETY: held by this thread: by `hold`, in the parent and in its copy, the child.
    unsafe { libc::pthread_mutex_unlock(&raw mut LOCK) };
}

/// Does what no other thread may fork in the middle of.
pub(in crate::backend::sysv) fn none_during<T>(attach: impl FnOnce() -> T) -> T {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            let_go();
        }
    }
    static REGISTERED: Once = Once::new();
    // SAFETY: the handlers are functions without arguments that may be called whenever a thread forks.
    REGISTERED.call_once(|| _ = unsafe { libc::pthread_atfork(Some(hold), Some(let_go), Some(let_go)) });
    hold();
    let _held = Held;
    attach()
}
