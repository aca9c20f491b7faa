//! Random layouts, attached: what is sent arrives, and no byte beside the flag, the payload and the answer is touched,
//! whatever lay there.

use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::declare::{Declared, FlagType, Payload, Span};
use shm_handoff::{Error, Reader, Received, RecvError, Writer};
use std::sync::atomic::{AtomicU32, Ordering};

/// What lies in a segment beforehand: no NUL, so that a text goes to its end.
const BEFORE: u8 = 0xA5;

/// A key of this test's own, and what is removed with it.
struct Place(Key);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(0x1_0001, Ordering::Relaxed) ^ std::process::id().rotate_left(12) ^ 0x4A00_0000;
            let key = Key::new(number.max(1)).unwrap();
            if Segment::stat_at(key).unwrap().is_none() {
                return Self(key);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(segment) = Segment::open(self.0) {
            let _ = segment.remove();
        }
    }
}

/// A SPEC in the terse form, whose members lie one behind the other with gaps, in any order.
fn spec() -> impl Strategy<Value = Declared> {
    let member = (1_usize..40, 0_usize..6);
    let flag = (any::<bool>(), 0_usize..9, prop_oneof![Just((0_i64, 1_i64)), (-9_i64..9, -9_i64..9)]);
    (flag, any::<bool>(), vec(member, 2..6), 0_usize..3, 0_usize..5, prop_oneof![Just(0_usize), 1_usize..20])
        .prop_filter("two values", |((_, _, (empty, full)), ..)| empty != full)
        .prop_map(|((is_byte, place, (empty, full)), is_text, members, replies, at, slack)| {
            let of = if is_byte { "i8" } else { "i32" };
            let mut next = 0_usize;
            let mut spans = Vec::new();
            let mut flag = None;
            for (number, (len, gap)) in members.iter().enumerate() {
                if number == place % members.len() {
                    next = if is_byte { next } else { next.next_multiple_of(4) };
                    flag = Some(next);
                    next += if is_byte { 1 } else { 4 };
                }
                next += gap;
                spans.push(format!("{len}@{next}"));
                next += len;
            }
            let flag = flag.unwrap();
            let replies = replies.min(spans.len() - 1);
            let reply = spans.split_off(spans.len() - replies);
            let payload = if is_text { format!("text={}", spans[0]) } else { format!("data={}", spans.join("+")) };
            let reply = if reply.is_empty() { String::new() } else { format!(",reply={}", reply.join("+")) };
            let at = 4 * at;
            // Whole words, so that the test sees each byte.
            let end = (at + next).next_multiple_of(4);
            let size = if slack == 0 { format!("size={end}") } else { format!("size>={}", end + 4 * slack) };
            let spec = format!("flag={of}@{flag},empty={empty},full={full},{payload}{reply},{size},at={at}");
            spec.parse().unwrap_or_else(|error| panic!("{error:?}\n{spec}"))
        })
}

fn ranges(declared: &Declared) -> Vec<Span> {
    let flag = declared.flag();
    let wide = matches!(flag.of, FlagType::I32 | FlagType::U32);
    let mut all = vec![Span { offset: flag.offset, len: if wide { 4 } else { 1 } }];
    match declared.payload() {
        Payload::Text(span) => all.push(*span),
        Payload::Data(spans) => all.extend(spans),
    }
    all.extend(declared.reply());
    all
}

