//! D12: the comment says "non-zero: readable", the code tests `== 1`.

use crate::common::{Harness, InProcess, SystemV, len_of};
use crate::{cases, ours, theirs};
use proptest::prelude::*;
use shm_handoff::backend::Backend;
use shm_handoff::sync::Ordering;
use shm_handoff::{Role, SendError};

const FIRST: &[u8] = b"first\n";
const SECOND: &[u8] = b"second\n";

/// Any flag that says "readable"; those of every day more often.
fn readable() -> impl Strategy<Value = u32> {
    prop_oneof![1..4_u32, Just(u32::MAX), Just(0x100), 1_u32..]
}

/// The first message, published with this flag by a program that goes by the
/// comment.
fn publish<H: Harness>(place: &H, flag: u32) {
    let guest = H::Backend::open(place.address(), Role::Guest).unwrap();
    guest.slot().text.write_text(FIRST);
    guest.slot().flag.store(flag, Ordering::Release);
}

/// Shown: at every flag but 1 the tutorial's reader sees no message, and its
/// writer writes over the one that is there.
fn overwritten<H: Harness>(flag: u32) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, writer) = theirs(&place);
    publish(&place, flag);
    let sees = reader.take();
    prop_assert_eq!(sees.map(|taken| taken.text), (flag == 1).then(|| FIRST.to_vec()));
    if flag != 1 {
        prop_assert!(writer.offer(SECOND), "it takes the slot for free");
        prop_assert_eq!(reader.take().unwrap().text, SECOND, "the first one is lost");
    }
    Ok(())
}

/// Absent: at every flag but 0 our writer keeps its hands off, and our reader
/// gets the message that is there; then the next one.
fn respected<H: Harness>(flag: u32) -> Result<(), TestCaseError> {
    let place = H::fresh();
    let (mut reader, mut writer) = ours(&place);
    publish(&place, flag);
    prop_assert_eq!(writer.try_send(SECOND), Err(SendError::WouldBlock));
    let mut text = [0; 2048];
    let len = len_of(reader.try_recv(&mut text).unwrap());
    prop_assert_eq!(&text[..len], FIRST);
    prop_assert_eq!(writer.try_send(SECOND), Ok(()));
    prop_assert_eq!(writer.backend().slot().flag.load(Ordering::Acquire), 1, "we write 1 and nothing else");
    let len = len_of(reader.try_recv(&mut text).unwrap());
    prop_assert_eq!(&text[..len], SECOND);
    Ok(())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn d12_shown(flag in readable()) {
        overwritten::<InProcess>(flag)?;
        overwritten::<SystemV>(flag)?;
    }

    #[test]
    fn d12_absent(flag in readable()) {
        respected::<InProcess>(flag)?;
        respected::<SystemV>(flag)?;
    }
}
