//! What lies at which offset of a segment, seen from outside.

use super::{Key, Options, Segment, SysV};
use crate::backend::memory::offsets::{SLOT, ring};
use crate::backend::{Backend, Layout, RingView};
use crate::error::{Error, Role};
use crate::sync::{AtomicU32, Ordering::Relaxed};
use std::ptr;

/// A key of this process alone.
fn key(number: u32) -> Key {
    Key::new(std::process::id() << 8 | number).expect("it is not 0")
}

fn a_ring(number: u32) -> Result<SysV, Error> {
    let made = SysV::open(&Options::ring(key(number), 64 << 10)?, Role::Guest)?;
    made.segment().remove()?;
    Ok(made)
}

#[test]
fn a_ring_says_what_it_is() -> Result<(), Error> {
    let made = a_ring(0xF0)?;
    let segment = made.segment();
    assert_eq!(segment.double_word(ring::MAGIC_AT).load(Relaxed), ring::MAGIC);
    assert_eq!(segment.word(ring::VERSION_AT).load(Relaxed), ring::VERSION);
    assert_eq!(segment.double_word(ring::CAPACITY_AT).load(Relaxed), 65_536);
    Ok(())
}

#[test]
fn a_ring_looks_like_a_message_to_a_c_program() -> Result<(), Error> {
    let made = a_ring(0xF1)?;
    let mut text = [0; 2048];
    let len = made.segment().payload(SLOT.text_at, SLOT.text_len).read_text(&mut text);
    assert_eq!(len.map(|len| &text[..len]), Some(ring::DECOY), "what a C program would show");
    assert_eq!(made.segment().word(SLOT.flag_at).load(Relaxed), 1, "nor would it write");
    Ok(())
}

#[test]
fn a_view_has_the_words_where_they_are_said_to_lie() -> Result<(), Error> {
    let made = a_ring(0xF2)?;
    let (segment, view): (&Segment, RingView<'_>) = (made.segment(), made.ring());
    assert!(ptr::eq(view.head(), segment.double_word(ring::HEAD_AT)));
    assert!(ptr::eq(view.released(), segment.double_word(ring::RELEASED_AT)));
    let fences = |word: Option<&AtomicU32>, at| word.is_none_or(|word| ptr::eq(word, segment.word(at)));
    assert!(fences(Some(view.closed()), ring::CLOSED_AT));
    assert!(fences(Some(view.reader_parked()), ring::READER_PARKED_AT));
    assert!(fences(Some(view.writer_parked()), ring::WRITER_PARKED_AT));
    assert!(fences(view.reader_fences().map(|fences| fences.word), ring::READER_PEER_FENCES_AT));
    assert!(fences(view.writer_fences().map(|fences| fences.word), ring::WRITER_PEER_FENCES_AT));
    Ok(())
}

#[test]
fn a_ring_without_a_capacity_has_the_default() -> Result<(), Error> {
    let made = SysV::open(&Options::any_ring(key(0xF3)), Role::Guest)?;
    made.segment().remove()?;
    assert_eq!(made.layout(), Layout::Ring { capacity: ring::DEFAULT });
    Ok(())
}

#[test]
fn a_released_message_and_a_met_end_are_in_the_header() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::ring(key(0xF4), 64 << 10)?;
    let (mut writer, mut reader) = (crate::Writer::<SysV>::open(&options)?, crate::Reader::<SysV>::open(&options)?);
    let segment = Segment::open(key(0xF4))?;
    let (released, closed) = (segment.double_word(ring::RELEASED_AT), segment.word(ring::CLOSED_AT));
    writer.send(b"hello")?;
    let mut seen = vec![(released.load(Relaxed), closed.load(Relaxed))];
    reader.peek()?.release();
    seen.push((released.load(Relaxed), closed.load(Relaxed)));
    writer.end()?;
    assert!(reader.end_session()?);
    seen.push((released.load(Relaxed), closed.load(Relaxed)));
    assert_eq!(seen, [(0, 0), (16, 0), (16, 1)], "8 bytes of a header, and the bytes in units of 8");
    Ok(())
}
