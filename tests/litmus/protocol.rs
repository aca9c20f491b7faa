//! The steps of the protocol, each with the line of the source that it stands for. An order stands in
//! that line, and nowhere here.

use crate::program::At::{Kernel, Source};
use crate::program::Op::{Call, Fence, Light, Load, Only, Store};
use crate::program::Seen::{AtLast, By};
use crate::program::{At, Orders, Step, Test, Thread};
use std::sync::atomic::Ordering;

type Steps = Vec<Step>;

fn thread(name: &'static str, steps: Steps) -> Thread {
    Thread { name, steps }
}

/// A claim that nothing is shown of but by its weakened twins.
const CLAIM: Test = Test {
    claim: "",
    name: "",
    what: "",
    of: &[],
    kernels_fence: None,
    threads: Vec::new(),
    at_first: &[],
    bad: (&[], &[]),
    shown: None,
};

const fn slot_producer(function: &'static str, line: &'static str) -> At {
    Source("protocol/slot/producer.rs", function, line)
}
const fn slot_consumer(function: &'static str, line: &'static str) -> At {
    Source("protocol/slot/consumer.rs", function, line)
}
const fn producer(function: &'static str, line: &'static str) -> At {
    Source("protocol/ring/producer.rs", function, line)
}
const fn consumer(function: &'static str, line: &'static str) -> At {
    Source("protocol/ring/consumer.rs", function, line)
}
const fn event(function: &'static str, line: &'static str) -> At {
    Source("protocol/ring/event.rs", function, line)
}
const fn header(function: &'static str, line: &'static str) -> At {
    Source("backend/memory/header.rs", function, line)
}
const fn of_tutorial(function: &'static str, line: &'static str) -> At {
    Source("protocol/tutorial.rs", function, line)
}

const WRITE_TEXT: At = slot_producer("push_straight", "if !self.straight || !slot.write(text) {");
const READ_TEXT: At = slot_consumer("take_straight", "&& let Some(len) = slot.read(text)");
const WRITE_BYTES: At = producer("append_straight", "unsafe { ring.write_within(at, bytes) };");
const READ_BYTES: At = consumer("copy_straight", "unsafe { ring.read_within(at, bytes) };");
const LOOK: At = consumer("look", "ring.flag(position).load(orders().ring_peek)");
const PUBLISH: At = producer("publish", "ring.flag(sealed.at).store(sealed.flag, orders().ring_publish);");
const GIVE_BACK: At = consumer("free", "ring.head().store(self.released, orders().give_back);");
const TAKE_SPACE: At = producer("has_room", "let head = ring.head().load(orders().take_space);");
const STANDING: At = consumer("standing", "let head = ring.head().load(RELAXED);");

/// The header of `is_awaited`, with the entry that its caller gives it.
const IS_READER_AWAITED: At = producer("publish", "if Event::of_reader(ring).is_awaited(orders().fence_published) {");
const IS_WRITER_AWAITED: At = consumer("free", "if event.is_awaited(orders().fence_given_back) {");
const ASKS_FULL_FENCE: At = event("is_awaited", "(fence, _) => full_fence(fence),");
const FULL_FENCE: At = event("full_fence", "barrier(fence);");
const LIGHT_FENCE: At =
    event("is_awaited", "(Some(order), Some(seen)) if seen.load(RELAXED) == 1 => compiler_fence(order),");
const IS_PARKED: At = event("is_awaited", "self.parked.load(RELAXED) != 0");

const PREPARE_READER: At =
    consumer("poll_last", "Event::of_reader(memory.ring()).prepare(memory, orders().fence_reader_sleeps);");
const PREPARE_WRITER: At = producer("park", "event.prepare(memory, orders().fence_writer_sleeps);");
const PARKED: At = event("prepare", "self.parked.store(1, RELAXED);");
const HEAVY_FENCE: At = event("prepare", "&& !memory.heavy_fence()");
const OWN_FENCE: At = event("prepare", "barrier(fence);");
const WAKE: At = event("wake", "self.parked.store(0, RELAXED);");

