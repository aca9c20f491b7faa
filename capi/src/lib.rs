//! shm-handoff for C and C++: `capi/include/shm_handoff.h` is made from this.
//!
//! Each function checks what it is given, calls the library, and turns what comes back into a
//! code; no panic leaves it.
//!
//! What can be done at a glance, sending where there is room and receiving what is there, is tried
//! first and bare: it builds no policy and catches nothing. (It has nothing to panic at, for it says no
//! to all that is not as it should be; and where it did, `extern "C"` would abort, not unwind.) All
//! else goes the long way, which looks again.

mod handle;
mod hint;
mod status;

pub use handle::shmh;
pub use status::*;

use handle::Side;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Received, RecvError, WaitPolicy, Writer};
use status::Fault;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The role of `shmh_open` that puts messages in.
pub const SHMH_WRITER: c_int = 1;
/// The role of `shmh_open` that takes messages out.
pub const SHMH_READER: c_int = 2;

/// Whatever is at the key; where nothing is, a classic slot.
pub const SHMH_ANY: c_int = 0;
/// The tutorial's slot: `struct { int written; char text[2048]; }`.
pub const SHMH_SLOT: c_int = 1;
/// A ring: any bytes, much faster, and no C program of the tutorial on the other side.
pub const SHMH_RING: c_int = 2;

/// What `shmh_open` can be told. Begin with all zero, and `size`.
#[repr(C)]
#[allow(non_camel_case_types)] // its name in C
#[derive(Debug, Clone, Copy)]
pub struct shmh_options {
    /// `sizeof(struct shmh_options)`: a later version may have more at its end.
    pub size: usize,
    /// `SHMH_ANY`, `SHMH_SLOT` or `SHMH_RING`.
    pub layout: c_int,
    /// Permission bits of what has to be made; 0: 0600.
    pub mode: c_uint,
    /// Bytes of a ring, a power of two from 64 KiB to 1 GiB; 0: those of the ring that is there, or 2 MiB.
    pub capacity: usize,
    /// Not 0: accept what belongs to another user.
    pub trust_owner: c_int,
}

fn options(key: c_int, given: Option<&shmh_options>) -> Result<Options, Fault> {
    let key = Key::new(key.cast_unsigned())?;
    let Some(given) = given else { return Ok(Options::any(key)) };
    if given.size != size_of::<shmh_options>() {
        return Err(Fault::new(SHMH_E_INVALID, c"the options' size is not sizeof(struct shmh_options)"));
    }
    let options = match (given.layout, given.capacity) {
        (SHMH_ANY, _) => Options::any(key),
        (SHMH_SLOT, _) => Options::slot(key),
        (SHMH_RING, 0) => Options::any_ring(key),
        (SHMH_RING, capacity) => Options::ring(key, capacity)?,
        _ => return Err(Fault::new(SHMH_E_INVALID, c"the layout is none")),
    };
    let mode = if given.mode == 0 { 0o600 } else { given.mode };
    if mode & !0o666 != 0 || mode & 0o600 != 0o600 {
        return Err(Fault::new(SHMH_E_INVALID, c"the mode has other bits than those of 666, or not those of 600"));
    }
    Ok(options.mode(mode).trust_owner(given.trust_owner != 0))
}

/// Runs `call` so that neither an error nor a panic leaves it as such.
#[inline]
fn guarded(call: impl FnOnce() -> Result<c_int, Fault>) -> c_int {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(code)) => code,
        Ok(Err(fault)) => fault.report(),
        Err(_) => Fault::new(SHMH_E_INTERNAL, c"a bug in shm-handoff: please report it").report(),
    }
}

/// Runs `call` with what is behind a handle.
///
/// # Safety
/// As [`handle::header`] and [`shmh::side`].
#[inline]
unsafe fn with(handle: *mut shmh, call: impl FnOnce(&mut Side, &AtomicBool) -> Result<c_int, Fault>) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let header = unsafe { handle::header(handle) }?.ok_or_else(null)?;
        // SAFETY: the caller's promise.
        call(unsafe { header.side() }, &header.interrupted)
    })
}

