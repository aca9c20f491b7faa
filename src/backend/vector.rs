//! Copies to and from memory that another process may change meanwhile, by
//! vector registers in inline assembly.
//!
//! The compiler can neither see into it nor turn it into a `memcpy`, which on
//! racing memory is undefined, and which falls to a twentieth of its rate at
//! some offsets, as `rep movsb` does. It stands for relaxed accesses of the same
//! words as everywhere. `AddressSanitizer` can't see into it either: under
//! `cfg(fuzzing)` words are copied instead.

use core::arch::asm;

/// Bytes a turn of the loop.
pub(super) const WIDTH: usize = 32;

/// From here on [`copy`] can be used.
pub(super) const LEAST: usize = 16;

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

/// Copies 16 bytes.
///
/// # Safety
/// As for [`copy_blocks`], for 16 bytes.
#[inline(always)]
unsafe fn copy_16(from: *const u8, to: *mut u8) {
    // SAFETY: one load and one store of 16 bytes, which the caller vouches for.
    unsafe {
        asm!(
            "movdqu {a}, [{from}]",
            "movdqu [{to}], {a}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(xmm_reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// Copies 16 bytes; where the first NUL among them is.
///
/// # Safety
/// As for [`copy_blocks`], for 16 bytes.
#[inline(always)]
pub(super) unsafe fn copy_16_of_text(from: *const u8, to: *mut u8) -> Option<usize> {
    let nuls: u32;
    // SAFETY: as in `copy_16`; what is compared is the register.
    unsafe {
        asm!(
            "movdqu {a}, [{from}]",
            "movdqu [{to}], {a}",
            "pxor {b}, {b}",
            "pcmpeqb {b}, {a}",
            "pmovmskb {nuls:e}, {b}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            nuls = out(reg) nuls,
            options(nostack, preserves_flags),
        );
    }
    (nuls != 0).then(|| nuls.trailing_zeros() as usize)
}

/// Asks the cache for a line as one that is about to be written.
#[inline(always)]
pub(super) fn expect_write(line: *const u8) {
    // SAFETY: a prefetch changes no memory and never faults; processors without this
    // one take it for a NOP.
    unsafe { asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags)) };
}

/// Copies `len` bytes: whole blocks, then the rest by two that overlap what was
/// copied already.
///
/// # Safety
/// `from` is readable and `to` writable for `len` bytes, at least [`LEAST`]; they
/// do not overlap.
#[inline(always)]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    debug_assert!(len >= LEAST);
    let whole = len / WIDTH * WIDTH;
    let last = len - LEAST;
    // SAFETY: `whole` and both pieces end at `len` at the latest; `last` and
    // `middle` are not negative since `len` is at least LEAST.
    unsafe {
        copy_blocks(from, to, whole);
        if whole < len {
            let middle = whole.min(last);
            copy_16(from.add(middle), to.add(middle));
            copy_16(from.add(last), to.add(last));
        }
    }
}
