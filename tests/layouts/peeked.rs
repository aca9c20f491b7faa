//! What a reader finds where zero is the flag of a full slot: nothing, until something is there.

use crate::support::Channel;
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{DeclaredSlot, Reader, Received, RecvError, WaitPolicy, Writer};

#[test]
fn a_slot_whose_zero_is_full_is_empty_until_it_is_filled() {
    let channel = Channel::new();
    let declared = "struct { int flag; char data[8]; },data=data,empty=1,full=0".parse().unwrap();
    let options = Options::declared(channel.key(), &declared);
    let mut reader = Reader::<SysV, DeclaredSlot>::open(&options).unwrap();
    let mut writer = Writer::<SysV, DeclaredSlot>::open(&options).unwrap();
    let mut bytes = [7; 8];
    assert_eq!(reader.await_len(&mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    assert_eq!(reader.peek_into(&mut bytes, &mut WaitPolicy::non_blocking()), Err(RecvError::TimedOut));
    assert_eq!(bytes, [7; 8], "nothing was copied");
    writer.send(b"12345678").unwrap();
    assert_eq!(reader.await_len(&mut WaitPolicy::forever()), Ok(8));
    assert_eq!(reader.peek_into(&mut bytes, &mut WaitPolicy::forever()), Ok(Received::Message(8)));
    assert_eq!(&bytes, b"12345678");
    reader.release_peeked();
    assert_eq!(reader.is_ready(), Ok(false));
    writer.backend().segment().remove().unwrap();
}
