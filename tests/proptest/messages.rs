//! What the classic layout can carry, and how a long line is split.
//!
//! * P1: A text is carried exactly if it has no NUL, is not too long, and does
//!   not begin with `end` unless it is `end` alone; the reason given is true.
//! * P2: A text ends the session exactly if its first three bytes are `end`;
//!   nothing near it does: `en`, `End`, ` end`, a NUL before it.
//! * P3: A bare end is `end` or `end` and a newline, and nothing else; it ends
//!   the session and is carried.
//! * P4: The pieces of a line, one after the other, are the line.
//! * P5: No piece is empty or longer than what fits, and none begins with `end`
//!   but the first, if the line does. No two offsets side by side begin `end`,
//!   so one byte less is always enough.
//! * P6: Where a line is cut depends on no more than the bytes that are
//!   promised to be enough.
//! * P7: Lengths around each limit (0, 1, 2046 to 2049, 8192) are carried up to
//!   2047 bytes, arrive as they are, and are split above.

use crate::cases;
use crate::common::{Harness, InProcess, SystemV, len_of, soon};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::error::Unsendable;
use shm_handoff::inside::slot::rules::{END, LOOK_AHEAD, check, cut, ends_session, is_bare_end};
use shm_handoff::{Reader, SendError, Writer};

/// Bytes among which `end` and its near misses are frequent.
fn near_end() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        4 => Just(b"end".to_vec()),
        2 => prop_oneof![Just(b"e".to_vec()), Just(b"en".to_vec()), Just(b"nd".to_vec()), Just(b"d".to_vec())],
        1 => prop_oneof![Just(b"End".to_vec()), Just(b" end".to_vec()), Just(b"END".to_vec()), Just(b"\n".to_vec())],
        1 => Just(b"\0".to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(fragment, 0..8).prop_map(|fragments| fragments.concat())
}

/// The pieces of `line`, as a sender makes them.
fn pieces(line: &[u8], most: usize) -> Vec<&[u8]> {
    let mut rest = line;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let len = cut(rest, most);
        assert!(len > 0, "no progress at {rest:?}");
        let (piece, after) = rest.split_at(len);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn p1_carried_or_refused_with_the_reason(text in near_end(), most in 0_usize..12) {
        let begins = text.len() >= 3 && text[..3] == *b"end";
        let alone = text == b"end" || text == b"end\n";
        let nul = text.iter().position(|byte| *byte == 0);
        let expected = match nul {
            _ if text == b"end\r" || text == b"end\r\n" => Err(Unsendable::EndWithReturn),
            _ if begins && !alone => Err(Unsendable::BeginsWithEnd),
            Some(at) => Err(Unsendable::Nul { at }),
            None if text.len() > most => Err(Unsendable::TooLong { most }),
            None => Ok(()),
        };
        prop_assert_eq!(check(&text, most), expected);
    }

    #[test]
    fn p2_only_its_beginning_ends_a_session(text in near_end()) {
        prop_assert_eq!(ends_session(&text), text.iter().take(3).eq(b"end"));
        if !text.is_empty() {
            let before = [b" ", text.as_slice()].concat();
            prop_assert!(!ends_session(&before));
        }
    }

    #[test]
    fn p3_a_bare_end_is_nothing_else(text in near_end()) {
        prop_assert_eq!(is_bare_end(&text), text == b"end" || text == END);
        if is_bare_end(&text) {
            prop_assert!(ends_session(&text));
            prop_assert_eq!(check(&text, 4), Ok(()));
        }
    }

    #[test]
    fn p4_p5_pieces_are_the_line_and_none_ends_it(line in near_end(), most in 4_usize..12) {
        let pieces = pieces(&line, most);
        prop_assert_eq!(pieces.concat(), line.clone());
        for (number, piece) in pieces.iter().enumerate() {
            prop_assert!(!piece.is_empty() && piece.len() <= most);
            prop_assert!(!ends_session(piece) || (number == 0 && ends_session(&line)), "{:?}", pieces);
            // Only where it must be is a piece but the last shorter.
            prop_assert!(number + 1 == pieces.len() || piece.len() + 1 >= most);
        }
        for at in 1..line.len() {
            prop_assert!(!(ends_session(&line[at - 1..]) && ends_session(&line[at..])));
        }
    }

    #[test]
    fn p6_the_promised_bytes_are_enough(line in near_end(), most in 4_usize..12) {
        let known = &line[..line.len().min(most + LOOK_AHEAD)];
        prop_assert_eq!(cut(known, most), cut(&line, most));
    }
}

#[test]
fn p2_near_misses() {
    for text in [b"".as_slice(), b"e", b"en", b"En", b"End\n", b"END\n", b" end\n", b"\nend\n", b"\0end", b"e nd"] {
        assert!(!ends_session(text) && !is_bare_end(text), "{text:?}");
    }
    for text in [b"end".as_slice(), b"end\n", b"endless\n", b"end \n", b"end\r\n", b"end\0"] {
        assert!(ends_session(text), "{text:?}");
        assert_eq!(is_bare_end(text), text.len() == 3 || text == b"end\n", "{text:?}");
    }
}

/// `end` at every offset near the cut of a slot of the classic size.
#[test]
fn p5_end_across_the_split() {
    for at in 2040..2056 {
        let mut line = vec![b'x'; 5000];
        line[at..at + 3].copy_from_slice(b"end");
        let pieces = pieces(&line, 2047);
        assert_eq!(pieces[0].len(), if at == 2047 { 2046 } else { 2047 }, "`end` at {at}");
        assert_eq!(pieces.concat(), line);
        assert!(!pieces.iter().any(|piece| ends_session(piece)));
    }
}

fn lengths<H: Harness>() {
    let place = H::fresh();
    let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
    let mut writer = Writer::<H::Backend>::open(place.address()).unwrap();
    let mut text = [0; 2048];
    for len in [0, 1, 2, 3, 4, 2044, 2045, 2046, 2047, 2048, 2049, 8192] {
        // All bytes but NUL; invalid UTF-8 among them.
        let sent: Vec<u8> = (0..len).map(|at| u8::try_from(at % 255 + 1).unwrap()).rev().collect();
        if len <= 2047 {
            writer.send_deadline(&sent, soon()).unwrap();
            let received = len_of(reader.recv_deadline(&mut text, soon()).unwrap());
            assert_eq!(&text[..received], sent, "{len} bytes");
            continue;
        }
        assert_eq!(writer.try_send(&sent), Err(SendError::Unsendable(Unsendable::TooLong { most: 2047 })));
        let mut received = Vec::new();
        for piece in pieces(&sent, writer.capacity()) {
            writer.send_deadline(piece, soon()).unwrap();
            let len = len_of(reader.recv_deadline(&mut text, soon()).unwrap());
            received.extend_from_slice(&text[..len]);
        }
        assert_eq!(received, sent, "{len} bytes");
    }
}

#[test]
fn p7_lengths_in_one_process() {
    lengths::<InProcess>();
}

#[test]
fn p7_lengths_in_a_segment() {
    lengths::<SystemV>();
}
