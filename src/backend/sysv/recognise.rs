//! Which layout a segment has, and how a ring is made.

use super::kernel::rows::Stat;
use super::kernel::{geteuid, now, random, since, sleep};
use super::key::Key;
use super::lock::{JUDGED, Lock};
use super::segment::Segment;
use super::taken::AGAIN;
use super::wish::Wish;
use crate::backend::memory::header::{self, Header, Said};
use crate::backend::memory::mapped::Shape;
use crate::backend::memory::offsets::{SLOT, ring};
use crate::backend::memory::slot::AnySlot;
use crate::error::{Error, Layout, plural};

/// What the size alone says: for a ring, what it would be.
pub(super) fn by_size(key: Key, stat: &Stat) -> Result<Layout, Error> {
    if stat.size == SLOT.size {
        return Ok(Layout::Slot);
    }
    match stat.size.checked_sub(ring::RECORDS_AT) {
        Some(capacity) if ring::is_capacity(capacity) => Ok(Layout::Ring { capacity }),
        _ => {
            let (looks, spec) = resemblance(stat.size).unzip();
            Err(Error::NotAChannel {
                key: key.number(),
                why: format!(
                    "it has {} byte{}{}; a classic slot has {}, a ring 8 KiB and a power of two",
                    stat.size,
                    plural(stat.size),
                    looks.unwrap_or_default(),
                    SLOT.size
                ),
                looks_like: spec,
            })
        }
    }
}

/// What a segment of another size looks like, of what programs that descend from the tutorial have: in words, and as
/// a declaration.
fn resemblance(size: usize) -> Option<(String, String)> {
    let length = |size: usize| size.checked_sub(SLOT.text_at).filter(|len| *len >= 8);
    let (of, whole) = (SLOT.text_len, SLOT.size);
    let half = length(size / 2).filter(|len| size.is_multiple_of(2) && len.is_power_of_two());
    // People choose powers of two, and round numbers. All are multiples of 4, so nothing is padded.
    Some(match (length(size), half) {
        (Some(len), None) if len.is_power_of_two() || len.is_multiple_of(100) => {
            let words = format!(", as the tutorial's struct has with text[{len}] in the place of text[{of}]");
            (words, format!("text[{len}]"))
        }
        (_, Some(len)) => {
            let words = format!(", as two of the tutorial's structs have with text[{len}]");
            (words, format!("text[{len}],size={size}"))
        }
        _ if size > whole && size.is_multiple_of(1024) => {
            let words = format!(", as where a program asks shmget for more than the {whole} bytes of its struct");
            (words, format!("text[{of}],size={size}"))
        }
        _ => return None,
    })
}

fn not_a_channel(key: Key, why: impl Into<String>) -> Error {
    Error::NotAChannel { key: key.number(), why: why.into(), looks_like: None }
}

/// What the segment is, and what a ring says of itself. `lock`: we hold the lock under which rings are made, so a
/// ring without a magic is one whose maker died; it is made anew, for messages of that schema.
pub(super) fn recognise(
    segment: &Segment,
    stat: &Stat,
    lock: Option<&Lock>,
    schema: u64,
) -> Result<(Layout, Option<Said>), Error> {
    let key = segment.key();
    let layout = by_size(key, stat)?;
    let Layout::Ring { capacity } = layout else { return Ok((layout, None)) };
    let mut read = header(segment).read();
    if let Some(lock) = lock
        && read == Err(0)
        && stat.uid == geteuid()
    {
        if is_left_to_us(segment, stat, lock)? && is_half_made(segment, capacity) {
            return Ok((layout, Some(make_ring(segment, capacity, schema))));
        }
        read = header(segment).read();
    }
    if let Ok(said) = read {
        if said.version != ring::VERSION {
            let version = said.version;
            return Err(not_a_channel(
                key,
                format!("it is a ring of version {version}, and this program knows version {}", ring::VERSION),
            ));
        }
        if usize::try_from(said.capacity) != Ok(capacity) {
            return Err(not_a_channel(
                key,
                format!("it says that it has {} bytes for records, and has {capacity}", said.capacity),
            ));
        }
        return Ok((layout, Some(said)));
    }
    Err(not_a_channel(key, "it has the size of a ring, and no ring's header"))
}

/// What a ring of a segment of a ring's size says of itself, if it is one that this library knows.
pub(super) fn said(segment: &Segment) -> Option<Said> {
    let is_ring = segment.size().checked_sub(ring::RECORDS_AT).is_some_and(ring::is_capacity);
    if !is_ring {
        return None;
    }
    header(segment).read().ok().filter(|said| said.version == ring::VERSION)
}

/// Whether nobody beside us is attached, at the latest when all have gone that will: no observer comes while we hold
/// the lock, and those that were there go. A maker whose lock was removed with the set goes on, until it is made.
fn is_left_to_us(segment: &Segment, stat: &Stat, lock: &Lock) -> Result<bool, Error> {
    if stat.attached == 1 {
        return Ok(true);
    }
    let started = now();
    lock.await_observers();
    loop {
        let stat = segment.stat()?;
        if stat.attached == 1 {
            return Ok(true);
        }
        if stat.removed || header(segment).read() != Err(0) || since(started) > JUDGED {
            return Ok(false);
        }
        sleep(AGAIN);
    }
}

