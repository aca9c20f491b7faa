//! No fork between an attachment and the advice that keeps it from children: a child that got it
//! would count as attached, as a C program does, until it ends or runs another program. And a count of the forks, which tells
//! a child from its parent where a pid does not: in another pid namespace a child can have its parent's number.
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

/// How often this process was forked on the way from the one that registered the handlers.
static mut FORKS: u32 = 0;

extern "C" fn begin_as_a_child() {
    // SAFETY: this thread is the only one of its process; those that it starts begin after this.
    unsafe { FORKS = FORKS.wrapping_add(1) };
    let_go();
}

extern "C" fn let_go() {
    // SAFETY: held by this thread: by `hold`, in the parent and in its copy, the child.
    unsafe { libc::pthread_mutex_unlock(&raw mut LOCK) };
}

fn register() {
    static REGISTERED: Once = Once::new();
    // SAFETY: the handlers are functions without arguments that may be called whenever a thread forks.
    REGISTERED.call_once(|| _ = unsafe { libc::pthread_atfork(Some(hold), Some(let_go), Some(begin_as_a_child)) });
}

/// The process that something belongs to, and none that was forked from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    pid: u32,
    forks: u32,
}

impl Home {
    /// This process.
    #[must_use]
    pub fn here() -> Self {
        register();
        // SAFETY: it is written while there is one thread alone, the one that forked.
        Self { pid: std::process::id(), forks: unsafe { FORKS } }
    }

    /// Its number.
    pub(in crate::backend::sysv) fn pid(self) -> u32 {
        self.pid
    }
}

/// Does what no other thread may fork in the middle of.
pub(in crate::backend::sysv) fn none_during<T>(attach: impl FnOnce() -> T) -> T {
    struct Held;
    impl Drop for Held {
        fn drop(&mut self) {
            let_go();
        }
    }
    register();
    hold();
    let _held = Held;
    attach()
}