/// All of a segment's bytes: whole words.
fn content(segment: &Segment) -> Vec<u8> {
    let mut bytes = vec![0; segment.size()];
    segment.payload(0, bytes.len()).read_bytes(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_arrives_and_nothing_else_is_touched(
        declared in spec(),
        sent in vec(vec(1_u8.., 300), 1..5),
    ) {
        let place = Place::new();
        let size = declared.size().bytes();
        let segment = Segment::create_new(place.0, size, 0o600).unwrap();
        segment.payload(0, size).write_bytes(&vec![BEFORE; size]);
        let options = Options::declared(place.0, &declared);
        let mut reader = Reader::<SysV>::open(&options).unwrap();
        let mut writer = Writer::<SysV>::open(&options).unwrap();
        let mut bytes = vec![0; reader.capacity()];
        // What lay there is a message: its flag is not the empty one.
        let lay = reader.recv(&mut bytes).unwrap();
        prop_assert_eq!(lay, Received::Message(reader.capacity()));
        prop_assert!(bytes.iter().all(|byte| *byte == BEFORE));
        for record in &sent {
            let record = &record[..writer.capacity()];
            let is_text = matches!(declared.payload(), Payload::Text(_));
            if is_text && record.starts_with(b"end") {
                continue;
            }
            writer.send(record).unwrap();
            let mut message = reader.peek().unwrap();
            prop_assert_eq!(message.text(), record);
            let answer: usize = declared.reply().iter().map(|span| span.len).sum();
            if answer > 0 {
                message.reply(&vec![0x11; answer]).unwrap();
            }
            message.release();
            for span in declared.reply() {
                let all = content(&segment);
                let lies = all.iter().skip(declared.at() + span.offset).take(span.len);
                prop_assert!(lies.copied().all(|byte| byte == 0x11), "{declared}: the answer at {span}");
            }
        }
        let used = ranges(&declared);
        for (at, byte) in content(&segment).into_iter().enumerate() {
            let is_used = at
                .checked_sub(declared.at())
                .is_some_and(|at| used.iter().any(|span| (span.offset..span.offset + span.len).contains(&at)));
            prop_assert!(is_used || byte == BEFORE, "{declared}: byte {at} is {byte:#x}");
        }
    }

    /// Whatever a peer stores in a flag and a payload, a reader of ours gets messages or waits, and a writer sends or waits.
    #[test]
    fn hostile_content_is_a_message_or_none(declared in spec(), content in vec(any::<u8>(), 400)) {
        let place = Place::new();
        let size = declared.size().bytes();
        let segment = Segment::create_new(place.0, size, 0o600).unwrap();
        let options = Options::declared(place.0, &declared);
        let mut reader = Reader::<SysV>::open(&options).unwrap();
        let mut bytes = vec![0; reader.capacity()];
        for content in content.chunks(100) {
            let all: Vec<u8> = content.iter().copied().cycle().take(size).collect();
            segment.payload(0, size).write_bytes(&all);
            match reader.try_recv(&mut bytes) {
                Ok(Received::Message(len)) => prop_assert!(len <= bytes.len()),
                Ok(Received::End) => prop_assert!(bytes.len() >= 3),
                Err(RecvError::WouldBlock) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// A layout that no memory has room for is refused by the system, and by nothing worse.
#[test]
fn a_layout_beyond_all_memory_is_an_error() {
    for spec in ["text[70368744177664]", "text[16],size>=70368744177664", "flag=i32@0,data=8@4,at=70368744177664"] {
        let place = Place::new();
        let declared: Declared = spec.parse().unwrap();
        match Reader::<SysV>::open(&Options::declared(place.0, &declared)) {
            Err(Error::Limit { .. } | Error::Os { .. }) => {}
            other => panic!("{spec}: {other:?}"),
        }
    }
}

/// A segment that is smaller than what is declared is never attached as that.
#[test]
fn a_segment_that_is_too_small_is_refused() {
    for (size, spec) in [(100, "text[1024]"), (1027, "text[1024]"), (1029, "text[1024]"), (4095, "text[8],size>=4096")]
    {
        let place = Place::new();
        Segment::create_new(place.0, size, 0o600).unwrap();
        let error = Reader::<SysV>::open(&Options::declared(place.0, &spec.parse().unwrap())).unwrap_err();
        assert!(matches!(error, Error::OtherLayout { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("a segment of {size} bytes is there")), "{error}");
    }
}

/// New memory is empty whatever zero means.
#[test]
fn new_memory_is_empty_where_zero_is_readable() {
    for spec in ["flag=i32@0,empty=1,full=0,text=60@4,size=64", "flag=u8@8,empty=1,full=0,data=8@0,size=12"] {
        let place = Place::new();
        let options = Options::declared(place.0, &spec.parse().unwrap());
        let mut reader = Reader::<SysV>::open(&options).unwrap();
        assert_eq!(reader.try_recv(&mut [0; 64]), Err(RecvError::WouldBlock), "{spec}: nothing was sent");
        let mut writer = Writer::<SysV>::open(&options).unwrap();
        let message = &b"a record"[..reader.capacity().min(8)];
        writer.send(message).unwrap();
        assert_eq!(reader.recv(&mut [0; 64]), Ok(Received::Message(8)), "{spec}");
    }
}

/// What a program made, and has not touched yet, is no message of ours: it is not sent again when it is removed.
#[test]
fn what_nobody_has_stored_is_not_sent_again() {
    let declared = "flag=i32@0,empty=7,data=8@4,size=12".parse().unwrap();
    let place = Place::new();
    let made = Segment::create_new(place.0, 12, 0o600).unwrap();
    let mut writer = Writer::<SysV>::open(&Options::declared(place.0, &declared)).unwrap();
    let observer = shm_handoff::backend::sysv::Observer::open_declared(place.0, &declared).unwrap();
    assert_eq!((observer.flag(), observer.is_full()), (Some(0), Some(false)), "its maker has not stored the flag yet");
    drop(observer);
    made.remove().unwrap();
    drop(made);
    assert_eq!(writer.stranded(), Ok(0), "nothing was sent");
}

/// Another layout is another one, whatever the hash says.
#[test]
fn no_layout_is_taken_for_the_classic_one_by_its_hash() {
    let classic: Declared = "text[2048]".parse().unwrap();
    let other = (2_i64..1 << 20)
        .map(|full| format!("flag=i32@0,full={full},text=2048@4,size=2052").parse::<Declared>().unwrap())
        .find(|other| other.hash() == classic.hash())
        .unwrap();
    let place = Place::new();
    let writer = Writer::<SysV>::open(&Options::declared(place.0, &other)).unwrap();
    assert_eq!(writer.backend().declaration().unwrap().to_string(), other.to_string());
}
