//! The copy routine against pages that can't be touched.
//!
//! * P1: Text of any length, from a source that ends at any offset from a
//!   forbidden page, goes into a payload that ends at one, and nothing outside
//!   of the text's words is changed.
//! * P2: Text of any length comes back as it was, into room that begins or
//!   ends at a forbidden page, from a payload that begins or ends at one.
//! * P3: A payload without a NUL is text of all of its length, and reading it
//!   stops at its end, or at the end of the room.
//! * P4: Room that is too small is reported, and not a byte beyond it written.
//! * P5: Bytes of any values and length go into a payload that begins or ends at a
//!   forbidden page, from a source that does; nothing outside of their words is
//!   changed.
//! * P6: They come back as they were, into room that begins or ends at one, and
//!   nothing outside of the room is changed.
//! * P7: Text of any length up to several turns of the loop that has a NUL, wherever
//!   that is, is refused; what it leaves behind stays inside. No other byte is taken for one.
//! * P8: The first NUL ends a text, wherever it is and whatever follows it; room of any
//!   size has all of the text, or is said to be too small.

use proptest::prelude::*;
use shm_handoff::backend::memory::Payload;
use std::ffi::c_void;

/// Bytes between the forbidden pages: more than any text here.
const OPEN: usize = 4096;

/// A page to read and write between two that stop the process.
struct Guarded(*mut u8);

impl Guarded {
    fn new() -> Self {
        // SAFETY: new anonymous memory at an address of the kernel's choice:
        // nothing that is mapped is touched.
        let all = unsafe {
            libc::mmap(std::ptr::null_mut(), 3 * OPEN, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
        };
        assert!(all != libc::MAP_FAILED, "mmap failed");
        // SAFETY: the second of the three pages.
        let open = unsafe { all.cast::<u8>().add(OPEN) };
        // SAFETY: the page is this mapping's, and nothing refers to it yet.
        let done = unsafe { libc::mprotect(open.cast::<c_void>(), OPEN, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(done, 0, "mprotect failed");
        Self(open)
    }

    fn fill(&self, byte: u8) {
        // SAFETY: the whole page, which only this thread uses.
        unsafe { self.0.write_bytes(byte, OPEN) };
    }

    /// The `len` bytes at `at`, to be used in turn with the payload there.
    fn bytes(&self, at: usize, len: usize) -> Vec<u8> {
        assert!(at + len <= OPEN);
        // SAFETY: within the page, which only this thread uses.
        unsafe { std::slice::from_raw_parts(self.0.add(at), len) }.to_vec()
    }

    /// As private memory: no payload lies on this page.
    fn private(&mut self, at: usize, len: usize) -> &mut [u8] {
        assert!(at + len <= OPEN);
        // SAFETY: within the page, borrowed for as long as the slice.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
    }

    /// As shared memory: only payloads lie on this page.
    fn payload(&self, at: usize, len: usize) -> Payload<'_> {
        assert!(at.is_multiple_of(4) && at + len <= OPEN);
        // SAFETY: aligned, within the page, which stays for the borrow; nothing
        // else is at work there while the payload is.
        unsafe { Payload::from_raw(self.0.add(at), len) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made, all of it, once.
        unsafe { libc::munmap(self.0.sub(OPEN).cast(), 3 * OPEN) };
    }
}

/// `len` bytes without a NUL, each unlike its neighbours.
fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 7 % 255 + 1).unwrap()).collect()
}

/// Every length that the classic slot carries.
fn all_lengths() -> impl Iterator<Item = usize> {
    0..=2047
}

/// Where a copy of `len` bytes begins: at the forbidden page below, at the one
/// above, and at each offset from them up to more than a turn of the vector
/// loop: farther away the same alignments come again.
fn offsets(len: usize) -> impl Iterator<Item = usize> {
    (0..=33).chain((0..=33).map(move |before| OPEN - len - before))
}

