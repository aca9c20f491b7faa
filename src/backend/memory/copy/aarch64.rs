//! NEON, which every aarch64 processor that runs Linux has.
//!
//! A load or store of a register is no single access, as little as one of SSE2 is: another process may
//! see a part of it. It is at least as whole as the words that it stands for, which begin at multiples of four.

use super::WIDTH;
use core::arch::aarch64::{
    uint8x16_t, vceqzq_u8, vget_lane_u64, vld1q_u8, vminq_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16,
    vst1q_u8,
};
use core::arch::asm;

/// 16 bytes.
pub(super) type Vector = uint8x16_t;

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
            "tbz {len}, #5, 3f",
            "ldp {a:q}, {b:q}, [{from}], #32",
            "stp {a:q}, {b:q}, [{to}], #32",
            "subs {len}, {len}, #32",
            "b.eq 4f",
            ".p2align 4",
            "3:",
            "ldp {a:q}, {b:q}, [{from}], #64",
            "ldp {c:q}, {d:q}, [{from}, #-32]",
            "stp {a:q}, {b:q}, [{to}], #64",
            "stp {c:q}, {d:q}, [{to}, #-32]",
            "subs {len}, {len}, #64",
            "b.ne 3b",
            "4:",
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            len = inout(reg) len => _,
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
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
            "ldur {a:q}, [{from}, #{at}]",
            from = in(reg) from,
            at = const AT,
            a = out(vreg) loaded,
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
            "stur {a:q}, [{to}, #{at}]",
            to = in(reg) to,
            at = const AT,
            a = in(vreg) bytes,
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
    unsafe { vld1q_u8(from) }
}

/// The other way round.
///
/// # Safety
/// So many are writable there, and private.
#[inline(always)]
pub(super) unsafe fn store(to: *mut u8, bytes: Vector) {
    // SAFETY: the caller's promise.
    unsafe { vst1q_u8(to, bytes) }
}

/// Four bits for each byte that is a NUL.
#[inline(always)]
pub(super) fn nuls(bytes: Vector) -> u64 {
    // SAFETY: of NEON, which is there.
    unsafe {
        let found = vreinterpretq_u16_u8(vceqzq_u8(bytes));
        vget_lane_u64::<0>(vreinterpret_u64_u8(vshrn_n_u16::<4>(found)))
    }
}

/// Where the first of them is, of which there is one.
#[inline(always)]
pub(super) fn place(nuls: u64) -> usize {
    nuls.trailing_zeros() as usize / 4
}

/// Where the first NUL is among pieces that lie at these places; one has a NUL.
#[inline(always)]
pub(super) fn place_in(pieces: [(Vector, usize); 3]) -> usize {
    let [first, second, third] = pieces.map(|(bytes, at)| (nuls(bytes), at));
    let (nuls, at) = [first, second].into_iter().find(|(nuls, _)| *nuls != 0).unwrap_or(third);
    at + place(nuls)
}

/// The lesser of two, byte by byte: a NUL where either has one.
#[inline(always)]
pub(super) fn least(one: Vector, other: Vector) -> Vector {
    // SAFETY: of NEON, which is there.
    unsafe { vminq_u8(one, other) }
}

/// Asks the cache for a line as one that is about to be written.
#[inline(always)]
pub(in super::super) fn expect_write(line: *const u8) {
    // SAFETY: a prefetch changes no memory and never faults.
    unsafe { asm!("prfm pstl1keep, [{}]", in(reg) line, options(nostack, preserves_flags)) };
}