/// Operations that are in no test, and why no edge hangs on them.
pub(crate) const OTHERS: &[(At, &str)] = &[
    (consumer("standing", "let released = ring.released().load(RELAXED);"), "between readers, whose seat orders them"),
    (consumer("note", "ring.released().store(end, RELAXED);"), "for a successor, which the seat orders"),
    (consumer("close", "memory.ring().closed().store(1, RELAXED);"), "behind a removal, which the kernel orders"),
    (
        producer(
            "left",
            "let is_answered = record.kind == Kind::End && at == standing.released && ring.closed().load(RELAXED) == 1;",
        ),
        "the same",
    ),
    (event("prepare", "fences.word.store(0, RELAXED);"), "seen too late it costs one sleep its bound (R31)"),
    (
        event("announce", "fences.word.store(memory.heavy_fence().into(), RELAXED);"),
        "of a side that comes, which has not slept yet",
    ),
    (
        event("park", "self.parked.store(0, RELAXED);"),
        "of a side that is awake: seen too late it costs a needless call",
    ),
    (header("put", "word.store(value, RELAXED);"), "words of a new segment, made under the kernel's lock"),
    (header("put_flag", "flag.store(value, RELAXED);"), "as `put`, the empty value of a declared slot's flag"),
    (header("get_flag", "flag.load(RELAXED)"), "by the next maker, and by an observer"),
    (header("get", "word.load(RELAXED)"), "the same"),
    (
        header("get_half", "let bytes = word.load(RELAXED).to_ne_bytes();"),
        "a model's, of memory that nobody else is attached to",
    ),
];

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = vec![text(), room(), record(), jump(), batch(), space(), header_made(), header_told()];
    tests.extend([reader_sleeps(), writer_sleeps()]);
    tests.extend(heavy());
    tests.extend([writer_comes(), newcomers_space(), reader_comes(), no_heavy_fence(), d1(), d2()]);
    tests
}

fn text() -> Test {
    let writer = vec![
        (Store("text", 1), WRITE_TEXT),
        (Call, slot_producer("push_straight", "Self::publish(memory, slot);")),
        (Store("flag", 1), slot_producer("publish", "slot.flag().store(slot.full(), orders().publish);")),
    ];
    let reader = vec![
        (Call, slot_consumer("take_straight", "let flag = Self::look(slot);")),
        (Load("flag"), slot_consumer("look", "slot.flag().load(orders().see_full)")),
        (Only(1), slot_consumer("take_straight", "if slot.is_full(flag)")),
        (Load("text"), READ_TEXT),
    ];
    Test {
        claim: "A1",
        name: "text",
        what: "edge `text`: the reader that sees the flag sees the text",
        of: &["publish", "see_full"],
        threads: vec![thread("writer", writer), thread("reader", reader)],
        bad: (&[By("reader", "flag", 1), By("reader", "text", 0)], &[]),
        ..CLAIM
    }
}

fn room() -> Test {
    let reader = vec![
        (Load("text"), READ_TEXT),
        (Call, slot_consumer("take_straight", "self.empty(memory, slot);")),
        (Store("flag", 0), slot_consumer("empty", "slot.flag().store(slot.empty(), orders().release);")),
    ];
    let writer = vec![
        (Call, slot_producer("push_straight", "self.straight = Self::is_empty(slot);")),
        (Load("flag"), slot_producer("look", "slot.flag().load(orders().see_empty)")),
        (Only(0), WRITE_TEXT),
        (Store("text", 2), WRITE_TEXT),
    ];
    Test {
        claim: "A2",
        name: "room",
        what: "edge `room`: the next text is not in the copy that is still being made",
        of: &["release", "see_empty"],
        threads: vec![thread("reader", reader), thread("writer", writer)],
        at_first: &[("flag", 1), ("text", 1)],
        bad: (&[By("writer", "flag", 0), By("reader", "text", 2)], &[]),
        ..CLAIM
    }
}

fn record() -> Test {
    let writer = vec![
        (Call, producer("append_straight", "Self::clear_behind(ring, at, size);")),
        (Store("behind", 0), producer("clear_behind", "ring.flag(at.wrapping_add(wide(size))).store(0, RELAXED);")),
        (Store("bytes", 1), WRITE_BYTES),
        (Call, producer("push_straight", "self.publish(memory, ring, sealed);")),
        (Store("flag", 1), PUBLISH),
    ];
    let reader = vec![
        (Call, consumer("copy_straight", "let flag = look(ring, at);")),
        (Load("flag"), LOOK),
        (Only(1), consumer("copy_straight", "if len > ring.longest() {")),
        (Load("bytes"), READ_BYTES),
        (Load("behind"), LOOK),
    ];
    Test {
        claim: "A3",
        name: "record",
        what: "edge `record`: the reader that sees a flag sees the bytes, and the empty flag behind them",
        of: &["ring_publish", "ring_peek"],
        threads: vec![thread("writer", writer), thread("reader", reader)],
        at_first: &[("behind", 7)],
        bad: (&[By("reader", "flag", 1)], &[By("reader", "bytes", 0), By("reader", "behind", 7)]),
        ..CLAIM
    }
}