#[test]
fn p1_writing_stays_inside() {
    let mut source = Guarded::new();
    let target = Guarded::new();
    for len in all_lengths() {
        let text = text(len);
        let words = len / 4 * 4 + 4;
        // The smallest payload that takes it, at both ends of the page.
        for place in [0, OPEN - words] {
            for at in offsets(len) {
                source.private(at, len).copy_from_slice(&text);
                target.fill(0xEE);
                target.payload(place, words).write_text(source.private(at, len));
                let written = target.bytes(place, words);
                assert_eq!(&written[..len], text, "{len} bytes from {at}");
                assert!(written[len..].iter().all(|byte| *byte == 0), "closed by NUL to the end of the word");
                let (before, after) = if place == 0 { (words, OPEN) } else { (0, place) };
                assert!(target.bytes(before, after - before).iter().all(|byte| *byte == 0xEE), "{len} bytes");
            }
        }
    }
}

#[test]
fn p2_reading_stays_inside() {
    let source = Guarded::new();
    let mut room = Guarded::new();
    for len in all_lengths() {
        let text = text(len);
        let words = len / 4 * 4 + 4;
        for place in [0, OPEN - words] {
            source.fill(0xEE);
            source.payload(place, words).write_text(&text);
            for at in offsets(len) {
                // No room beyond the text: what is after it is not needed.
                let out = room.private(at, len);
                assert_eq!(source.payload(place, words).read_text(out), Some(len), "{len} bytes to {at}");
                assert_eq!(out, text);
            }
        }
    }
}

#[test]
fn p3_a_text_without_a_nul_ends_with_its_payload() {
    let source = Guarded::new();
    let mut room = Guarded::new();
    source.fill(b'x');
    for words in 0..=2048 / 4 {
        let len = words * 4;
        for place in [0, OPEN - len] {
            let payload = source.payload(place, len);
            for at in [0, 1, OPEN - len - 1, OPEN - len] {
                assert_eq!(payload.read_text(room.private(at, len)), Some(len));
                assert!(room.private(at, len).iter().all(|byte| *byte == b'x'));
            }
            if let Some(less) = len.checked_sub(1) {
                assert_eq!(payload.read_text(room.private(OPEN - less, less)), None, "{len} bytes without a NUL");
            }
            let more = (len + 40).min(OPEN);
            assert_eq!(payload.read_text(room.private(OPEN - more, more)), Some(len));
        }
    }
}

/// `len` bytes of every value, each unlike its neighbours.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 7 % 256).unwrap()).collect()
}

/// Every length up to several turns of the vector loop, and longer ones.
fn lengths_of_bytes() -> impl Iterator<Item = usize> {
    (0..=300).chain([511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 4000])
}

#[test]
fn p5_bytes_are_written_inside() {
    let mut source = Guarded::new();
    let target = Guarded::new();
    for len in lengths_of_bytes() {
        let bytes = bytes(len);
        let words = len.next_multiple_of(4);
        for place in [0, OPEN - words] {
            for at in offsets(len) {
                source.private(at, len).copy_from_slice(&bytes);
                target.fill(0xEE);
                target.payload(place, words).write_bytes(source.private(at, len));
                // The rest of the last word is anything.
                let got = target.bytes(0, OPEN);
                let mut expected = vec![0xEE; OPEN];
                expected[place..place + words].copy_from_slice(&got[place..place + words]);
                expected[place..place + len].copy_from_slice(&bytes);
                assert!(got == expected, "{len} bytes from {at} to {place}");
            }
        }
    }
}

#[test]
fn p6_bytes_are_read_inside() {
    let source = Guarded::new();
    let mut room = Guarded::new();
    for len in lengths_of_bytes() {
        let bytes = bytes(len);
        let words = len.next_multiple_of(4);
        for place in [0, OPEN - words] {
            source.fill(0xEE);
            source.payload(place, words).write_bytes(&bytes);
            for at in offsets(len) {
                room.fill(0xDD);
                source.payload(place, words).read_bytes(room.private(at, len));
                let mut expected = vec![0xDD; OPEN];
                expected[at..at + len].copy_from_slice(&bytes);
                assert!(room.bytes(0, OPEN) == expected, "{len} bytes from {place} to {at}");
            }
        }
    }
}

