//! shm-handoff for C and C++: `capi/include/shm_handoff.h` is made from this.
//!
//! Each function checks what it is given, calls the library, and turns what comes back into a
//! code; no panic leaves it.
//!
//! What can be done at a glance, sending where there is room and receiving what is there, is tried
//! first and bare: it builds no policy and catches nothing. (It has nothing to panic at, for it says no
//! to all that is not as it should be; and where it did, `extern "C"` would abort, not unwind.) All
//! else goes the long way, which looks again.

mod declared;
mod handle;
mod hint;
mod options;
mod polled;
mod schema;
mod status;
mod version;

pub use declared::*;
pub use handle::shmh;
pub use options::*;
pub use schema::shmh_schema;
pub use status::*;
pub use version::*;

use handle::Side;
use polled::{Polled, Wish};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::declare::{Declared, Payload, Span};
use shm_handoff::{Reader, Received, RecvError, WaitPolicy, Writer};
use status::Fault;
use std::ffi::{c_char, c_int, c_void};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The role of `shmh_open` that puts messages in.
pub const SHMH_WRITER: c_int = 1;
/// The role of `shmh_open` that takes messages out.
pub const SHMH_READER: c_int = 2;

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
    // SAFETY: the caller's promise.
    unsafe { with_wish(handle, |side, interrupted, _| call(side, interrupted)) }
}

/// As [`with`], for a call that says what the descriptor of a handle, if it has one, stands for from then on.
///
/// # Safety
/// As [`with`].
#[inline]
unsafe fn with_wish(
    handle: *mut shmh,
    call: impl FnOnce(&mut Side, &AtomicBool, &mut Wish) -> Result<c_int, Fault>,
) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let header = unsafe { handle::header(handle) }?.ok_or_else(null)?;
        // SAFETY: the caller's promise.
        let side = unsafe { header.side() };
        if let Side::Polled(_) = side {
            return polled(side, |side, wish| call(side, &header.interrupted, wish));
        }
        call(side, &header.interrupted, &mut Wish::Same)
    })
}

/// Runs `call` with the side of a handle that has a descriptor. (One that panics leaves the handle closed.)
#[cold]
fn polled(side: &mut Side, call: impl FnOnce(&mut Side, &mut Wish) -> Result<c_int, Fault>) -> Result<c_int, Fault> {
    let mut wish = Wish::Same;
    let Side::Polled(polled) = std::mem::replace(side, Side::Closed) else { return call(side, &mut wish) };
    let (mut within, mut vacant) = polled.take();
    let ended = call(&mut within, &mut wish);
    vacant.wish(wish, &ended);
    *side = vacant.watch(within, ended.as_ref().is_err_and(Fault::is_a_peer_gone));
    ended
}

#[cold]
pub(crate) fn null() -> Fault {
    Fault::new(SHMH_E_INVALID, c"a pointer is NULL")
}

/// No object has more bytes.
const MOST: usize = isize::MAX as usize;

/// Whether bytes can lie there.
fn check(bytes: *const c_void, len: usize) -> Result<(), Fault> {
    match len {
        0 => Ok(()),
        _ if bytes.is_null() => Err(null()),
        1..=MOST => Ok(()),
        _ => Err(Fault::new(SHMH_E_INVALID, c"a length is more than PTRDIFF_MAX: was it negative?")),
    }
}

/// The `len` bytes that a caller has.
///
/// # Safety
/// They can be read for as long as the slice is used.
unsafe fn given<'a>(bytes: *const c_void, len: usize) -> Result<&'a [u8], Fault> {
    check(bytes, len)?;
    // SAFETY: the caller's promise; without bytes any pointer that is not NULL does.
    Ok(if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), len) } })
}

/// The `len` bytes that a caller has for what comes.
///
/// # Safety
/// They can be written for as long as the slice is used, and nothing else uses them.
unsafe fn room<'a>(bytes: *mut c_void, len: usize) -> Result<&'a mut [u8], Fault> {
    check(bytes, len)?;
    // SAFETY: the caller's promise; without bytes any pointer that is not NULL does.
    Ok(if len == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(bytes.cast::<u8>(), len) } })
}

#[inline]
fn writer(side: &mut Side) -> Result<&mut Writer<SysV>, Fault> {
    match side {
        Side::Writer(writer) => Ok(writer),
        Side::Closed | Side::Polled(_) => Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
        Side::Reader(_) | Side::AtEnd(_) | Side::Ended(_) => {
            Err(Fault::new(SHMH_E_WRONG_ROLE, c"a reader's handle, and a writer's is needed"))
        }
    }
}

