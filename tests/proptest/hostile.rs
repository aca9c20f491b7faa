//! Whatever another program puts into the memory.
//!
//! * P1: For any flag and any bytes the reader neither panics nor reads beyond
//!   the text: flag 0 is no message, any other flag is the bytes up to the
//!   first NUL, or all 2048.
//! * P2: A writer publishes over nothing that it did not see released, whatever
//!   the flag is.
//! * P3: A buffer of any size gets the whole text or nothing, and in the latter
//!   case the message stays.

use crate::cases;
use crate::common::{Harness, InProcess, SystemV};
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::WaitPolicy;
use shm_handoff::backend::Backend;
use shm_handoff::sync::Ordering;
use shm_handoff::{Reader, Received, RecvError, Role, SendError, Writer};

/// Any flag; those of every day more often.
fn any_flag() -> impl Strategy<Value = u32> {
    prop_oneof![2 => 0..3_u32, 1 => Just(u32::MAX), 2 => any::<u32>()]
}

/// Any 2048 bytes, with few NULs or many.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 2048),
        vec(1_u8.., 2048),
        (vec(1_u8.., 2048), 0..2048_usize).prop_map(|(mut text, nul)| {
            text[nul] = 0;
            text
        }),
    ]
}

/// What the reader must make of `flag` and `text`.
fn judge<B: Backend>(reader: &mut Reader<B>, flag: u32, text: &[u8], room: usize) -> Result<(), TestCaseError> {
    let expected = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut out = vec![0; room];
    if flag == 0 {
        prop_assert_eq!(reader.try_recv(&mut out), Err(RecvError::WouldBlock));
        return Ok(());
    }
    {
        let message = reader.peek_with(&mut WaitPolicy::non_blocking()).expect("a message");
        prop_assert_eq!(message.text(), expected);
        prop_assert_eq!(message.ends_session(), expected.starts_with(b"end"));
    }
    if room < expected.len() {
        prop_assert_eq!(reader.try_recv(&mut out), Err(RecvError::BufferTooSmall { capacity: 2048 }));
        prop_assert_eq!(reader.backend().slot().flag.load(Ordering::Relaxed), flag);
        out = vec![0; 2048];
    }
    if expected.starts_with(b"end") {
        prop_assert_eq!(reader.try_recv(&mut out), Ok(Received::End));
        prop_assert_eq!(reader.backend().slot().flag.load(Ordering::Relaxed), flag);
        reader.peek().unwrap().release();
    } else {
        prop_assert_eq!(reader.try_recv(&mut out), Ok(Received::Message(expected.len())));
        prop_assert_eq!(&out[..expected.len()], expected);
    }
    prop_assert_eq!(reader.backend().slot().flag.load(Ordering::Relaxed), 0);
    Ok(())
}

/// What a writer must do with `flag`, with a reader of ours seated.
fn judge_writer<H: Harness>(place: &H, flag: u32) -> Result<(), TestCaseError> {
    let mut writer = Writer::<H::Backend>::open(place.address()).unwrap();
    writer.backend().slot().flag.store(flag, Ordering::Relaxed);
    let expected = if flag == 0 { Ok(()) } else { Err(SendError::WouldBlock) };
    prop_assert_eq!(writer.try_send(b"mine"), expected);
    prop_assert_eq!(writer.backend().slot().flag.load(Ordering::Relaxed), if flag == 0 { 1 } else { flag });
    writer.backend().slot().flag.store(0, Ordering::Relaxed);
    writer.close().unwrap();
    Ok(())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn p1_p3_in_a_segment(rounds in vec((any_flag(), any_text(), 0..=2048_usize), 1..8)) {
        let place = SystemV::fresh();
        let mut reader = Reader::<<SystemV as Harness>::Backend>::open(place.address()).unwrap();
        let raw = place.attach();
        for (flag, text, room) in rounds {
            raw.scribble(flag, text.as_slice().try_into().unwrap());
            judge(&mut reader, flag, &text, room)?;
        }
    }

    #[test]
    fn p1_p3_in_one_process(rounds in vec((any_flag(), any_text(), 0..=2048_usize), 1..8)) {
        let place = InProcess::fresh();
        let mut reader = Reader::<<InProcess as Harness>::Backend>::open(place.address()).unwrap();
        let stranger = <InProcess as Harness>::Backend::open(place.address(), Role::Guest).unwrap();
        for (flag, mut text, room) in rounds {
            // Through a payload no text without a NUL can be written.
            let len = text.iter().position(|byte| *byte == 0).unwrap_or(2047);
            text[len] = 0;
            stranger.slot().text.write_text(&text[..len]);
            stranger.slot().flag.store(flag, Ordering::Relaxed);
            judge(&mut reader, flag, &text, room)?;
        }
    }

    #[test]
    fn p2_nothing_is_published_over(flags in vec(any_flag(), 1..8)) {
        let (here, there) = (InProcess::fresh(), SystemV::fresh());
        let _here = Reader::<<InProcess as Harness>::Backend>::open(here.address()).unwrap();
        let _there = Reader::<<SystemV as Harness>::Backend>::open(there.address()).unwrap();
        for flag in flags {
            judge_writer(&here, flag)?;
            judge_writer(&there, flag)?;
        }
    }
}
