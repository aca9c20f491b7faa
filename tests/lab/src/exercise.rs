//! What an exercise is, and what its sides do.

use crate::side::{Called, Quiet};
use crate::stage::{Cast, Said, begins_anew, has, meets_at, says};
use shm_handoff::backend::Backend;
use shm_handoff::backend::inproc::Channel;
use shm_handoff::inside::tutorial::{self, Mended, Taken};
use shm_handoff::sync::yield_now;
use shm_handoff::{Core, Error, RecvError, Ring, SendError, Slot};

/// In which way an exercise has gone wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Lost,
    Doubled,
    Torn,
    Stale,
    Mixed,
    Hang,
    Race,
    MissedEnd,
    FalseEnd,
    Orphan,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Torn => "torn",
            Self::Stale => "stale",
            Self::Mixed => "mixed",
            Self::Hang => "hang",
            Self::Race => "race",
            Self::MissedEnd => "missed-end",
            Self::FalseEnd => "false-end",
            Self::Orphan => "orphan",
        }
    }
}

/// What happened up to a state, and whether anything more can.
pub(crate) struct Seen<'a> {
    /// Of each side.
    pub(crate) said: Vec<&'a [Said]>,
    pub(crate) raced: bool,
    /// Nobody will say anything any more.
    pub(crate) settled: bool,
    /// Somebody has not ended, and can't.
    pub(crate) stuck: bool,
}

impl Seen<'_> {
    fn all(&self) -> impl Iterator<Item = &Said> {
        self.said.iter().copied().flatten()
    }

    pub(crate) fn sent(&self) -> Vec<&str> {
        self.all().filter_map(|said| if let Said::Sent(line) = said { Some(&**line) } else { None }).collect()
    }

    pub(crate) fn printed(&self) -> Vec<&str> {
        self.all().filter_map(|said| if let Said::Printed(line) = said { Some(&**line) } else { None }).collect()
    }
}

pub(crate) struct Exercise {
    pub(crate) id: &'static str,
    /// Its sides, the writers first.
    pub(crate) sides: &'static [&'static str],
    /// Those that can be killed, one in a run.
    pub(crate) mortal: &'static [usize],
    /// Accesses to text have to be ordered, too: so a race is found that shows in no value here.
    pub(crate) plain_text: bool,
    pub(crate) cast: fn() -> Cast,
    /// Every way that it can go wrong; none where it is ours.
    pub(crate) judge: fn(&Seen<'_>) -> Option<Outcome>,
}

impl Exercise {
    pub(crate) fn outcome(&self, seen: &Seen<'_>) -> Option<Outcome> {
        if seen.raced { Some(Outcome::Race) } else { (self.judge)(seen) }
    }
}

/// Seven bytes, so that a copy is two words and can be half made.
const AAA: &str = "AAAAAA\n";
const BBB: &str = "BBBBBB\n";
const END: &str = "end\n";

fn slot() -> Channel {
    meets_at(Channel::new(8))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

// The tutorial's sides.

fn tutorial_writer<B: Backend<Address = Channel>>(slot: &Channel, mended: Mended) -> Option<tutorial::Writer<B>> {
    let writer = tutorial::Writer::open(slot, mended);
    if writer.is_err() {
        says(Said::Refused);
    }
    writer.ok()
}

fn tutorial_reader<B: Backend<Address = Channel>>(slot: &Channel, mended: Mended) -> Option<tutorial::Reader<B>> {
    let reader = tutorial::Reader::open(slot, mended);
    if reader.is_err() {
        says(Said::Refused);
    }
    reader.ok()
}

fn sends<B: Backend>(writer: &tutorial::Writer<B>, lines: &[&str]) {
    for line in lines {
        has(Some(line));
        while !writer.offer(line.as_bytes()) {
            yield_now();
        }
        says(Said::Sent((*line).to_owned()));
        has(None);
        begins_anew();
    }
}

fn prints<B: Backend>(reader: &mut tutorial::Reader<B>) -> Taken {
    loop {
        match reader.take_printing(|line| says(Said::Printed(text(line)))) {
            Some(taken) => break taken,
            None => yield_now(),
        }
    }
}

/// Prints until what the tutorial's reader takes for the end.
fn prints_to_the_end<B: Backend>(reader: &mut tutorial::Reader<B>) {
    loop {
        let taken = prints(reader);
        says(if taken.leaves { Said::Ends } else { Said::GoesOn });
        if taken.leaves {
            return;
        }
        begins_anew();
    }
}

/// A writer and a reader that are there from the beginning: what is left is what they do with the flag.
fn tutorials(mended: Mended, lines: &'static [&'static str], messages: Option<usize>) -> Cast {
    let slot = slot();
    let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("the seat is free");
    let writer = tutorial_writer::<Quiet>(&slot, mended).expect("the seat is free");
    vec![
        ("writer", Box::new(move || sends(&writer, lines))),
        (
            "reader",
            Box::new(move || match messages {
                Some(messages) => {
                    for _ in 0..messages {
                        prints(&mut reader);
                        begins_anew();
                    }
                }
                None => prints_to_the_end(&mut reader),
            }),
        ),
    ]
}