#[cold]
fn null() -> Fault {
    Fault::new(SHMH_E_INVALID, c"a pointer is NULL")
}

#[inline]
fn writer(side: &mut Side) -> Result<&mut Writer<SysV>, Fault> {
    match side {
        Side::Writer(writer) => Ok(writer),
        Side::Closed => Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
        Side::Reader(_) | Side::AtEnd(_) | Side::Ended(_) => {
            Err(Fault::new(SHMH_E_WRONG_ROLE, c"a reader's handle, and a writer's is needed"))
        }
    }
}

#[inline]
fn reader(side: &mut Side) -> Result<&mut Reader<SysV>, Fault> {
    match side {
        Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => Ok(reader),
        Side::Closed => Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
        Side::Writer(_) => Err(Fault::new(SHMH_E_WRONG_ROLE, c"a writer's handle, and a reader's is needed")),
    }
}

/// Runs `call` with the policy that `timeout_ms` says; `shmh_interrupt` ends it. An interruption that this call
/// does not return is kept for the next one: what it waits for can come at the same moment.
#[inline]
fn with_policy<T, E: Into<Fault>>(
    timeout_ms: c_int,
    interrupted: &AtomicBool,
    call: impl FnOnce(&mut WaitPolicy<'_>) -> Result<T, E>,
) -> Result<T, Fault> {
    let mut hook =
        |_| if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let policy = match u64::try_from(timeout_ms) {
        Err(_) => WaitPolicy::forever(),
        Ok(0) => WaitPolicy::timeout(Duration::ZERO).spins(0),
        Ok(time) => WaitPolicy::timeout(Duration::from_millis(time)),
    };
    call(&mut policy.on_tick(&mut hook)).map_err(|error| failed(error.into(), timeout_ms, interrupted))
}

#[cold]
fn failed(fault: Fault, timeout_ms: c_int, interrupted: &AtomicBool) -> Fault {
    if fault.is_an_interruption() {
        interrupted.store(false, Ordering::Relaxed);
    }
    if timeout_ms == 0 { fault.of_a_try() } else { fault }
}

/// Opens `key` as `role` (`SHMH_WRITER` or `SHMH_READER`), and makes what is missing there. Does not wait for
/// the other side. `options`: NULL for whatever is there, or a classic slot made with mode 0600.
///
/// Returns `SHMH_OK` with a handle in `*out`, or an error with NULL in it: `SHMH_E_INVALID`, `SHMH_E_ROLE_TAKEN`,
/// `SHMH_E_NOT_A_CHANNEL`, `SHMH_E_PERMISSION`, `SHMH_E_LIMIT`, `SHMH_E_CORRUPT`, `SHMH_E_SYSTEM`.
///
/// # Safety
/// `out` is NULL or can be written, `options` is NULL or can be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_open(
    out: *mut *mut shmh,
    key: c_int,
    role: c_int,
    options: *const shmh_options,
) -> c_int {
    guarded(|| {
        if out.is_null() {
            return Err(null());
        }
        // SAFETY: the caller's promise.
        unsafe { *out = std::ptr::null_mut() };
        // SAFETY: the caller's promise.
        let options = self::options(key, unsafe { options.as_ref() })?;
        let side = match role {
            SHMH_WRITER => Side::Writer(Writer::open(&options)?),
            SHMH_READER => Side::Reader(Reader::open(&options)?),
            _ => return Err(Fault::new(SHMH_E_INVALID, c"the role is none")),
        };
        // SAFETY: the caller's promise.
        unsafe { *out = handle::open(side) };
        Ok(SHMH_OK)
    })
}

