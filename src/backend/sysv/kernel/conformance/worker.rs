//! A process of a script on the real kernel: it makes the calls that it is asked for, through the door.
//!
//! It is forked from a test, whose other threads may have held any lock of the library: so it
//! allocates nothing, and ends without a word.

use super::calls::User;
use super::wire::{SIZE, Words, from_bytes, op, response, to_bytes};
use crate::backend::sysv::kernel::{self, Attachment, linux, step};
use nix::errno::Errno;
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::time::Duration;

/// The longest sleep of a call that may not sleep for long.
const SHORT: Duration = Duration::from_millis(20);

/// The most attachments that a process makes.
const ATTACHMENTS: usize = 64;

const REQUESTS: RawFd = 0;
const RESPONSES: RawFd = 1;

/// The life of a worker that has just been forked.
pub(super) fn live(requests: RawFd, responses: RawFd, user: User) -> ! {
    become_one(requests, responses, user);
    let mut attachments = [const { None }; ATTACHMENTS];
    loop {
        let mut bytes = [0; SIZE];
        transfer(&mut bytes, |rest| {
            // SAFETY: there is room for so many bytes.
            unsafe { libc::read(REQUESTS, rest.as_mut_ptr().cast::<c_void>(), rest.len()) }
        });
        let request = from_bytes(&bytes);
        if request[0] == op::END {
            end(0);
        }
        let mut bytes = to_bytes(&serve(&request, &mut attachments).unwrap_or_else(|errno| response(Err(errno))));
        transfer(&mut bytes, |rest| {
            // SAFETY: there are so many bytes.
            unsafe { libc::write(RESPONSES, rest.as_ptr().cast::<c_void>(), rest.len()) }
        });
    }
}

fn end(status: c_int) -> ! {
    // SAFETY: it never returns. (Without the handlers of `exit`, which are the test's.)
    unsafe { libc::_exit(status) }
}

/// Moves all the bytes through a pipe. A worker whose script has gone ends.
fn transfer(bytes: &mut [u8], mut some: impl FnMut(&mut [u8]) -> isize) {
    let mut at = 0;
    while at < bytes.len() {
        match usize::try_from(some(&mut bytes[at..])) {
            Ok(0) => end(0),
            Ok(moved) => at += moved,
            Err(_) if Errno::last() == Errno::EINTR => {}
            Err(_) => end(1),
        }
    }
}

extern "C" fn interrupted(_: c_int) {}