fn d1() -> Cast {
    tutorials(Mended { flag: false, ..Mended::ALL }, &[AAA], Some(1))
}

fn d2() -> Cast {
    tutorials(Mended { order: false, ..Mended::ALL }, &[AAA, BBB], Some(2))
}

fn d3() -> Cast {
    tutorials(Mended { judging: false, ..Mended::ALL }, &[END, AAA], None)
}

fn d3_false_end() -> Cast {
    tutorials(Mended { judging: false, ..Mended::ALL }, &[AAA, BBB, END], None)
}

/// The reader starts when it likes.
fn d4() -> Cast {
    let mended = Mended { starting: false, ..Mended::ALL };
    let slot = slot();
    let writer = tutorial_writer::<Called>(&slot, mended).expect("the seat is free");
    vec![
        ("writer", Box::new(move || sends(&writer, &[AAA, BBB]))),
        (
            "reader",
            Box::new(move || {
                let Some(mut reader) = tutorial_reader::<Called>(&slot, mended) else { return };
                for _ in 0..2 {
                    prints(&mut reader);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// Two writers, and a reader for both.
fn d5() -> Cast {
    let mended = Mended { seats: false, ..Mended::ALL };
    let slot = slot();
    let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("nobody is kept out");
    let writes = |line: &'static [&'static str]| {
        let writer = tutorial_writer::<Quiet>(&slot, mended).expect("nobody is kept out");
        move || sends(&writer, line)
    };
    vec![
        ("writer-a", Box::new(writes(&[AAA]))),
        ("writer-b", Box::new(writes(&[BBB]))),
        (
            "reader",
            Box::new(move || {
                for _ in 0..2 {
                    prints(&mut reader);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// Two readers, and a message for each.
fn d5_readers() -> Cast {
    let mended = Mended { seats: false, ..Mended::ALL };
    let slot = slot();
    let writer = tutorial_writer::<Quiet>(&slot, mended).expect("nobody is kept out");
    let reads = || {
        let mut reader = tutorial_reader::<Quiet>(&slot, mended).expect("nobody is kept out");
        move || drop(prints(&mut reader))
    };
    vec![
        ("writer", Box::new(move || sends(&writer, &[AAA, BBB]))),
        ("reader-a", Box::new(reads())),
        ("reader-b", Box::new(reads())),
    ]
}

/// Two messages; one of the two sides can be killed.
fn d9() -> Cast {
    tutorials(Mended::ALL, &[AAA, BBB], Some(2))
}

/// Two sessions, one after the other: each opens the key anew, and the reader removes the segment at `end`.
fn d10() -> Cast {
    let slot = slot();
    let theirs = slot.clone();
    vec![
        (
            "writer",
            Box::new(move || {
                for line in [END, AAA] {
                    has(Some(line));
                    let writer = tutorial_writer::<Called>(&theirs, Mended::ALL).expect("one writer at a time");
                    sends(&writer, &[line]);
                    writer.leave().expect("it can leave");
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for first in [true, false] {
                    let mut reader = tutorial_reader::<Called>(&slot, Mended::ALL).expect("one reader at a time");
                    let taken = prints(&mut reader);
                    if first {
                        assert!(taken.leaves, "the first message ends the session");
                        reader.remove().expect("it is there");
                    } else {
                        reader.leave().expect("it can leave");
                    }
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
    ]
}

// Ours.

type Writer<B, L = Slot> = shm_handoff::Writer<B, L>;
type Reader<B, L = Slot> = shm_handoff::Reader<B, L>;

/// Sends until it is told that nobody is there.
fn we_send<B: Backend, L: Core>(writer: &mut Writer<B, L>, lines: &[&str]) -> bool {
    for line in lines {
        has(Some(line));
        match writer.send(line.as_bytes()) {
            Ok(()) => says(Said::Sent((*line).to_owned())),
            Err(SendError::ReaderGone) => {
                says(Said::Told);
                return false;
            }
            Err(error) => panic!("{error}"),
        }
        has(None);
        begins_anew();
    }
    true
}

/// Prints as many messages, or up to the end of the session; whether it came so far.
fn we_print<B: Backend<Address = Channel>, L: Core>(reader: &mut Reader<B, L>, messages: usize) -> bool {
    for _ in 0..messages {
        match reader.peek() {
            Ok(message) => {
                says(Said::Printed(text(message.text())));
                if message.ends_session() {
                    says(Said::Ends);
                    message.end_session().expect("it can be removed");
                    return true;
                }
                message.release();
            }
            Err(RecvError::WriterGone) => {
                says(Said::Told);
                return false;
            }
            Err(error) => panic!("{error}"),
        }
        begins_anew();
    }
    true
}

/// Both are there from the beginning.
fn ours(lines: &'static [&'static str], messages: usize) -> Cast {
    let slot = slot();
    let mut reader = Reader::<Quiet>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Quiet>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, lines);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, messages);
            }),
        ),
    ]
}

fn ours_message() -> Cast {
    ours(&[AAA, BBB], 2)
}

/// A message, the end of a session, which the reader releases, and the first message of the next one.
fn ours_end() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Quiet>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Quiet>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &[AAA, END, BBB]);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for _ in 0..3 {
                    let message = reader.peek().expect("nothing is wrong");
                    says(Said::Printed(text(message.text())));
                    says(if message.ends_session() { Said::Ends } else { Said::GoesOn });
                    message.release();
                    begins_anew();
                }
            }),
        ),
    ]
}

/// The reader starts when it likes.
fn ours_start() -> Cast {
    let slot = slot();
    let mut writer = Writer::<Called>::open(&slot).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, &[AAA, BBB]);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two writers: the second is told that the seat is taken, and tries again.
fn ours_second_writer() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
    let writes = |line: &'static [&'static str]| {
        let slot = slot.clone();
        move || {
            let mut writer = loop {
                match Writer::<Called>::open(&slot) {
                    Ok(writer) => break writer,
                    Err(Error::SeatTaken { .. }) => yield_now(),
                    Err(error) => panic!("{error}"),
                }
            };
            if we_send(&mut writer, line) {
                writer.close().expect("it can leave");
                says(Said::Left);
            }
        }
    };
    vec![
        ("writer-a", Box::new(writes(&[AAA]))),
        ("writer-b", Box::new(writes(&[BBB]))),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two messages; one of the two sides can be killed.
fn ours_death() -> Cast {
    let slot = slot();
    let mut reader = Reader::<Called>::open(&slot).expect("the seat is free");
    let mut writer = Writer::<Called>::open(&slot).expect("the seat is free");
    // They have met.
    writer.send(b"hello\n").expect("the reader is there");
    reader.recv(&mut [0; 8]).expect("it was sent");
    vec![
        (
            "writer",
            Box::new(move || {
                if we_send(&mut writer, &[AAA, BBB]) {
                    writer.close().expect("it can leave");
                    says(Said::Left);
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, 2);
            }),
        ),
    ]
}

/// Two sessions, one after the other, as in the tutorial's exercise.
fn ours_removal() -> Cast {
    let slot = slot();
    let theirs = slot.clone();
    vec![
        (
            "writer",
            Box::new(move || {
                for line in [END, AAA] {
                    has(Some(line));
                    let mut writer = Writer::<Called>::open(&theirs).expect("one writer at a time");
                    if we_send(&mut writer, &[line]) {
                        writer.close().expect("it can leave");
                        says(Said::Left);
                    }
                    begins_anew();
                }
            }),
        ),
        (
            "reader",
            Box::new(move || {
                for first in [true, false] {
                    let mut reader = Reader::<Called>::open(&slot).expect("one reader at a time");
                    we_print(&mut reader, 1);
                    if !first {
                        reader.close().expect("it can leave");
                    }
                    says(Said::Left);
                    begins_anew();
                }
            }),
        ),
    ]
}

/// A ring of two records, and sides that sleep until they are woken.
fn ours_ring() -> Cast {
    ring(Channel::ring_from(32, 4, 0), &RING)
}

fn ring(ring: Channel, lines: &'static [&'static str]) -> Cast {
    let ring = meets_at(ring);
    let mut reader = Reader::<Quiet, Ring>::open(&ring).expect("the seat is free");
    let mut writer = Writer::<Quiet, Ring>::open(&ring).expect("the seat is free");
    vec![
        (
            "writer",
            Box::new(move || {
                we_send(&mut writer, lines);
            }),
        ),
        (
            "reader",
            Box::new(move || {
                we_print(&mut reader, lines.len());
            }),
        ),
    ]
}

/// What goes through the ring.
const RING: [&str; 2] = ["AAA\n", "BBB\n"];

/// What is printed is what was sent, in this order.
fn in_order(seen: &Seen<'_>, lines: &[&str]) -> Option<Outcome> {
    for (at, printed) in seen.printed().into_iter().enumerate() {
        if lines.get(at) == Some(&printed) {
            continue;
        }
        let is_old = printed.is_empty() || lines[..at.min(lines.len())].contains(&printed);
        return Some(if is_old { Outcome::Stale } else { Outcome::Torn });
    }
    None
}

/// Nothing that was sent is missing when all is over, and nobody waits forever.
fn complete(seen: &Seen<'_>) -> Option<Outcome> {
    let printed = seen.printed();
    let lost = seen.settled && seen.sent().iter().any(|line| !printed.contains(line));
    lost.then_some(Outcome::Lost).or_else(|| ends(seen))
}

fn ends(seen: &Seen<'_>) -> Option<Outcome> {
    (seen.settled && seen.stuck).then_some(Outcome::Hang)
}

fn two_messages(seen: &Seen<'_>) -> Option<Outcome> {
    in_order(seen, &[AAA, BBB]).or_else(|| complete(seen))
}

fn judged_rightly(seen: &Seen<'_>) -> Option<Outcome> {
    let said: Vec<&Said> = seen.all().collect();
    said.windows(2).find_map(|pair| match pair {
        [Said::Printed(line), Said::GoesOn] if line == END => Some(Outcome::MissedEnd),
        [Said::Printed(line), Said::Ends] if line != END => Some(Outcome::FalseEnd),
        _ => None,
    })
}

fn no_line_mixed(seen: &Seen<'_>) -> Option<Outcome> {
    let printed = seen.printed();
    let count = |lines: &[&str], line: &str| lines.iter().filter(|other| **other == line).count();
    if printed.iter().any(|line| ![AAA, BBB, END].contains(line)) {
        return Some(Outcome::Mixed);
    }
    if printed.iter().any(|line| count(&printed, line) > count(&seen.sent(), line).max(1)) {
        return Some(Outcome::Doubled);
    }
    complete(seen)
}

/// All of them, the tutorial's first.
pub(crate) const ALL: &[Exercise] = &[
    Exercise { id: "d1", sides: TWO, mortal: &[], plain_text: false, cast: d1, judge: |_| None },
    Exercise { id: "d2", sides: TWO, mortal: &[], plain_text: false, cast: d2, judge: two_messages },
    Exercise { id: "d3", sides: TWO, mortal: &[], plain_text: false, cast: d3, judge: judged_rightly },
    Exercise {
        id: "d3-false-end",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: d3_false_end,
        judge: judged_rightly,
    },
    Exercise { id: "d4", sides: TWO, mortal: &[], plain_text: false, cast: d4, judge: complete },
    Exercise { id: "d5", sides: TWO_WRITERS, mortal: &[], plain_text: false, cast: d5, judge: no_line_mixed },
    Exercise {
        id: "d5-readers",
        sides: TWO_READERS,
        mortal: &[],
        plain_text: false,
        cast: d5_readers,
        judge: no_line_mixed,
    },
    Exercise { id: "d9", sides: TWO, mortal: &[0, 1], plain_text: false, cast: d9, judge: ends },
    Exercise {
        id: "d10",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: d10,
        judge: |seen| complete(seen).map(|outcome| if outcome == Outcome::Lost { Outcome::Orphan } else { outcome }),
    },
    Exercise { id: "ours-message", sides: TWO, mortal: &[], plain_text: true, cast: ours_message, judge: two_messages },
    Exercise {
        id: "ours-end",
        sides: TWO,
        mortal: &[],
        plain_text: true,
        cast: ours_end,
        judge: |seen| judged_rightly(seen).or_else(|| in_order(seen, &[AAA, END, BBB])).or_else(|| complete(seen)),
    },
    Exercise { id: "ours-start", sides: TWO, mortal: &[], plain_text: true, cast: ours_start, judge: two_messages },
    Exercise {
        id: "ours-second-writer",
        sides: TWO_WRITERS,
        mortal: &[],
        plain_text: true,
        cast: ours_second_writer,
        judge: no_line_mixed,
    },
    Exercise {
        id: "ours-death",
        sides: TWO,
        mortal: &[0, 1],
        plain_text: true,
        cast: ours_death,
        judge: |seen| in_order(seen, &[AAA, BBB]).or_else(|| ends(seen)),
    },
    Exercise {
        id: "ours-removal",
        sides: TWO,
        mortal: &[],
        plain_text: true,
        cast: ours_removal,
        judge: |seen| in_order(seen, &[END, AAA]).or_else(|| complete(seen)),
    },
    Exercise {
        id: "ours-ring",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: ours_ring,
        judge: |seen| in_order(seen, &RING).or_else(|| complete(seen)),
    },
];

const TWO: &[&str] = &["writer", "reader"];
const TWO_WRITERS: &[&str] = &["writer-a", "writer-b", "reader"];
const TWO_READERS: &[&str] = &["writer", "reader-a", "reader-b"];
