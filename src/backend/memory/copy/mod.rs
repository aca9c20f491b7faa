//! Copies to and from memory that another process may change meanwhile, by
//! vector registers in inline assembly.
//!
//! The compiler can neither see into it nor turn it into a `memcpy`, which on
//! racing memory is undefined, and which falls to a twentieth of its rate at
//! some offsets, as `rep movsb` does. It stands for relaxed accesses of the same
//! words as everywhere: the flag's acquire and release order it, in the compiler, which
//! moves no assembly across them, and in the processor, for which these are loads and stores like
//! others. `AddressSanitizer` can't see into it either: under
//! `cfg(fuzzing)` words are copied instead.
//!
//! What a processor's registers are and do is in a file for each, of one face.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod registers;

pub(super) use registers::expect_write;
use registers::{Vector, copy_blocks, least, load, load_shared, nuls, place, place_in, store, store_shared};

/// Bytes a turn of the loop.
pub(super) const WIDTH: usize = 32;

/// From here on [`copy`] can be used.
pub(super) const LEAST: usize = 16;

/// Copies the 16 bytes at `AT` out.
///
/// # Safety
/// As for [`copy_blocks`], for these bytes.
#[inline(always)]
unsafe fn piece_out<const AT: usize>(from: *const u8, to: *mut u8) -> Vector {
    // SAFETY: the caller's promise; the target is private.
    unsafe {
        let bytes = load_shared::<AT>(from);
        store(to.add(AT), bytes);
        bytes
    }
}

/// Of a text that shares a cache line with its flag, so much.
pub(super) const SHORT: usize = 60;

/// Copies the first [`SHORT`] bytes of a text out, or 16 where they suffice; where the first NUL among them is. No
/// byte of the next cache line is touched: that would have to be fetched, and a short text does not
/// need it.
///
/// # Safety
/// As for [`copy_blocks`], for so many bytes.
#[inline(always)]
pub(super) unsafe fn copy_short_text(from: *const u8, to: *mut u8) -> Option<usize> {
    // SAFETY: the caller's promise.
    unsafe {
        let first = nuls(piece_out::<0>(from, to));
        if first != 0 {
            return Some(place(first));
        }
        let [b, c, d] = [piece_out::<16>(from, to), piece_out::<32>(from, to), piece_out::<{ SHORT - 16 }>(from, to)];
        if nuls(least(least(b, c), d)) == 0 {
            return None;
        }
        Some(place_in([(b, 16), (c, 32), (d, SHORT - 16)]))
    }
}

/// Bytes of a cache line, and of a turn of a loop over a text.
pub(super) const LINE: usize = 64;

/// Copies a [`LINE`] of a text out; the lesser of its bytes, 16 by 16, is a NUL where there is one.
///
/// # Safety
/// As for [`copy_blocks`], for a line's bytes.
#[inline(always)]
unsafe fn line_out(from: *const u8, to: *mut u8) -> Vector {
    // SAFETY: the caller's promise.
    let [a, b, c, d] = unsafe {
        [piece_out::<0>(from, to), piece_out::<16>(from, to), piece_out::<32>(from, to), piece_out::<48>(from, to)]
    };
    least(least(a, b), least(c, d))
}

/// Copies a text out, line by line up to the one with its NUL, or as far as whole lines go.
///
/// # Errors
/// How many bytes were copied, where there is no NUL among them.
///
/// # Safety
/// As for [`copy_blocks`], for `len` bytes.
#[inline(always)]
pub(super) unsafe fn copy_lines_of_text(from: *const u8, to: *mut u8, len: usize) -> Result<usize, usize> {
    // SAFETY: the caller's promise, for each line is within `len`.
    let line = |at: usize| unsafe { line_out(from.add(at), to.add(at)) };
    // SAFETY: so much was copied there.
    let found = |at: usize| at + unsafe { first_nul(to.add(at)) };
    let mut at = 0;
    // One by itself, for texts that are not so long; then two at a time.
    if LINE <= len {
        if nuls(line(0)) != 0 {
            return Ok(found(0));
        }
        at = LINE;
    }
    while at + 2 * LINE <= len {
        if nuls(least(line(at), line(at + LINE))) != 0 {
            return Ok(found(at));
        }
        at += 2 * LINE;
    }
    if at + LINE <= len {
        if nuls(line(at)) != 0 {
            return Ok(found(at));
        }
        at += LINE;
    }
    Err(at)
}

