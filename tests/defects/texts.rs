//! D6, D7 and D11: what the layout does to a text, and what `end` does.
//!
//! The properties are over all lines, in one process and in a segment; a line
//! has no NUL, as `fgets` has none to give that it would not stop at.

use crate::common::{Harness, InProcess, SystemV, len_of};
use crate::support::{Channel, ipc};
use crate::{cases, ours, theirs};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::error::Unsendable;
use shm_handoff::{Reader, SendError, WaitPolicy};

/// Room for a text, in bytes.
const ROOM: usize = 2048;

/// A line of any length, those around the slot's more often.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => vec(1_u8.., 0..=2 * ROOM),
        3 => vec(1_u8.., ROOM - 4..=ROOM + 4),
        1 => vec(1_u8.., 0..10),
    ]
}

/// A line that begins with `end`, or nearly so.
fn near_end() -> impl Strategy<Value = Vec<u8>> {
    let beginning = prop_oneof![
        4 => Just("end"),
        1 => Just("end\n"),
        1 => prop_oneof![Just(""), Just("e"), Just("en"), Just("End"), Just(" end"), Just("\nend")],
    ];
    (beginning, vec(1_u8.., 0..6)).prop_map(|(beginning, rest)| [beginning.as_bytes(), &rest].concat())
}

/// D6, shown: the tutorial's reader finds a NUL exactly behind the lines that
/// are shorter than the slot.
fn no_nul<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, writer) = theirs(&place);
    prop_assert!(writer.offer(line));
    prop_assert_eq!(reader.take().unwrap().closed, line.len() < ROOM);
    Ok(())
}

/// D6, absent: what our writer sends has a NUL behind it, and what it does not
/// send leaves the slot alone. The tutorial's reader is the judge.
fn always_a_nul<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut judge, before) = theirs(&place);
    // New memory is nothing but NULs.
    prop_assert!(before.offer(&[b'z'; ROOM]));
    prop_assert!(judge.take().is_some());
    let (_seated, mut writer) = ours(&place);
    let sent = writer.try_send(line);
    let taken = judge.take();
    prop_assert_eq!(sent.is_ok(), taken.is_some());
    if let Some(taken) = taken {
        prop_assert!(taken.closed);
        prop_assert_eq!(taken.text, line);
    }
    Ok(())
}

/// D6, absent beside the tutorial's writer: without a NUL our reader gets the
/// slot's 2048 bytes, and not one more.
fn bounded<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (_, writer) = theirs(&place);
    let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
    prop_assert!(writer.offer(line));
    let mut text = [0; 2 * ROOM];
    let len = len_of(reader.try_recv(&mut text).unwrap());
    prop_assert_eq!(&text[..len], &line[..line.len().min(ROOM)]);
    Ok(())
}

/// D7, shown: every line counts as sent, and of those over 2048 bytes the
/// beginning alone arrives.
fn cut_silently<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, writer) = theirs(&place);
    prop_assert!(writer.offer(line), "it counts as sent");
    let taken = reader.take().unwrap();
    prop_assert_eq!(&taken.text, &line[..line.len().min(ROOM)]);
    prop_assert_eq!(taken.text != line, line.len() > ROOM);
    Ok(())
}

/// D7, absent: a line arrives whole, or our writer says that it is too long and
/// how long it may be, and nothing of it arrives.
fn whole_or_refused<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, mut writer) = ours(&place);
    let sent = writer.try_send(line);
    let mut text = [0; 2 * ROOM];
    let received = reader.try_recv(&mut text).ok().map(|received| &text[..len_of(received)]);
    if line.len() < ROOM {
        prop_assert_eq!(sent, Ok(()));
        prop_assert_eq!(received, Some(line));
    } else {
        prop_assert_eq!(sent, Err(SendError::Unsendable(Unsendable::TooLong { most: ROOM - 1 })));
        prop_assert_eq!(received, None);
    }
    Ok(())
}

/// D11, shown: the tutorial's reader leaves at every text that begins with
/// `end`, whatever follows.
fn prefix_ends<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, writer) = theirs(&place);
    prop_assert!(writer.offer(line));
    prop_assert_eq!(reader.take().unwrap().leaves, line.starts_with(b"end"));
    Ok(())
}