fn jump() -> Test {
    let writer = vec![
        (Call, producer("push", "let sealed = self.append(ring, kind, bytes);")),
        (Store("bytes", 1), producer("append", "ring.write(at, 0, bytes);")),
        (Call, producer("append", "self.seal(ring, at, bytes.len(), kind)")),
        (Store("beyond", 1), producer("seal", "ring.flag(at).store(sealed.flag, RELAXED);")),
        (Call, producer("push", "self.publish(memory, ring, sealed);")),
        (Store("flag", 2), PUBLISH),
    ];
    let reader = vec![
        (Call, consumer("poll", "self.bounded(ring, record(ring, at, look(ring, at))?)")),
        (Load("flag"), LOOK),
        (Only(2), consumer("record", "PAD => peek_behind_a_jump(ring, position),")),
        (Load("beyond"), consumer("peek_behind_a_jump", "match ring.flag(at).load(RELAXED) {")),
        (Load("bytes"), consumer("read", "memory.ring().read(found.at, bytes);")),
    ];
    Test {
        claim: "A4",
        name: "jump",
        what: "the same behind a jump (2): the flag and the bytes there are the new ones, and the look at that flag needs no order",
        of: &["ring_publish", "ring_peek"],
        threads: vec![thread("writer", writer), thread("reader", reader)],
        at_first: &[("beyond", 7)],
        bad: (&[By("reader", "flag", 2)], &[By("reader", "beyond", 7), By("reader", "bytes", 0)]),
        ..CLAIM
    }
}

fn batch() -> Test {
    let writer = vec![
        (Store("bytes", 1), producer("append", "ring.write(at, 0, bytes);")),
        (Store("second", 1), producer("hold_back", "Some(_) => ring.flag(sealed.at).store(sealed.flag, RELAXED),")),
        (Call, producer("push_all", "self.publish(memory, ring, first);")),
        (Store("first", 1), PUBLISH),
    ];
    let reader = vec![
        (Load("first"), LOOK),
        (Only(1), consumer("copy_straight", "if len > ring.longest() {")),
        (Load("second"), LOOK),
        (Load("bytes"), READ_BYTES),
    ];
    Test {
        claim: "A5",
        name: "batch",
        what: "the same of a batch: the first flag publishes the second record with its flag",
        of: &["ring_publish", "ring_peek"],
        threads: vec![thread("writer", writer), thread("reader", reader)],
        at_first: &[("second", 7)],
        bad: (&[By("reader", "first", 1)], &[By("reader", "second", 7), By("reader", "bytes", 0)]),
        ..CLAIM
    }
}

fn space() -> Test {
    let reader = vec![(Load("bytes"), READ_BYTES), (Store("head", 8), GIVE_BACK)];
    let writer = vec![
        (Load("head"), TAKE_SPACE),
        (Only(8), producer("has_room", "Ok(self.fits(ring, len))")),
        (Store("bytes", 2), producer("append", "ring.write(at, 0, bytes);")),
    ];
    Test {
        claim: "A6",
        name: "space",
        what: "edge `space`: a record is not written over while it is being copied out",
        of: &["give_back", "take_space"],
        threads: vec![thread("reader", reader), thread("writer", writer)],
        at_first: &[("bytes", 1)],
        bad: (&[By("writer", "head", 8), By("reader", "bytes", 2)], &[]),
        ..CLAIM
    }
}

fn header_made() -> Test {
    of_header(
        "A7",
        "header",
        "edge `header`: a ring is recognised with its whole header, or not yet",
        [
            ("version", "self.version.store(said.version, RELAXED);", "version: self.version.load(RELAXED),"),
            ("capacity", "self.capacity.store(said.capacity, RELAXED);", "capacity: self.capacity.load(RELAXED),"),
        ],
        &[By("newcomer", "version", 0), By("newcomer", "capacity", 0)],
    )
}