#[inline]
fn reader(side: &mut Side) -> Result<&mut Reader<SysV>, Fault> {
    match side {
        Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => Ok(reader),
        Side::Closed | Side::Polled(_) => Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
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
/// A layout that is none is `SHMH_E_INVALID`; `shmh_error()` shows the place in the SPEC, in several lines.
///
/// Returns `SHMH_OK` with a handle in `*out`, or an error with NULL in it: `SHMH_E_INVALID`, `SHMH_E_ROLE_TAKEN`,
/// `SHMH_E_NOT_A_CHANNEL`, `SHMH_E_PERMISSION`, `SHMH_E_LIMIT`, `SHMH_E_CORRUPT`, `SHMH_E_SYSTEM`.
///
/// # Safety
/// `out` is NULL or can be written, `options` is NULL or can be read, and so can what it points to: a SPEC up to its NUL,
/// as many spans as their number says.
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
        let options = unsafe { options::read(key, options) }?;
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

/// Sends `len` bytes, and waits for room for `timeout_ms` at most (negative: forever; 0: not at all). In a slot
/// it waits for a reader, too. A message that is `end` alone ends the session in a slot with a text; a record of declared
/// data has `shmh_record_len()` bytes, any bytes.
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
            && len <= MOST
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
        with_wish(handle, |side, interrupted, wish| {
            let writer = writer(side)?;
            let bytes = given(bytes, len)?;
            *wish = Wish::Room(len);
            with_policy(timeout_ms, interrupted, |policy| writer.send_with(bytes, policy))?;
            Ok(SHMH_OK)
        })
    }
}

/// Sends a request, waits until the reader has released it, and copies what the reader answered to `answer`, which has
/// exactly `shmh_reply_len()` bytes. Waits as `shmh_send` does. A reader that does not answer leaves what lay
/// there. After `SHMH_E_TIMED_OUT` or `SHMH_E_INTERRUPTED` the request can have been sent: the next call waits for that one
/// first, drops its answer, and sends a request of its own. So this is no function for an event loop, where each call would send
/// one more request and receive no answer: call it in a thread, with a `timeout_ms` that is long enough.
///
/// Returns as `shmh_send`. `SHMH_E_INVALID`: also an answer of another length, or in a layout that has none.
/// `SHMH_E_PEER_GONE` can mean that the request was sent, and not answered.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `request` can be read for `len` bytes, and
/// `answer` can be written for `answer_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_call(
    handle: *mut shmh,
    request: *const c_void,
    len: usize,
    answer: *mut c_void,
    answer_len: usize,
    timeout_ms: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with_wish(handle, |side, interrupted, wish| {
            let writer = writer(side)?;
            *wish = Wish::Room(len);
            check(request, len)?;
            check(answer, answer_len)?;
            // Two slices are never of the same bytes.
            let (from, to) = (request as usize, answer as usize);
            if len > 0 && answer_len > 0 && from < to.saturating_add(answer_len) && to < from.saturating_add(len) {
                return Err(Fault::new(SHMH_E_INVALID, c"the answer's buffer overlaps the request"));
            }
            let (request, answer) = (given(request, len)?, room(answer, answer_len)?);
            with_policy(timeout_ms, interrupted, |policy| writer.call_with(request, answer, policy))?;
            Ok(SHMH_OK)
        })
    }
}

/// Ends the session, waiting as `shmh_send` does: by a message `end` in a slot with a text, by a record of its own in a ring,
/// and beside declared data when the last record was released, if a reader of ours is there. The reader removes the
/// segment, unless it has more than the declared struct.
///
/// Returns as `shmh_send`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_end(handle: *mut shmh, timeout_ms: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with_wish(handle, |side, interrupted, wish| {
            let writer = writer(side)?;
            *wish = Wish::Room(0);
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
            && size <= MOST
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
            let buffer = room(buffer, size)?;
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
/// with this handle, `shmh_reply` aside. The writer can't change them. It is not released: if this reader dies, the next one gets it.
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

/// Answers the message that was peeked at, with exactly `shmh_reply_len()` bytes. The writer sees the answer when the message is
/// released, and no part of it before.
///
/// Returns `SHMH_OK`; `SHMH_E_INVALID`, also for an answer of another length, in a layout that has none, or where no
/// message was peeked at; `SHMH_E_CLOSED` or `SHMH_E_WRONG_ROLE`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` can be read for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_reply(handle: *mut shmh, bytes: *const c_void, len: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, _| {
            if !reader(side)?.reply(given(bytes, len)?)? {
                return Err(Fault::new(SHMH_E_INVALID, c"there is nothing to answer: shmh_peek() comes first"));
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
        with_wish(handle, |side, interrupted, wish| {
            let writer = writer(side)?;
            *wish = Wish::Reader;
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
                Side::Closed | Side::Polled(_) => return Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
            }
            Ok(SHMH_OK)
        })
    }
}