/// Sends `len` bytes, and waits for room for `timeout_ms` at most (negative: forever; 0: not at all). In a classic
/// slot it waits for a reader, too. A message that is `end` alone ends the session in a classic slot.
///
/// Returns `SHMH_OK`: it was sent. Else it was not: `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`,
/// `SHMH_E_TIMED_OUT`, `SHMH_E_INTERRUPTED`, `SHMH_E_PEER_GONE`, `SHMH_E_UNSENDABLE`, `SHMH_E_ROLE_TAKEN` (the
/// seats were removed, and another writer was faster), `SHMH_E_CORRUPT`, or as `shmh_open`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` can be read for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_send(handle: *mut shmh, bytes: *const c_void, len: usize, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(Side::Writer(writer)) = handle::glance(handle)
            && !bytes.is_null()
            && writer.send_straight(std::slice::from_raw_parts(bytes.cast::<u8>(), len))
        {
            return SHMH_OK;
        }
        send_slowly(handle, bytes, len, timeout_ms)
    }
}

/// # Safety
/// As [`shmh_send`].
#[cold]
#[inline(never)]
unsafe extern "C" fn send_slowly(handle: *mut shmh, bytes: *const c_void, len: usize, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            let writer = writer(side)?;
            if bytes.is_null() && len > 0 {
                return Err(null());
            }
            // SAFETY: the caller's promise; without bytes any pointer that is not NULL does.
            let bytes = if len == 0 { &[][..] } else { std::slice::from_raw_parts(bytes.cast::<u8>(), len) };
            with_policy(timeout_ms, interrupted, |policy| writer.send_with(bytes, policy))?;
            Ok(SHMH_OK)
        })
    }
}

/// Ends the session, waiting as `shmh_send` does: by a message `end` in a classic slot, by a record of its own in a ring. The
/// reader removes the segment.
///
/// Returns as `shmh_send`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_end(handle: *mut shmh, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            let writer = writer(side)?;
            with_policy(timeout_ms, interrupted, |policy| writer.end_with(policy))?;
            Ok(SHMH_OK)
        })
    }
}

/// Receives a message into `buffer` of `size` bytes and releases it; `*len` is its length (`len` may be NULL). No NUL
/// is put behind it. Waits as `shmh_send` does.
///
/// Returns `SHMH_OK`; `SHMH_ENDED` for the message that ends the session (in a classic slot its text is in `buffer`, too), when
/// the segment was removed, and from then on; or an error, and nothing is released: `SHMH_E_INVALID`,
/// `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, `SHMH_E_TIMED_OUT`, `SHMH_E_INTERRUPTED`, `SHMH_E_PEER_GONE` (the writer died; what it
/// had sent came before), `SHMH_E_TOO_SMALL`, `SHMH_E_ROLE_TAKEN`, `SHMH_E_CORRUPT`, or as `shmh_open`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `buffer` can be written for `size` bytes, and
/// `len` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_recv(
    handle: *mut shmh,
    buffer: *mut c_void,
    size: usize,
    len: *mut usize,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        if let Some(Side::Reader(reader)) = handle::glance(handle)
            && !buffer.is_null()
            && let Some(received) = reader.recv_straight(std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size))
        {
            if !len.is_null() {
                *len = received;
            }
            return SHMH_OK;
        }
        recv_slowly(handle, buffer, size, len, timeout_ms)
    }
}

/// # Safety
/// As [`shmh_recv`].
#[cold]
#[inline(never)]
unsafe extern "C" fn recv_slowly(
    handle: *mut shmh,
    buffer: *mut c_void,
    size: usize,
    len: *mut usize,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            reader(side)?;
            if buffer.is_null() && size > 0 {
                return Err(null());
            }
            // SAFETY: the caller's promise.
            let buffer =
                if size == 0 { &mut [][..] } else { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size) };
            let (received, code) = if let Side::Ended(_) = side {
                (0, SHMH_ENDED)
            } else {
                if let Side::AtEnd(_) = side {
                    side.turn(Side::Reader);
                }
                let reader = reader(side)?;
                // A peer may replace an end that was seen: then the session goes on.
                loop {
                    match with_policy(timeout_ms, interrupted, |policy| reader.recv_with(buffer, policy))? {
                        Received::Message(received) => break (received, SHMH_OK),
                        Received::End => {
                            if let Some(text) = with_policy(0, interrupted, |_| end_session(reader, buffer))? {
                                side.turn(Side::Ended);
                                break (text, SHMH_ENDED);
                            }
                        }
                    }
                }
            };
            if let Some(len) = len.as_mut() {
                *len = received;
            }
            Ok(code)
        })
    }
}