/// How far the first NUL is, which is in one of the next pieces of 16 bytes.
///
/// # Safety
/// Up to there everything is readable, and private.
#[inline(always)]
unsafe fn first_nul(text: *const u8) -> usize {
    let mut at = 0;
    loop {
        // SAFETY: the caller's promise.
        let nuls = nuls(unsafe { load(text.add(at)) });
        if nuls != 0 {
            return at + place(nuls);
        }
        at += LEAST;
    }
}

/// Whether there is a NUL among `len` bytes.
///
/// # Safety
/// So many are readable, at least a [`LINE`], and private.
#[inline(always)]
unsafe fn has_nul(from: *const u8, len: usize) -> bool {
    // SAFETY: the caller's promise, for each piece is within `len`.
    let line = |at: usize| unsafe {
        let piece = |more: usize| load(from.add(at + more));
        least(least(piece(0), piece(16)), least(piece(32), piece(48)))
    };
    let mut seen = line(len - LINE);
    let mut at = 0;
    while at + 2 * LINE <= len {
        seen = least(seen, least(line(at), line(at + LINE)));
        at += 2 * LINE;
    }
    if at + LINE <= len {
        seen = least(seen, line(at));
    }
    nuls(seen) != 0
}

/// Copies a text of `len` bytes in, unless there is a NUL among them; whether it did.
///
/// # Safety
/// As for [`copy`].
#[inline(always)]
pub(super) unsafe fn copy_text_in(from: *const u8, to: *mut u8, len: usize) -> bool {
    debug_assert!(len >= LEAST);
    // SAFETY: the caller's promise, for each piece is within `len`; the source is private.
    unsafe {
        if len > LINE {
            let is_text = !has_nul(from, len);
            if is_text {
                copy(from, to, len);
            }
            return is_text;
        }
        // All of it in registers: by pieces that overlap.
        let middle = if len > 2 * LEAST { LEAST } else { 0 };
        let at = [0, middle, len - LEAST - middle, len - LEAST];
        let pieces = at.map(|at| load(from.add(at)));
        let is_text = nuls(least(least(pieces[0], pieces[1]), least(pieces[2], pieces[3]))) == 0;
        if is_text {
            store_shared::<0>(to.add(at[0]), pieces[0]);
            store_shared::<0>(to.add(at[1]), pieces[1]);
            store_shared::<0>(to.add(at[2]), pieces[2]);
            store_shared::<0>(to.add(at[3]), pieces[3]);
        }
        is_text
    }
}

/// Copies 16 bytes.
///
/// # Safety
/// As for [`copy_blocks`], for 16 bytes.
#[inline(always)]
unsafe fn copy_16(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { store_shared::<0>(to, load_shared::<0>(from)) };
}

/// Copies 32 bytes, all of which are loaded before any is stored.
///
/// # Safety
/// As for [`copy_blocks`], for 32 bytes.
#[inline(always)]
unsafe fn copy_32(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let (first, second) = (load_shared::<0>(from), load_shared::<16>(from));
        store_shared::<0>(to, first);
        store_shared::<16>(to, second);
    }
}

/// Copies `len` bytes: few of them by two pieces that overlap, many by whole blocks, and then the rest by two
/// pieces that overlap what was copied already.
///
/// # Safety
/// `from` is readable and `to` writable for `len` bytes, at least [`LEAST`]; they
/// do not overlap.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    debug_assert!(len >= LEAST);
    let last = len - LEAST;
    // SAFETY: each piece ends at `len` at the latest; where it begins is not negative, for `len` is at
    // least what the branch says.
    unsafe {
        if len <= 2 * LEAST {
            copy_16(from, to);
            copy_16(from.add(last), to.add(last));
        } else if len <= 2 * WIDTH {
            copy_32(from, to);
            copy_32(from.add(len - WIDTH), to.add(len - WIDTH));
        } else {
            let whole = len & !(WIDTH - 1);
            copy_blocks(from, to, whole);
            if whole < len {
                copy_32(from.add(len - WIDTH), to.add(len - WIDTH));
            }
        }
    }
}
