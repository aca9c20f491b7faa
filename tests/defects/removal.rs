//! D10: the reader removes the segment whoever is attached, and a writer that
//! comes later makes a new one.

use crate::FOR_EVER;
use crate::ends::waits;
use crate::support::{Channel, eventually, ipc};

fn segment(channel: &Channel) -> i32 {
    ipc::find_segment(channel.key().number()).expect("there is a segment")
}

/// A session of C peers ends while somebody else, who is stopped, is attached:
/// the segment is removed under them.
fn end_a_session(channel: &Channel) {
    let mut reader = channel.c_reader_in_steps();
    let writer = channel.c_writer().input("end\n").end();
    writer.code(0);
    reader.pass_the_time();
    reader.end().got("end\n");
    assert_eq!(channel.stat(), None, "the key leads nowhere");
}

/// Shown, in a row: the second reader sits on an orphan; the writer that comes
/// later makes a new segment, where nobody reads its message; and when both
/// have been killed the segment stays, with the message.
#[test]
fn d10_shown() {
    let channel = Channel::new();
    let mut left = channel.c_reader_in_steps();
    let orphan = segment(&channel);
    end_a_session(&channel);
    assert_eq!(ipc::attached(orphan), Some(1), "an orphan, which no key leads to");

    let mut writer = channel.c_writer_in_steps("hello\nend\n");
    assert_ne!(segment(&channel), orphan, "the writer has made another one");
    for _ in 0..FOR_EVER {
        assert!(left.second() && writer.second(), "one of them has ended");
    }
    assert_eq!((left.messages().as_str(), waits(&mut writer)), ("", FOR_EVER), "they never meet");

    left.kill();
    assert_eq!(ipc::attached(orphan), None);
    writer.kill();
    assert!(channel.is_full() && channel.attached() == 0, "a leak, and in it a message that nobody will read");
}

/// Absent: a reader of ours in the second one's place sees that the segment was
/// removed, opens the key again, and meets the next writer there; with the end
/// of that session nothing is left.
#[test]
fn d10_absent() {
    let channel = Channel::new();
    let mut left = channel.seated_reader(&[]);
    let orphan = segment(&channel);
    // It must not be the one that gets the first session's end.
    left.stop();
    end_a_session(&channel);
    assert_eq!(ipc::attached(orphan), Some(1));
    left.go_on();
    eventually("the orphan is gone", || ipc::attached(orphan).is_none().then_some(()));

    let writer = channel.c_writer().input("hello\nend\n").start();
    left.end().code(0).prints("hello\n");
    writer.end().code(0);
    channel.assert_nothing_left();
}