/// D11, absent: with our writer a session ends at `end` alone. A longer line
/// that begins so is refused with the reason, and nothing of it arrives; every
/// other line arrives and ends nothing.
fn alone_ends<H: Harness>(line: &[u8]) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, mut writer) = ours(&place);
    let alone = line == b"end" || line == b"end\n";
    let sent = writer.try_send(line);
    let message = reader.peek_with(&mut WaitPolicy::non_blocking()).ok();
    if line.starts_with(b"end") && !alone {
        let why =
            if line == b"end\r" || line == b"end\r\n" { Unsendable::EndWithReturn } else { Unsendable::BeginsWithEnd };
        prop_assert_eq!(sent, Err(SendError::Unsendable(why)));
        prop_assert!(message.is_none());
    } else {
        prop_assert_eq!(sent, Ok(()));
        let message = message.expect("what was sent is there");
        prop_assert_eq!(message.text(), line);
        prop_assert_eq!(message.ends_session(), alone);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn d6_shown(line in line()) {
        no_nul::<InProcess>(&line)?;
        no_nul::<SystemV>(&line)?;
    }

    #[test]
    fn d6_absent(line in line().prop_filter("that is D11", |line| !line.starts_with(b"end"))) {
        always_a_nul::<InProcess>(&line)?;
        always_a_nul::<SystemV>(&line)?;
    }

    #[test]
    fn d6_absent_beside_the_tutorial_s_writer(line in line()) {
        bounded::<InProcess>(&line)?;
        bounded::<SystemV>(&line)?;
    }

    #[test]
    fn d7_shown(line in line()) {
        cut_silently::<InProcess>(&line)?;
        cut_silently::<SystemV>(&line)?;
    }

    #[test]
    fn d7_absent(line in line().prop_filter("that is D11", |line| !line.starts_with(b"end"))) {
        whole_or_refused::<InProcess>(&line)?;
        whole_or_refused::<SystemV>(&line)?;
    }

    #[test]
    fn d11_shown(line in near_end()) {
        prefix_ends::<InProcess>(&line)?;
        prefix_ends::<SystemV>(&line)?;
    }

    #[test]
    fn d11_absent(line in near_end()) {
        alone_ends::<InProcess>(&line)?;
        alone_ends::<SystemV>(&line)?;
    }
}

/// What lies in the segment's page behind the text. C's `%s` prints it.
const BEHIND: &str = "what lies behind the text";

/// Puts it there, for whoever has made the segment.
fn put_something_behind(channel: &Channel) {
    channel.await_attached(1);
    ipc::scribble(channel.key().number(), 2052, BEHIND.as_bytes());
}

/// For real: the C reader prints what is no text of the writer's.
#[test]
fn d6_shown_past_the_text() {
    let channel = Channel::new();
    let mut reader = channel.c_reader_in_steps();
    put_something_behind(&channel);
    let line = "x".repeat(ROOM);
    let writer = channel.c_writer().input(format!("{line}\nend\n")).start();
    reader.pass_the_time();
    writer.end().code(0);
    reader.end().got(&format!("{line}{BEHIND}end\n"));
}

/// Beside a C writer: what it cuts and leaves without a NUL arrives as the
/// slot's 2048 bytes, and the next line whole.
#[test]
fn d6_absent_from_a_c_writer() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    put_something_behind(&channel);
    let exact = "x".repeat(ROOM - 1) + "\n";
    let longer = "y".repeat(3000) + "\n";
    let writer = channel.c_writer().input(format!("{exact}{longer}after\nend\n")).start();
    reader.end().code(0).prints(exact + &longer[..ROOM] + "after\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}

/// Beside a C writer the prefix still ends the session, since the writer ends
/// with it; but it may be a line that somebody meant, so it is printed.
#[test]
fn d11_absent_from_a_c_writer() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let writer = channel.c_writer().input("before\nendless\n").start();
    reader.end().code(0).prints("before\nendless\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}