/// Whether nothing lies there but what the maker of such a ring would have put
/// there. Its stream and its schema can be anything.
fn is_half_made(segment: &Segment, capacity: usize) -> bool {
    let is_free = |at: usize| (ring::STREAM_AT..ring::SCHEMA_AT + 8).contains(&at);
    let expected = |at: usize| -> [u32; 2] {
        let flag_or_text = if at == SLOT.flag_at {
            1
        } else {
            let mut word = [0; 4];
            let from = at.wrapping_sub(SLOT.text_at);
            if let Some(rest) = ring::DECOY.get(from..) {
                let len = rest.len().min(4);
                word[..len].copy_from_slice(&rest[..len]);
            }
            u32::from_ne_bytes(word)
        };
        let header = match at {
            ring::VERSION_AT => ring::VERSION,
            ring::CAPACITY_AT => u32::try_from(capacity).unwrap_or(0),
            _ => 0,
        };
        [0, if at < SLOT.size { flag_or_text } else { header }]
    };
    // All of it: what lies behind the header may be somebody's own.
    (0..ring::RECORDS_AT).step_by(4).all(|at| is_free(at) || expected(at).contains(&segment.bits(at)))
        && (ring::RECORDS_AT..ring::size(capacity)).step_by(4).all(|at| segment.bits(at) == 0)
}

/// Whether the segment is one of a declared layout. `lock`: as for [`recognise`].
pub(super) fn is_declared(
    segment: &Segment,
    stat: &Stat,
    wish: &'static Wish,
    lock: Option<&Lock>,
) -> Result<(), Error> {
    let key = segment.key();
    fits(key, stat, wish)?;
    // A slot that begins in front of a ring's header could be taken for one that lies in a large segment.
    if let Ok(Layout::Ring { .. }) = by_size(key, stat)
        && let Ok(Said { version, .. }) = header(segment).read()
    {
        return Err(not_a_channel(key, format!("it is a ring of version {version}, and no segment of {wish}")));
    }
    if lock.is_some() && stat.attached == 1 && wish.geometry.begins_full() {
        make_up(segment, wish);
    }
    Ok(())
}

/// Whether a segment of that size can be one of a declared layout.
pub(super) fn fits(key: Key, stat: &Stat, wish: &Wish) -> Result<(), Error> {
    if wish.geometry.accepts(stat.size) {
        return Ok(());
    }
    let found = match by_size(key, stat) {
        Ok(layout) => layout.to_string(),
        Err(_) => format!("a segment of {} byte{}", stat.size, plural(stat.size)),
    };
    let is_other = by_size(key, stat).is_err();
    let larger = Some(stat.size).filter(|size| is_other && *size > wish.geometry.size());
    Err(Error::OtherLayout { key: key.number(), found, wanted: format!("the layout {wish}"), larger })
}

/// New memory is all zero: where that is no empty flag, its maker stores one. Nobody else of ours comes meanwhile.
pub(super) fn make_empty(segment: &Segment, wish: &'static Wish) {
    if let Some(slot) = segment.views(Shape::Declared(&wish.geometry)).declared
        && wish.geometry.begins_full()
    {
        header::put_flag(slot.flag(), slot.empty());
    }
}

/// What its maker died before it did, as far as that can be told: where zero is "readable", it can't.
fn make_up(segment: &Segment, wish: &'static Wish) {
    if let Some(slot) = segment.views(Shape::Declared(&wish.geometry)).declared
        && slot.is_untouched()
    {
        make_empty(segment, wish);
    }
}

/// Makes a ring of what is all zero, or half made, for messages of that schema. The magic comes last: without
/// it nobody takes this for a ring.
pub(super) fn make_ring(segment: &Segment, capacity: usize, schema: u64) -> Said {
    segment.payload(SLOT.text_at, SLOT.text_len).write_text(ring::DECOY);
    header::put(segment.word(SLOT.flag_at), 1);
    let said = Said::of_new(capacity as u64, random().max(1), schema);
    header(segment).make(said);
    said
}

fn header(segment: &Segment) -> Header<'_> {
    Header {
        magic: segment.double_word(ring::MAGIC_AT),
        version: segment.word(ring::VERSION_AT),
        capacity: segment.double_word(ring::CAPACITY_AT),
        stream: segment.double_word(ring::STREAM_AT),
        schema: segment.double_word(ring::SCHEMA_AT),
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_the_tutorial_s_family_are_told() {
        let says = |size: usize, what: &str| {
            let said = resemblance(size).unwrap_or_default();
            assert!(said.0.contains(what) && said.0.is_empty() == what.is_empty(), "{size}: {said:?}");
            assert_eq!(said.1.is_empty(), what.is_empty(), "{size}: {said:?}");
        };
        for len in [16, 32, 100, 256, 1000, 1024, 4096, 8192] {
            says(len + 4, &format!("text[{len}] "));
        }
        says(2 * 2052, "two of the tutorial's structs have with text[2048]");
        says(16 * 1024, "more than the 2052");
        for size in [1, 4, 7, 1000, 2051, 2053, 5000] {
            says(size, "");
        }
    }
}