/// Ends the session whose end comes next; the length of its text, which is in `buffer`.
#[cold]
fn end_session(reader: &mut Reader<SysV>, buffer: &mut [u8]) -> Result<Option<usize>, RecvError> {
    let end = match reader.peek_with(&mut WaitPolicy::non_blocking()) {
        Err(RecvError::TimedOut) => return Ok(None),
        peeked => peeked?,
    };
    if !end.ends_session() {
        return Ok(None);
    }
    let text = end.text();
    let len = text.len();
    buffer.get_mut(..len).ok_or(RecvError::BufferTooSmall { capacity: len })?.copy_from_slice(text);
    end.end_session()?;
    Ok(Some(len))
}

/// Waits for a message as `shmh_send` waits, and lets it be peeked at: `*bytes` and `*len` are valid until the next call
/// with this handle. The writer can't change them. It is not released: if this reader dies, the next one gets it.
///
/// Returns `SHMH_OK`; `SHMH_ENDED` for the message that ends the session; or an error as `shmh_recv`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` and `len` are NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_peek(
    handle: *mut shmh,
    bytes: *mut *const c_void,
    len: *mut usize,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            reader(side)?;
            let (Some(bytes), Some(len)) = (bytes.as_mut(), len.as_mut()) else { return Err(null()) };
            if let Side::Ended(_) = side {
                (*bytes, *len) = (std::ptr::null(), 0);
                return Ok(SHMH_ENDED);
            }
            let reader = reader(side)?;
            let message = with_policy(timeout_ms, interrupted, |policy| reader.peek_with(policy))?;
            (*bytes, *len) = (message.text().as_ptr().cast(), message.text().len());
            if message.ends_session() {
                side.turn(Side::AtEnd);
                return Ok(SHMH_ENDED);
            }
            if let Side::AtEnd(_) = side {
                side.turn(Side::Reader);
            }
            Ok(SHMH_OK)
        })
    }
}

/// Releases the message that was peeked at: its space is the writer's again. After `SHMH_ENDED` it removes the segment
/// instead, and the session is over.
///
/// Returns `SHMH_OK`, also where there is nothing to release; `SHMH_ENDED`: the session is over; or `SHMH_E_INVALID`,
/// `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, and for the removal as `shmh_open`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_release(handle: *mut shmh) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            match side {
                Side::AtEnd(reader) => {
                    // A peer may have put something else there meanwhile: that was not peeked at.
                    let ended = with_policy(0, interrupted, |_| reader.end_session());
                    side.turn(if let Ok(true) = ended { Side::Ended } else { Side::Reader });
                    ended?;
                }
                Side::Ended(_) => {}
                _ => reader(side)?.release_peeked(),
            }
            Ok(if let Side::Ended(_) = side { SHMH_ENDED } else { SHMH_OK })
        })
    }
}

/// For a reader, after `SHMH_E_PEER_GONE`: goes on, and waits for the next writer.
///
/// Returns `SHMH_OK`, `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, or as `shmh_open`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_await_next_writer(handle: *mut shmh) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, _| {
            reader(side)?.await_next_writer()?;
            Ok(SHMH_OK)
        })
    }
}

/// For a writer: waits until a reader is there, for `timeout_ms` at most (negative: forever; 0: not at all). After
/// `SHMH_E_PEER_GONE` it waits for the next one, and the writer can go on; before the first message it is a way to hold
/// back what nobody would take yet.
///
/// Returns `SHMH_OK`: one is there; or as `shmh_send`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_await_reader(handle: *mut shmh, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            let writer = writer(side)?;
            with_policy(timeout_ms, interrupted, |policy| writer.await_reader(policy))?;
            Ok(SHMH_OK)
        })
    }
}