/// What `tell` says of a handle; 0 for one that is none.
///
/// # Safety
/// As [`handle::header`] and [`shmh::side`].
unsafe fn told(handle: *mut shmh, tell: impl FnOnce(&Side) -> usize) -> usize {
    let mut told = 0;
    // SAFETY: the caller's promise.
    unsafe {
        with(handle, |side, _| {
            told = tell(side);
            Ok(SHMH_OK)
        });
    }
    told
}

/// Where flag and payload lie; a ring has no such places.
fn declared(side: &Side) -> Option<Declared> {
    match side {
        Side::Writer(writer) => writer.backend().declaration(),
        Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => reader.backend().declaration(),
        Side::Closed | Side::Polled(_) => None,
    }
}

fn bytes(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.len).sum()
}

/// The longest message, in bytes; 0 for a handle that is none.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_capacity(handle: *mut shmh) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        told(handle, |side| match side {
            Side::Writer(writer) => writer.capacity(),
            Side::Reader(reader) | Side::AtEnd(reader) | Side::Ended(reader) => reader.capacity(),
            Side::Closed | Side::Polled(_) => 0,
        })
    }
}

/// How many bytes each record has, where data was declared; 0: messages have lengths of their own.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_record_len(handle: *mut shmh) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        told(handle, |side| match declared(side).as_ref().map(Declared::payload) {
            Some(Payload::Data(spans)) => bytes(spans),
            Some(Payload::Text(_)) | None => 0,
        })
    }
}

/// How many bytes an answer has; 0: the layout has none.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_reply_len(handle: *mut shmh) -> usize {
    // SAFETY: the caller's promise.
    unsafe { told(handle, |side| declared(side).map_or(0, |declared| bytes(declared.reply()))) }
}

/// Writes where flag and payload lie, as a SPEC in its terse form: that of a classic slot is
/// `flag=i32@0,text=2048@4,size=2052`. As `snprintf` does, it writes no more than `size` bytes, a NUL among them, and returns
/// the length of the whole, without the NUL; 0: it is a ring, or the handle is none. `buffer` may be NULL if `size` is 0.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `buffer` can be written for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_spec(handle: *mut shmh, buffer: *mut c_char, size: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        let spec = &mut String::new();
        told(handle, |side| {
            *spec = declared(side).map_or_else(String::new, |declared| declared.to_string());
            0
        });
        if let Ok([kept @ .., last]) = room(buffer.cast(), size) {
            let len = spec.len().min(kept.len());
            kept[..len].copy_from_slice(&spec.as_bytes()[..len]);
            *kept.get_mut(len).unwrap_or(last) = 0;
        }
        spec.len()
    }
}

/// The descriptor of the handle, to wait for with `poll`, `epoll` or an event loop. It is readable (`POLLIN`) while a function
/// with a `timeout_ms` of 0 has something to do, and not otherwise: it is level-triggered. A reader has something to do when a
/// message or the end of the session is there, or the writer has died; a writer, when there is room, or the reader has gone. A
/// peer's death shows within 0.1 s.
///
/// A message that was peeked at keeps the descriptor readable until `shmh_release`, and an end until `shmh_close`. For a
/// writer, room is room for the message that `shmh_send` had none for. Where `shmh_await_reader` has found no reader,
/// the descriptor is readable when one is there. After `shmh_end` it is readable, until the next message is sent or `shmh_send` has
/// found no room for it. `shmh_call` is not for this: see there.
///
/// The first call makes the descriptor and starts a thread, which waits in the handle's place while no function runs with
/// it. From then on every function works as before, and costs more. The descriptor belongs to the handle, and `shmh_close` closes
/// it; it is only to be waited for, not read, written or closed.
///
/// Returns the descriptor, 0 or more; or `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_SYSTEM`.
///
/// # Safety
/// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shmh_fd(handle: *mut shmh) -> c_int {
    guarded(|| {
        // SAFETY: the caller's promise.
        let header = unsafe { handle::header(handle) }?.ok_or_else(null)?;
        // SAFETY: the caller's promise.
        Polled::descriptor_of(unsafe { header.side() })
    })
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
            // Its descriptor is closed behind all that.
            let (side, _vacant) = match side {
                Side::Polled(polled) => {
                    let (within, vacant) = polled.take();
                    (within, Some(vacant))
                }
                bare => (bare, None),
            };
            match side {
                Side::Closed | Side::Polled(_) => return Err(Fault::new(SHMH_E_CLOSED, c"the handle was closed")),
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