fn become_one(requests: RawFd, responses: RawFd, user: User) {
    // SAFETY: numbers alone, and a handler that does nothing. The pipes of other workers are closed
    // here; nothing in this process uses them.
    unsafe {
        let handler: extern "C" fn(c_int) = interrupted;
        libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
        libc::dup2(requests, REQUESTS);
        libc::dup2(responses, RESPONSES);
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        if user != User::me() {
            let changed = libc::setgroups(0, std::ptr::null()) == 0
                && libc::setresgid(user.gid, user.gid, user.gid) == 0
                && libc::setresuid(user.uid, user.uid, user.uid) == 0;
            if !changed {
                end(1);
            }
        }
        // It forgets this when it becomes another user.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the script made the numbers of these very types"
)]
#[allow(clippy::cast_possible_wrap, reason = "as above")]
fn serve(request: &Words, attachments: &mut [Option<Attachment>; ATTACHMENTS]) -> Result<Words, Errno> {
    let int = |at: usize| request[at] as c_int;
    let unsigned = |at: usize| request[at] as u32;
    let short = |at: usize| request[at] as u16;
    let size = |at: usize| request[at] as usize;
    let mut room = [step(0, 0, 0); 8];
    let mut steps = |at: usize| {
        let count = size(at).min(room.len());
        for (place, number) in room[..count].iter_mut().zip(0..) {
            let at = at + 1 + 3 * number;
            *place = step(short(at), request[at + 1] as i16, int(at + 2));
        }
        (room, count)
    };
    let stat = |id: c_int| {
        kernel::shm_stat(id).map(|stat| {
            response(Ok(&[
                stat.size as i64,
                stat.mode.into(),
                stat.uid.into(),
                stat.creator_uid.into(),
                stat.attached as i64,
                stat.creator_pid.into(),
                stat.last_pid.into(),
                stat.removed.into(),
            ]))
        })
    };
    let number = |number: c_int| response(Ok(&[number.into()]));
    let done = |()| response(Ok(&[]));
    match request[0] {
        op::SHMGET => kernel::shmget(unsigned(1), size(2), int(3)).map(number),
        op::SHMAT => {
            let attachment = kernel::shmat(int(1), int(2))?;
            let address = attachment.address().as_ptr().addr();
            let Some(free) = attachments.iter().position(Option::is_none) else { end(1) };
            attachments[free] = Some(attachment);
            Ok(response(Ok(&[free as i64, address as i64])))
        }
        op::SHMDT => match &attachments[size(1)] {
            // SAFETY: nothing refers to what lies there. (What is detached already stays known here, and the
            // script sees to it that nothing else has come to its place: the kernel refuses.)
            Some(attachment) => unsafe { kernel::shmdt(attachment) }.map(done),
            None => Err(Errno::EINVAL),
        },
        op::SHM_STAT => stat(int(1)),
        op::SHM_REMOVE => kernel::shm_remove(int(1)).map(done),
        op::PEEK => {
            let Some(attachment) = &attachments[size(1)] else { end(1) };
            // SAFETY: the script asks for what is attached alone, one process at a time.
            Ok(number(unsafe { attachment.address().read_volatile() }.into()))
        }
        op::POKE => {
            let Some(attachment) = &attachments[size(1)] else { end(1) };
            // SAFETY: as above, and attached for writing.
            unsafe { attachment.address().write_volatile(request[2] as u8) };
            Ok(done(()))
        }
        op::SEMGET => kernel::semget(unsigned(1), short(2), int(3)).map(number),
        op::SEMOP => {
            let (mut steps, count) = steps(3);
            kernel::semop(int(1), &mut steps[..count]).map(done)
        }
        op::SEMTIMEDOP => {
            let (mut steps, count) = steps(3);
            kernel::semtimedop(int(1), &mut steps[..count], SHORT).map(done)
        }
        op::SEMOP_THEN_STAT => {
            let (mut steps, count) = steps(3);
            kernel::semop(int(1), &mut steps[..count])?;
            stat(int(2))
        }
        op::SEM_STAT => kernel::sem_stat(int(1)).map(|stat| {
            response(Ok(&[
                stat.semaphores as i64,
                stat.untouched.into(),
                stat.uid.into(),
                stat.gid.into(),
                stat.creator_uid.into(),
                stat.mode.into(),
            ]))
        }),
        op::SEM_VALUES => {
            let mut values = [0_i64; 4];
            match request[2] {
                1 => values[..1].copy_from_slice(&kernel::sem_values::<1>(int(1))?.map(i64::from)),
                2 => values[..2].copy_from_slice(&kernel::sem_values::<2>(int(1))?.map(i64::from)),
                3 => values[..3].copy_from_slice(&kernel::sem_values::<3>(int(1))?.map(i64::from)),
                _ => values.copy_from_slice(&kernel::sem_values::<4>(int(1))?.map(i64::from)),
            }
            Ok(response(Ok(&values)))
        }
        op::SEM_PID => kernel::sem_pid(int(1), short(2)).map(|pid| response(Ok(&[pid.into()]))),
        op::SEM_SET => kernel::sem_set(int(1), short(2), int(3)).map(done),
        op::SEM_CHOWN => linux::sem_chown(int(1), unsigned(2), unsigned(3), unsigned(4)).map(done),
        op::SEM_REMOVE => kernel::sem_remove(int(1)).map(done),
        _ => end(1),
    }
}
