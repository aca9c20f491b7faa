//! A recording's format.
//!
//! 1. What was written is read again, whatever it was.
//! 2. A file that is cut anywhere is read up to the last whole entry, and the rest is told as torn.
//! 3. A byte that is changed anywhere costs the entry that it is in and what comes behind, and nothing in front; what is read is
//!    never anything that was not written.
//! 4. Any bytes at all are read without a panic, and with no more memory than they have.

use crate::cases;
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::cli::record::format::{
    Entry, HEAD, HEADER, Header, Kind, Session, Shape, end_from_bytes, end_to_bytes,
};
use shm_handoff::cli::record::scan::{Entries, Stop, Unreadable};

type Recorded = (Entry, Vec<u8>);

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Session),
        Just(Kind::Message),
        Just(Kind::End),
        Just(Kind::Death),
        (5_u32..).prop_map(Kind::Other)
    ]
}

fn entry() -> impl Strategy<Value = Recorded> {
    (kind(), any::<u64>(), any::<u64>(), any::<u64>(), vec(any::<u8>(), 0..200))
        .prop_map(|(kind, time, step, position, body)| (Entry { kind, time, step, position }, body))
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![Just(Shape::Classic), Just(Shape::Ring), Just(Shape::Declared), (3_u32..).prop_map(Shape::Other)]
}

fn header() -> impl Strategy<Value = Header> {
    (any::<u64>(), shape(), any::<u64>(), any::<u64>()).prop_map(|(stream, shape, size, time)| Header {
        stream,
        shape,
        size,
        time,
    })
}

/// As it stands in a file, and where each entry ends.
fn written(header: Header, entries: &[Recorded]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = header.to_bytes().to_vec();
    let mut ends = vec![HEADER];
    for (entry, body) in entries {
        entry.append(body, &mut bytes);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

/// What is read of these bytes, and how it stops.
fn read(bytes: &[u8]) -> Result<(Option<Header>, Vec<Recorded>, Stop), Unreadable> {
    let mut entries = Entries::new(bytes, bytes.len() as u64)?;
    let (mut all, mut body) = (Vec::new(), Vec::new());
    while let Some(entry) = entries.next(&mut body)? {
        assert!(body.capacity() <= bytes.len().max(256), "{} bytes for a file of {}", body.capacity(), bytes.len());
        all.push((entry, body.clone()));
    }
    assert!(entries.at() <= bytes.len() as u64);
    Ok((entries.header(), all, entries.stop().expect("it has stopped")))
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_was_written_is_read(header in header(), entries in vec(entry(), 0..20)) {
        let (bytes, _) = written(header, &entries);
        prop_assert_eq!(read(&bytes).unwrap(), (Some(header), entries, Stop::Whole));
    }

    #[test]
    fn a_cut_costs_the_entry_that_is_cut(header in header(), entries in vec(entry(), 0..10), at in any::<prop::sample::Index>()) {
        let (bytes, ends) = written(header, &entries);
        let len = at.index(bytes.len() + 1);
        let (found, all, stop) = read(&bytes[..len]).unwrap();
        let whole = ends.partition_point(|end| *end <= len);
        let torn = len - whole.checked_sub(1).map_or(0, |last| ends[last]);
        prop_assert_eq!(found, (whole > 0).then_some(header));
        prop_assert_eq!(&all[..], &entries[..whole.saturating_sub(1)]);
        prop_assert_eq!(stop, if torn == 0 { Stop::Whole } else { Stop::Torn(torn as u64) });
    }

    #[test]
    fn zeros_behind_it_are_torn(header in header(), entries in vec(entry(), 0..5), zeros in 1_usize..10_000) {
        let (mut bytes, _) = written(header, &entries);
        bytes.resize(bytes.len() + zeros, 0);
        prop_assert_eq!(read(&bytes).unwrap(), (Some(header), entries, Stop::Torn(zeros as u64)));
    }

    #[test]
    fn a_changed_byte_costs_what_it_is_in(
        header in header(),
        entries in vec(entry(), 1..10),
        at in any::<prop::sample::Index>(),
        change in 1_u8..,
    ) {
        let (mut bytes, ends) = written(header, &entries);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        match read(&bytes) {
            Err(_) => prop_assert!(at < HEADER),
            Ok((_, all, stop)) => {
                prop_assert!(at >= HEADER);
                let before = ends.partition_point(|end| *end <= at) - 1;
                prop_assert_eq!(&all[..], &entries[..before]);
                let left = (bytes.len() - ends[before]) as u64;
                // The last one may be a torn one.
                prop_assert!(stop == Stop::Damaged(left) || (before + 1 == entries.len() && stop == Stop::Torn(left)), "{stop:?}");
            }
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..500)) {
        let _ = read(&bytes);
    }

    /// With checksums that are right, so that what is behind them is looked at, too.
    #[test]
    fn any_entries_are_read(header in header(), heads in vec((any::<[u8; 36]>(), 0_u32..100, vec(any::<u8>(), 0..60)), 0..8)) {
        let mut bytes = header.to_bytes().to_vec();
        for (mut head, len, rest) in heads {
            head[..4].copy_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
            bytes.extend_from_slice(&head);
            bytes.extend_from_slice(&rest);
        }
        let (found, all, _) = read(&bytes).unwrap();
        prop_assert_eq!(found, Some(header));
        prop_assert!(all.iter().map(|(_, body)| HEAD + body.len()).sum::<usize>() <= bytes.len());
        for (_, body) in all {
            let _ = (Session::from_bytes(&body), end_from_bytes(&body));
        }
    }

    #[test]
    fn bodies_are_read_as_they_were_written(
        (stream, shape, size) in (any::<u64>(), shape(), any::<u64>()),
        terms in ".{0,40}",
        onto in any::<u64>(),
        text in vec(any::<u8>(), 0..40),
    ) {
        let session = Session { stream, shape, size, terms };
        prop_assert_eq!(Session::from_bytes(&session.to_bytes()), Some(session));
        let body = end_to_bytes(onto, &text);
        prop_assert_eq!(end_from_bytes(&body), Some((onto, &text[..])));
    }
}

#[test]
fn a_length_that_is_a_lie_takes_no_memory() {
    let header = Header { stream: 0, shape: Shape::Classic, size: 2048, time: 0 };
    let mut bytes = header.to_bytes().to_vec();
    let mut head = [0; 36];
    head[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    head[4..8].copy_from_slice(&2_u32.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    bytes.extend_from_slice(&head);
    let mut entries = Entries::new(&bytes[..], bytes.len() as u64).unwrap();
    let mut body = Vec::new();
    assert!(entries.next(&mut body).unwrap().is_none());
    assert_eq!((entries.stop(), body.capacity()), (Some(Stop::Torn(40)), 0));
}

#[test]
fn other_files_are_told_from_recordings() {
    for (file, begins) in
        [(&b"hello, world"[..], false), (b"\x89PNG\r\n\x1a\n", false), (b"", true), (b"\x89SHM", true)]
    {
        assert_eq!(read(file).is_ok(), begins, "{file:?}");
    }
    let mut bytes = Header { stream: 1, shape: Shape::Ring, size: 65536, time: 2 }.to_bytes();
    bytes[8] = 2;
    assert!(matches!(read(&bytes), Err(Unreadable::Header(shm_handoff::cli::record::format::Headless::Version(2)))));
}