#[test]
fn p7_a_nul_is_found_wherever_it_is() {
    let mut source = Guarded::new();
    let target = Guarded::new();
    for len in 1..=300 {
        let text = text(len);
        let words = len / 4 * 4 + 4;
        for (from, place) in [(0, 0), (OPEN - len, 0), (0, OPEN - words), (OPEN - len, OPEN - words)] {
            target.fill(0xEE);
            source.private(from, len).copy_from_slice(&text);
            for nul in 0..len {
                let byte = std::mem::take(&mut source.private(from, len)[nul]);
                assert!(
                    !target.payload(place, words).write_text(source.private(from, len)),
                    "NUL {nul} of {len} bytes"
                );
                source.private(from, len)[nul] = byte;
            }
            let (before, after) = if place == 0 { (words, OPEN) } else { (0, place) };
            assert!(target.bytes(before, after - before).iter().all(|byte| *byte == 0xEE), "{len} bytes");
            assert!(target.payload(place, words).write_text(source.private(from, len)), "{len} bytes without a NUL");
        }
    }
}

#[test]
fn p7_no_other_byte_is_a_nul() {
    let target = Guarded::new();
    for byte in 1..=255 {
        for len in [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 129, 200] {
            let text = vec![byte; len];
            let mut out = vec![0; len];
            assert!(target.payload(0, 256).write_text(&text), "{len} times {byte:#x}");
            assert_eq!(target.payload(0, 256).read_text(&mut out), Some(len), "{len} times {byte:#x}");
            assert_eq!(out, text);
        }
    }
}

#[test]
fn p8_the_first_nul_ends_a_text() {
    const LEN: usize = 304;
    let mut source = Guarded::new();
    let mut room = Guarded::new();
    for behind in [0, 0x80, 0xFF] {
        for place in [0, OPEN - LEN] {
            for nul in 0..LEN {
                let mut all = text(LEN);
                all[nul] = 0;
                all[nul + 1..].fill(behind);
                source.private(place, LEN).copy_from_slice(&all);
                room.fill(0xDD);
                for len in 0..=LEN {
                    let read = source.payload(place, LEN).read_text(room.private(OPEN - len, len));
                    assert_eq!(read, (len >= nul).then_some(nul), "room for {len}");
                    assert!(len < nul || room.private(OPEN - len, nul) == &all[..nul], "{nul} bytes into {len}");
                }
                assert!(room.bytes(0, OPEN - LEN).iter().all(|byte| *byte == 0xDD), "{nul} bytes");
                // And at the beginning of the room's page: nothing before it, nothing behind it.
                for len in [nul, nul + 1, 59, 60, 61, 63, 64, 65, 127, 128, 129] {
                    room.fill(0xDD);
                    let read = source.payload(place, LEN).read_text(room.private(0, len));
                    assert_eq!(read, (len >= nul).then_some(nul), "room for {len}");
                    assert!(room.bytes(len, OPEN - len).iter().all(|byte| *byte == 0xDD), "room for {len}");
                }
            }
        }
    }
}

/// A caller's mistake is stopped, and nothing is touched.
#[test]
fn p5_p6_what_does_not_fit_is_refused() {
    let page = Guarded::new();
    page.fill(0xEE);
    for len in [0_usize, 4, 8, 64, 300] {
        let payload = page.payload(OPEN - len, len);
        let write = || payload.write_bytes(&vec![0; len + 1]);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)).is_err());
        // A text needs room for its NUL.
        let text = || payload.write_text(&vec![b'x'; len]);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(text)).is_err());
        let read = || payload.read_bytes(&mut vec![0; len + 1]);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
        assert!(page.bytes(0, OPEN).iter().all(|byte| *byte == 0xEE));
    }
}

proptest! {
    #![proptest_config(crate::cases(2000))]

    #[test]
    fn p4_small_room_is_reported(len in 1_usize..=2047, at in 0_usize..OPEN, room in 0_usize..=2047) {
        let (source, mut target) = (Guarded::new(), Guarded::new());
        let text = text(len);
        source.payload(OPEN - 2048, 2048).write_text(&text);
        let at = at.min(OPEN - room);
        target.fill(0xEE);
        let read = source.payload(OPEN - 2048, 2048).read_text(target.private(at, room));
        prop_assert_eq!(read, (room >= len).then_some(len));
        if room >= len {
            prop_assert_eq!(&target.private(at, len)[..], &text[..]);
        }
        prop_assert!(target.bytes(0, at).iter().all(|byte| *byte == 0xEE));
        prop_assert!(target.bytes(at + room, OPEN - at - room).iter().all(|byte| *byte == 0xEE));
    }
}