/// Checks whether somebody removed the segment or the seats, and recovers from that. Call this every few milliseconds while idle,
/// and also in a loop that never has to wait: sending and receiving without waiting makes
/// no system call. A writer sends again what nobody had taken.
///
/// Returns `SHMH_OK`, or as `shmh_send`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_recover(handle: *mut shmh, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, interrupted| {
            match side {
                Side::Writer(writer) => with_policy(timeout_ms, interrupted, |policy| writer.recover(policy))?,
                Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => reader.refresh_seat()?,
                Side::Closed => return Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
            }
            Ok(SHMH_OK)
        })
    }
}

/// The longest message, in bytes; 0 for a handle that is none.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_capacity(handle: *mut shmh) -> usize {
    let mut capacity = 0;
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, _| {
            capacity = match side {
                Side::Writer(writer) => writer.capacity(),
                Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => reader.capacity(),
                Side::Closed => 0,
            };
            Ok(SHMH_OK)
        });
    }
    capacity
}

/// Ends the wait that goes on with this handle, or the next one, with `SHMH_E_INTERRUPTED`, within 0.1 s. May be called by
/// any thread and by signal handlers.
///
/// Returns `SHMH_OK`; or, and then errno stays as it is, `SHMH_E_INVALID` for NULL, or `SHMH_E_CLOSED` in a child for a handle
/// of its parent's.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_interrupt(handle: *mut shmh) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { handle::header(handle) } {
        Ok(Some(header)) => {
            header.interrupted.store(true, Ordering::Relaxed);
            SHMH_OK
        }
        Ok(None) => SHMH_E_INVALID,
        Err(_) => SHMH_E_CLOSED,
    }
}

/// Closes the handle, whatever it returns. A writer leaves in order: first it makes sure, for `timeout_ms` at most (negative: as
/// long as it takes), that nothing lies in a segment that was removed; the reader waits for the next writer. Where the
/// kernel removes a segment with its last attachment (`kernel.shm_rmid_forced` is 1), the writer also waits, within the same
/// time, until all that it sent was received: with a negative `timeout_ms` without limit, also for a reader that is still to
/// come. A message that was peeked at and not released stays for the next reader. NULL is `SHMH_OK`.
///
/// Returns `SHMH_OK`; `SHMH_E_CLOSED`; or for what a writer had sent and can't be sure of, as `shmh_send`: then the reader takes
/// it for one that failed.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_close(handle: *mut shmh, timeout_ms: c_int) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let Some(header) = (unsafe { handle::header(handle)? }) else { return Ok(SHMH_OK) };
        let leave = |side| {
            match side {
                Side::Closed => return Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
                Side::Writer(mut writer) => {
                    with_policy(timeout_ms, &header.interrupted, |policy| writer.flush(policy))?;
                    writer.close_flushed()?;
                }
                Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => reader.close()?,
            }
            Ok(SHMH_OK)
        };
        // SAFETY: the caller's promise.
        unsafe { header.close(leave) }
    })
}

/// What a code means, in a few words; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn shmh_strerror(code: c_int) -> *const c_char {
    status::text(code).as_ptr()
}

/// What failed last in this thread, on what, and what to do next; an empty text if nothing has. Valid until the next
/// call in this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn shmh_error() -> *const c_char {
    status::last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shm_handoff::Reader;
    use shm_handoff::backend::inproc::{Channel, InProc};

    /// A message came after the hook had been asked, and before its answer was heeded.
    #[test]
    fn an_interruption_that_a_call_does_not_return_ends_the_next_one() {
        let mut reader = Reader::<InProc>::open(&Channel::new(2048)).unwrap();
        let mut waits = |policy: &mut WaitPolicy<'_>| reader.recv_with(&mut [], policy);
        let interrupted = AtomicBool::new(true);
        let received = with_policy(-1, &interrupted, |policy| {
            assert_eq!(waits(policy), Err(RecvError::Interrupted));
            Ok::<_, RecvError>(())
        });
        assert!(received.is_ok());
        assert!(with_policy(10_000, &interrupted, &mut waits).is_err_and(|fault| fault.is_an_interruption()));
        assert!(!interrupted.load(Ordering::Relaxed), "it ended one call");
    }
}