fn header_told() -> Test {
    of_header(
        "A20",
        "header-told",
        "edge `header`: and so are the ring's id and the schema of its messages",
        [
            ("stream", "self.stream.store(said.stream, RELAXED);", "stream: self.stream.load(RELAXED),"),
            ("schema", "self.schema.store(said.schema, RELAXED);", "schema: self.schema.load(RELAXED),"),
        ],
        &[By("newcomer", "stream", 0), By("newcomer", "schema", 0)],
    )
}

/// Of two words of a header, each with its store and its load: for more a function has no registers.
fn of_header(
    claim: &'static str,
    name: &'static str,
    what: &'static str,
    words: [(&'static str, &'static str, &'static str); 2],
    unseen: &'static [crate::program::Seen],
) -> Test {
    let mut maker: Steps = words.map(|(word, stored, _)| (Store(word, 1), header("make", stored))).into();
    maker.push((Store("magic", 1), header("make", "self.magic.store(MAGIC, orders().ring_made);")));
    let mut newcomer = vec![
        (Load("magic"), header("read", "match self.magic.load(orders().ring_recognised) {")),
        (Only(1), header("read", "MAGIC => Ok(Said {")),
    ];
    newcomer.extend(words.map(|(word, _, loaded)| (Load(word), header("read", loaded))));
    Test {
        claim,
        name,
        what,
        of: &["ring_made", "ring_recognised"],
        threads: vec![thread("maker", maker), thread("newcomer", newcomer)],
        bad: (&[By("newcomer", "magic", 1)], unseen),
        ..CLAIM
    }
}

fn reader_that_sleeps() -> Steps {
    vec![(Call, PREPARE_READER), (Store("parked", 1), PARKED), (Fence, OWN_FENCE), (Load("flag"), LOOK)]
}

fn writer_that_sleeps() -> Steps {
    vec![(Call, PREPARE_WRITER), (Store("parked", 1), PARKED), (Fence, OWN_FENCE), (Load("head"), TAKE_SPACE)]
}

fn reader_sleeps() -> Test {
    let writer = vec![
        (Store("flag", 1), PUBLISH),
        (Call, IS_READER_AWAITED),
        (Call, ASKS_FULL_FENCE),
        (Fence, FULL_FENCE),
        (Load("parked"), IS_PARKED),
    ];
    Test {
        claim: "A8",
        name: "reader-sleeps",
        what: "the reader sees the record, or the writer sees that the reader sleeps",
        of: &["fence_published", "fence_reader_sleeps"],
        threads: vec![thread("writer", writer), thread("reader", reader_that_sleeps())],
        bad: (&[By("writer", "parked", 0), By("reader", "flag", 0)], &[]),
        ..CLAIM
    }
}

fn writer_sleeps() -> Test {
    let reader = vec![
        (Store("head", 8), GIVE_BACK),
        (Call, IS_WRITER_AWAITED),
        (Call, ASKS_FULL_FENCE),
        (Fence, FULL_FENCE),
        (Load("parked"), IS_PARKED),
    ];
    Test {
        claim: "A9",
        name: "writer-sleeps",
        what: "the writer sees the space, or the reader sees that the writer sleeps",
        of: &["fence_given_back", "fence_writer_sleeps"],
        threads: vec![thread("reader", reader), thread("writer", writer_that_sleeps())],
        bad: (&[By("reader", "parked", 0), By("writer", "head", 0)], &[]),
        ..CLAIM
    }
}

/// What the kernel does for a heavy fence: it fences the side that asks, interrupts the other one for a
/// fence there, waits until that is over, and fences the first again (Linux, kernel/sched/membarrier.c).
/// Nothing but these fences gives an order here.
fn asks(sleeper: &[Step]) -> Steps {
    let order = |order| Kernel("membarrier", order);
    let asked = vec![
        (Call, HEAVY_FENCE),
        (Fence, order(Ordering::SeqCst)),
        (Store("asked", 1), order(Ordering::Relaxed)),
        (Load("done"), order(Ordering::Relaxed)),
        (Fence, order(Ordering::SeqCst)),
    ];
    let at = sleeper.iter().position(|(op, _)| *op == Fence).expect("a fence of its own");
    [&sleeper[..at], &asked, &sleeper[at..]].concat()
}

/// The kernel's fence on the side that is interrupted: without it a heavy fence gives no order there.
const INTERRUPT: &str = "the interrupt of membarrier";

/// The side that is interrupted, before the step of this number.
fn interrupted(side: &[Step], at: usize) -> Steps {
    let order = |order| Kernel(INTERRUPT, order);
    let interrupt = vec![
        (Load("asked"), order(Ordering::Relaxed)),
        (Fence, order(Ordering::SeqCst)),
        (Store("done", 1), order(Ordering::Relaxed)),
    ];
    [&side[..at], &interrupt, &side[at..]].concat()
}

/// A side that sleeps and has the kernel fence the other one, which has a light fence then. The interrupt
/// comes at one of three moments.
fn heavy() -> Vec<Test> {
    let writer =
        vec![(Store("flag", 1), PUBLISH), (Call, IS_READER_AWAITED), (Light, LIGHT_FENCE), (Load("parked"), IS_PARKED)];
    let reader = vec![
        (Store("head", 8), GIVE_BACK),
        (Call, IS_WRITER_AWAITED),
        (Light, LIGHT_FENCE),
        (Load("parked"), IS_PARKED),
    ];
    let of_reader = |claim, name, what, of, moment| Test {
        claim,
        name,
        what,
        of,
        kernels_fence: Some(INTERRUPT),
        threads: vec![thread("writer", interrupted(&writer, moment)), thread("reader", asks(&reader_that_sleeps()))],
        bad: (
            &[By("writer", "asked", 1), By("reader", "done", 1), By("writer", "parked", 0), By("reader", "flag", 0)],
            &[],
        ),
        ..CLAIM
    };
    let of_writer = |claim, name, what, of, moment| Test {
        claim,
        name,
        what,
        of,
        kernels_fence: Some(INTERRUPT),
        threads: vec![thread("reader", interrupted(&reader, moment)), thread("writer", asks(&writer_that_sleeps()))],
        bad: (
            &[By("reader", "asked", 1), By("writer", "done", 1), By("reader", "parked", 0), By("writer", "head", 0)],
            &[],
        ),
        ..CLAIM
    };
    vec![
        of_reader("A10", "reader-fences-before", "A8 by a heavy fence, which comes before the writer's store", &[], 0),
        of_reader(
            "A11",
            "reader-fences-between",
            "A8 by a heavy fence, between the writer's store and its look",
            &["fence_published"],
            3,
        ),
        of_reader("A12", "reader-fences-behind", "A8 by a heavy fence, behind the writer's look", &[], 4),
        of_writer("A13", "writer-fences-before", "A9 by a heavy fence, which comes before the reader's store", &[], 0),
        of_writer(
            "A14",
            "writer-fences-between",
            "A9 by a heavy fence, between the reader's store and its look",
            &["fence_given_back"],
            3,
        ),
        of_writer("A15", "writer-fences-behind", "A9 by a heavy fence, behind the reader's look", &[], 4),
    ]
}

/// The seat of one that died: the kernel gives it back, and its successor takes it (contract B4 of the
/// backends).
fn seat_given_back(mut dead: Steps) -> Steps {
    dead.push((Store("seat", 1), Kernel("the seat is given back", Ordering::Release)));
    dead
}

fn seat_taken(then: Steps) -> Steps {
    let mut steps = vec![
        (Load("seat"), Kernel("the seat is taken", Ordering::Acquire)),
        (Only(1), Kernel("the seat is taken", Ordering::Acquire)),
    ];
    steps.extend(then);
    steps
}

const FENCE_WRITER_COMES: At = producer("attach", "barrier(orders().fence_writer_comes);");

fn writer_comes() -> Test {
    let successor = vec![
        (Call, producer("attach", "while let Some(record) = peek(ring, tail)? {")),
        (Load("flag"), LOOK),
        (Fence, FENCE_WRITER_COMES),
        (Call, producer("attach", "Event::of_reader(ring).wake(memory);")),
        (Store("parked", 0), WAKE),
    ];
    Test {
        claim: "A16",
        name: "writer-comes",
        what: "the reader sees the record of a writer that died before its fence, or is woken by the successor",
        of: &["fence_writer_comes"],
        threads: vec![
            thread("dead writer", seat_given_back(vec![(Store("flag", 1), PUBLISH)])),
            thread("successor", seat_taken(successor)),
            thread("reader", reader_that_sleeps()),
        ],
        bad: (&[By("successor", "seat", 1), By("reader", "flag", 0), AtLast("parked", 1)], &[]),
        ..CLAIM
    }
}

fn newcomers_space() -> Test {
    let reader = vec![(Load("bytes"), READ_BYTES), (Store("head", 8), GIVE_BACK)];
    let newcomer = vec![
        (Call, producer("attach", "let standing = standing(ring)?;")),
        (Load("head"), STANDING),
        (Fence, FENCE_WRITER_COMES),
        (Only(8), producer("append_straight", "if size > self.room || bytes.len() > ring.longest() {")),
        (Store("bytes", 2), WRITE_BYTES),
    ];
    Test {
        claim: "A17",
        name: "space-of-a-newcomer",
        what: "edge `space`, of a writer that comes: its look at the head needs no order but its fence",
        of: &["fence_writer_comes"],
        threads: vec![thread("reader", reader), thread("newcomer", newcomer)],
        at_first: &[("bytes", 1)],
        bad: (&[By("newcomer", "head", 8), By("reader", "bytes", 2)], &[]),
        ..CLAIM
    }
}

fn reader_comes() -> Test {
    let successor = vec![
        (Call, consumer("attach", "let Standing { head, released } = standing(ring)?;")),
        (Load("head"), STANDING),
        (Fence, consumer("attach", "barrier(orders().fence_reader_comes);")),
        (Call, consumer("attach", "Event::of_writer(ring).wake(memory);")),
        (Store("parked", 0), WAKE),
    ];
    Test {
        claim: "A18",
        name: "reader-comes",
        what: "the writer sees the space that a reader gave back which died before its fence, or is woken by the successor",
        of: &["fence_reader_comes"],
        threads: vec![
            thread("dead reader", seat_given_back(vec![(Store("head", 8), GIVE_BACK)])),
            thread("successor", seat_taken(successor)),
            thread("writer", writer_that_sleeps()),
        ],
        bad: (&[By("successor", "seat", 1), By("writer", "head", 0), AtLast("parked", 1)], &[]),
        ..CLAIM
    }
}

/// What a heavy fence is for: a light one on the way of a record, and the sleeper's own.
fn no_heavy_fence() -> Test {
    let writer =
        vec![(Store("flag", 1), PUBLISH), (Call, IS_READER_AWAITED), (Light, LIGHT_FENCE), (Load("parked"), IS_PARKED)];
    Test {
        claim: "A19",
        name: "no-heavy-fence",
        what: "where the kernel fences nobody, a light fence and the sleeper's own one are not enough",
        threads: vec![thread("writer", writer), thread("reader", reader_that_sleeps())],
        bad: reader_sleeps().bad,
        shown: Some((Orders::Shipped, "no heavy fence, and the word is at 1")),
        ..CLAIM
    }
}

/// The tutorial's pair.
fn tutorial() -> Test {
    let writer = vec![
        (Store("text", 1), of_tutorial("put", "place.write_padded(line);")),
        (Store("flag", 1), of_tutorial("put", "self.mended.store(place, place.full(), self.mended.orders().publish);")),
    ];
    let look = of_tutorial("take_then", "if self.mended.load(place, self.mended.orders().see_full) != place.full() {");
    let reader = vec![
        (Load("flag"), look),
        (Only(1), look),
        (Load("text"), of_tutorial("take_then", "let (text, closed) = place.read();")),
    ];
    Test { threads: vec![thread("writer", writer), thread("reader", reader)], bad: text().bad, ..CLAIM }
}

fn d1() -> Test {
    Test {
        claim: "D1",
        name: "written-is-a-plain-int",
        what: "the tutorial's flag: a race, which gives the program no meaning",
        shown: Some((Orders::Plain, "as in the tutorial")),
        ..tutorial()
    }
}

fn d2() -> Test {
    Test {
        claim: "D2",
        name: "nothing-orders-text-and-flag",
        what: "the same with a relaxed atomic: the flag is seen, and the text as it was before",
        shown: Some((Orders::Unordered, "an atomic flag, all relaxed")),
        ..tutorial()
    }
}
