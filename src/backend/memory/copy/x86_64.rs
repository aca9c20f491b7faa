//! SSE2, which every x86-64 processor has.

use super::WIDTH;
use core::arch::asm;
use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_setzero_si128, _mm_storeu_si128,
};

/// 16 bytes.
pub(super) type Vector = __m128i;

/// Copies `len` bytes.
///
/// # Safety
/// `from` is readable and `to` writable for `len` bytes, a multiple of
/// [`WIDTH`]; they do not overlap.
#[inline(always)]
pub(super) unsafe fn copy_blocks(from: *const u8, to: *mut u8, len: usize) {
    debug_assert_eq!(len % WIDTH, 0);
    if len == 0 {
        return;
    }
    // SAFETY: the loop reads and writes exactly `len` bytes, which the
    // caller vouches for, and clobbers what it says it does.
    unsafe {
        asm!(
            // Two blocks a turn; first the odd one.
            "test {len:e}, 32",
            "jz 3f",
            "movdqu {a}, [{from}]",
            "movdqu {b}, [{from} + 16]",
            "movdqu [{to}], {a}",
            "movdqu [{to} + 16], {b}",
            "mov {at:e}, 32",
            "cmp {at}, {len}",
            "jae 4f",
            ".p2align 5",
            "3:",
            "movdqu {a}, [{from} + {at}]",
            "movdqu {b}, [{from} + {at} + 16]",
            "movdqu {c}, [{from} + {at} + 32]",
            "movdqu {d}, [{from} + {at} + 48]",
            "movdqu [{to} + {at}], {a}",
            "movdqu [{to} + {at} + 16], {b}",
            "movdqu [{to} + {at} + 32], {c}",
            "movdqu [{to} + {at} + 48], {d}",
            "add {at}, 64",
            "cmp {at}, {len}",
            "jb 3b",
            "4:",
            from = in(reg) from,
            to = in(reg) to,
            len = in(reg) len,
            at = inout(reg) 0_usize => _,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
            options(nostack),
        );
    }
}

/// The 16 bytes at `from` + `AT`, which another process may change.
///
/// # Safety
/// So many are readable there.
#[inline(always)]
pub(super) unsafe fn load_shared<const AT: usize>(from: *const u8) -> Vector {
    let loaded: Vector;
    // SAFETY: one load of 16 bytes, which the caller vouches for.
    unsafe {
        asm!(
            "movdqu {a}, [{from} + {at}]",
            from = in(reg) from,
            at = const AT,
            a = out(xmm_reg) loaded,
            options(nostack, preserves_flags, readonly),
        );
    }
    loaded
}

/// The other way round.
///
/// # Safety
/// So many are writable there.
#[inline(always)]
pub(super) unsafe fn store_shared<const AT: usize>(to: *mut u8, bytes: Vector) {
    // SAFETY: one store of 16 bytes, which the caller vouches for.
    unsafe {
        asm!(
            "movdqu [{to} + {at}], {a}",
            to = in(reg) to,
            at = const AT,
            a = in(xmm_reg) bytes,
            options(nostack, preserves_flags),
        );
    }
}

/// The 16 bytes at `from`.
///
/// # Safety
/// So many are readable there, and private.
#[inline(always)]
pub(super) unsafe fn load(from: *const u8) -> Vector {
    // SAFETY: the caller's promise.
    unsafe { _mm_loadu_si128(from.cast()) }
}

/// The other way round.
///
/// # Safety
/// So many are writable there, and private.
#[inline(always)]
pub(super) unsafe fn store(to: *mut u8, bytes: Vector) {
    // SAFETY: the caller's promise.
    unsafe { _mm_storeu_si128(to.cast(), bytes) }
}

/// A bit for each byte that is a NUL.
#[inline(always)]
pub(super) fn nuls(bytes: Vector) -> u32 {
    // SAFETY: of SSE2, which every x86-64 processor has.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())).cast_unsigned() }
}

/// Where the first of them is, of which there is one.
#[inline(always)]
pub(super) fn place(nuls: u32) -> usize {
    nuls.trailing_zeros() as usize
}

/// Where the first NUL is among pieces that lie at these places, below 48; one has a NUL.
#[inline(always)]
pub(super) fn place_in(pieces: [(Vector, usize); 3]) -> usize {
    let all = pieces.map(|(bytes, at)| u64::from(nuls(bytes)) << at);
    (all[0] | all[1] | all[2]).trailing_zeros() as usize
}

/// The lesser of two, byte by byte: a NUL where either has one.
#[inline(always)]
pub(super) fn least(one: Vector, other: Vector) -> Vector {
    // SAFETY: of SSE2, which every x86-64 processor has.
    unsafe { _mm_min_epu8(one, other) }
}

/// Asks the cache for a line as one that is about to be written.
#[inline(always)]
pub(in super::super) fn expect_write(line: *const u8) {
    // SAFETY: a prefetch changes no memory and never faults; processors without this
    // one take it for a NOP.
    unsafe { asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags)) };
}
