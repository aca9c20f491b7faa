//! A side that asks for no layout makes a slot, and takes the layout of one that comes with its own.

use super::super::{ring, sends, slot};
use super::{
    END, Ledger, Reader, USER, Writer, declared, key, killed_after, reads_on, reads_to_the_end, writes, writes_on,
};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim_all, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::Kernel;
use shm_handoff::error::Class;
use shm_handoff::{Error, SendError};

fn any() -> Options {
    Options::any(key())
}

/// A text of twelve bytes.
fn text() -> Options {
    declared("flag=i32@0,text=12@4,size=16")
}

/// A reader that asks for nothing, and a writer that comes with a layout, at once: nobody is refused.
fn a_reader_that_asks_for_nothing(wish: Options) {
    let kernel = Kernel::new();
    main_is("reader");
    let (writer, reader) = (kernel.process(USER), kernel.process(USER));
    let writer = actor("writer", move || writer.run(|| writes(&wish, &MESSAGES[..1], &Ledger::default())));
    let out = Ledger::default();
    reader.run(|| reads_to_the_end(&any(), &out));
    writer.join();
    assert_eq!(out.take(), [MESSAGES[0], END]);
    assert_eq!(kernel.left(), (0, 0));
}

/// **J20** Both come at once.
#[test]
fn j20_a_reader_takes_the_writers_layout() {
    claim_all(
        "J20",
        "a reader that asks for no layout and a writer that comes with one, at once: nobody is refused, the session goes through, nothing is left",
        Depth::bound(1, 398).deep(Depth::bound(2, 0)),
        [ring(), text()].map(|wish| move || a_reader_that_asks_for_nothing(wish)),
    );
}

/// A reader that comes with a layout to a writer that asks for none: it is not refused, for no message lies in the slot yet.
fn a_writer_that_asks_for_nothing(wish: Options, lines: &'static [&'static [u8]]) {
    let kernel = Kernel::new();
    main_is("reader");
    let (writer, reader) = (kernel.process(USER), kernel.process(USER));
    let writer = actor("writer", move || writer.run(|| writes(&any(), lines, &Ledger::default())));
    let out = Ledger::default();
    reader.run(|| reads_to_the_end(&wish, &out));
    writer.join();
    assert_eq!(out.take(), [lines, &[END]].concat());
    assert_eq!(kernel.left(), (0, 0));
}

/// **J21**
#[test]
fn j21_a_writer_takes_the_readers_layout() {
    claim_all(
        "J21",
        "a writer that asks for no layout and a reader that comes with one, at once: nobody is refused, a message comes, and comes once, the end behind it",
        Depth::bound(1, 228).deep(Depth::bound(2, 0)),
        [ring(), text()].map(|wish| move || a_writer_that_asks_for_nothing(wish, &MESSAGES[..1])),
    );
}

/// **J46** An end that is published in the slot while it is replaced is told anew.
#[test]
fn j46_an_end_in_the_slot_that_is_replaced() {
    claim_all(
        "J46",
        "the same where the writer has nothing to send but the end: it comes, and comes once",
        Depth::bound(2, 11_386),
        [ring(), text()].map(|wish| move || a_writer_that_asks_for_nothing(wish, &[])),
    );
}

/// A writer that asks for nothing has a text, and the reader comes with records of another length.
fn a_text_for_a_reader_of_records() {
    let kernel = Kernel::new();
    main_is("reader");
    let (writer, reader) = (kernel.process(USER), kernel.process(USER));
    let writer = actor("writer", move || {
        writer.run(|| {
            let mut writer = Writer::open(&any()).unwrap();
            let error = writer.send(MESSAGES[0]).unwrap_err();
            assert!(matches!(error, SendError::Unsendable(_)), "{error:?}");
            assert_eq!(writer.stranded(), Ok(0), "published where it can't be taken along from");
            writes_on(writer, &[], &Ledger::default());
        });
    });
    let out = Ledger::default();
    reader.run(|| reads_to_the_end(&declared("flag=i32@0,data=12@4,size=16"), &out));
    writer.join();
    assert_eq!(out.take(), [END]);
    assert_eq!(kernel.left(), (0, 0));
}

/// **J47** What a slot takes is not published there once another layout is in its place.
#[test]
fn j47_a_text_that_the_readers_layout_can_not_carry() {
    claim_all(
        "J47",
        "the same where the reader's layout can't carry the message: it is refused, and lies nowhere",
        Depth::bound(2, 5_748).deep(Depth::bound(3, 0)),
        [a_text_for_a_reader_of_records],
    );
}

/// A writer that comes with `wish` to a reader that asks for nothing is killed after `spared` steps, and `next` is how
/// the next writer comes.
fn a_mover_and_its_successor(wish: Options, next: Options, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("reader");
    let [mortal, writer, reader] = [(); 3].map(|()| kernel.process(USER));
    let writers = actor("writer", move || {
        let sent = Ledger::default();
        let died = killed_after(spared, &mortal, || sends(&wish, &MESSAGES[..1], &sent));
        trace::note("successor");
        writer.run(|| match Writer::open(&next) {
            Ok(writer) => writes_on(writer, &MESSAGES[1..2], &Ledger::default()),
            // The first one's is there, and stays.
            Err(error) => {
                let is_told = error.class() == Class::NotOurs;
                assert!(is_told, "{error:?}");
                writes(&wish, &MESSAGES[1..2], &Ledger::default());
            }
        });
        (died, sent.take().len())
    });
    let out = Ledger::default();
    reader.run(|| reads_to_the_end(&any(), &out));
    let (died, sent) = writers.join();
    let mut out = out.take();
    if out[0] == MESSAGES[0] {
        out.remove(0);
    } else {
        assert!(died && sent == 0, "{sent} sent, {out:?} came");
    }
    assert_eq!(out, [MESSAGES[1], END]);
    assert_eq!(kernel.left(), (0, 0));
    died
}

/// **J22** to **J25** A side that brings its layout is killed at every step; the next one asks for nothing, or for the
/// same, or for a slot.
#[test]
fn j22_a_writer_with_a_ring_at_every_step() {
    killed_at_every_step(
        "J22",
        "a writer that comes with a ring to a reader that asks for no layout, killed; the next one asks for none: it gets in, and the session goes through",
        68,
        Depth::bound(0, 85).deep(Depth::bound(1, 0)),
        |spared| a_mover_and_its_successor(ring(), any(), spared),
    );
}

#[test]
fn j23_a_writer_with_a_declared_layout_at_every_step() {
    killed_at_every_step(
        "J23",
        "the same with a declared layout",
        83,
        Depth::bound(1, 21_809).deep(Depth::bound(2, 0)),
        |spared| a_mover_and_its_successor(text(), any(), spared),
    );
}

#[test]
fn j24_a_writer_with_a_declared_layout_and_another_at_every_step() {
    killed_at_every_step(
        "J24",
        "a writer that comes with a declared layout to a reader that asks for none, killed; the next one comes with the same",
        75,
        Depth::bound(0, 152).deep(Depth::bound(1, 0)),
        |spared| a_mover_and_its_successor(text(), text(), spared),
    );
}

#[test]
fn j25_a_writer_with_a_declared_layout_and_a_slots_at_every_step() {
    killed_at_every_step(
        "J25",
        "the same, and the next one wants a slot: it gets in, unless the first one's layout is there",
        75,
        Depth::bound(0, 115).deep(Depth::bound(1, 0)),
        |spared| a_mover_and_its_successor(text(), slot(), spared),
    );
}

/// Another one, in a segment of the same size.
fn other_text() -> Options {
    declared("flag=i32@12,text=12@0,size=16")
}

/// **J43** The next one comes with another layout of the same size: it is never taken for the first one's.
#[test]
fn j43_a_writer_with_a_layout_and_another_of_its_size_at_every_step() {
    killed_at_every_step(
        "J43",
        "a writer that comes with a declared layout to a reader that asks for none, killed; the next one comes with another layout of the same size: it gets in, or is told that the first one's is there",
        75,
        Depth::bound(0, 152).deep(Depth::bound(1, 0)),
        |spared| a_mover_and_its_successor(text(), other_text(), spared),
    );
}

/// A reader that asks for nothing is killed after `spared` steps, beside a writer that comes with `wish`; the next reader
/// asks for nothing as well.
fn a_moved_reader_and_its_successor(wish: Options, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("writer");
    let [mortal, next, writer] = [(); 3].map(|()| kernel.process(USER));
    let reader = actor("reader", move || {
        let out = Ledger::default();
        let died = killed_after(spared, &mortal, || reads_to_the_end(&any(), &out));
        let before = out.borrow().len();
        trace::note("successor");
        if died && out.borrow().last() != Some(&END) {
            next.run(|| match Reader::open(&any()) {
                Ok(reader) => reads_on(reader, &out),
                // What both sides have left does not say what its layout is.
                Err(error) => {
                    assert!(matches!(error, Error::NotAChannel { .. }), "{error:?}");
                    reads_to_the_end(&wish, &out);
                }
            });
        }
        (died, before, out.take())
    });
    writer.run(|| {
        match Writer::open(&wish) {
            Ok(writer) => writes_on(writer, &MESSAGES[..1], &Ledger::default()),
            // The dead one's slot is there.
            Err(error) => {
                assert!(matches!(error, Error::OtherLayout { .. }), "{error:?}");
                writes(&any(), &MESSAGES[..1], &Ledger::default());
            }
        }
    });
    let (died, before, mut out) = reader.join();
    if before > 0 && out.get(before) == Some(&out[before - 1]) {
        out.remove(before);
    }
    assert_eq!(out, [MESSAGES[0], END]);
    died
}

/// **J26** The side that makes room is killed.
#[test]
fn j26_a_reader_that_asks_for_nothing_at_every_step() {
    killed_at_every_step(
        "J26",
        "a reader that asks for no layout, beside a writer that comes with a ring, killed; the next one asks for none",
        87,
        Depth::bound(1, 5206).deep(Depth::bound(2, 0)),
        |spared| a_moved_reader_and_its_successor(ring(), spared),
    );
}

#[test]
fn j27_a_reader_that_asks_for_nothing_at_every_step() {
    killed_at_every_step(
        "J27",
        "the same with a declared layout",
        98,
        Depth::bound(1, 13_595).deep(Depth::bound(2, 0)),
        |spared| a_moved_reader_and_its_successor(text(), spared),
    );
}

/// A writer that asks for nothing is killed after `spared` steps, beside a reader that comes with `wish`; the next writer
/// asks for nothing as well, and the session ends with it.
fn a_moved_writer_and_its_successor(wish: Options, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("reader");
    let [mortal, next, reader] = [(); 3].map(|()| kernel.process(USER));
    let writers = actor("writer", move || {
        let sent = Ledger::default();
        let died = killed_after(spared, &mortal, || sends(&any(), &MESSAGES[..1], &sent));
        trace::note("successor");
        next.run(|| writes(&any(), &MESSAGES[1..2], &Ledger::default()));
        (died, sent.take().len())
    });
    let out = Ledger::default();
    reader.run(|| match Reader::open(&wish) {
        Ok(reader) => reads_on(reader, &out),
        Err(error) => {
            assert!(matches!(error, Error::OtherLayout { .. }), "{error:?}");
            reads_to_the_end(&any(), &out);
        }
    });
    let (died, sent) = writers.join();
    let mut out = out.take();
    if out[0] == MESSAGES[0] {
        out.remove(0);
    } else {
        assert!(died && sent == 0, "{sent} sent, {out:?} came");
    }
    assert_eq!(out, [MESSAGES[1], END]);
    assert_eq!(kernel.left(), (0, 0), "an end that comes once more is left");
    died
}

#[test]
fn j28_a_writer_that_asks_for_nothing_at_every_step() {
    killed_at_every_step(
        "J28",
        "a writer that asks for no layout, beside a reader that comes with a ring, killed; the next one asks for none: what was sent comes, and the end once",
        53,
        Depth::bound(0, 67).deep(Depth::bound(1, 0)),
        |spared| a_moved_writer_and_its_successor(ring(), spared),
    );
}

#[test]
fn j29_a_writer_that_asks_for_nothing_at_every_step() {
    killed_at_every_step(
        "J29",
        "the same with a declared layout",
        87,
        Depth::bound(1, 13_698).deep(Depth::bound(2, 0)),
        |spared| a_moved_writer_and_its_successor(text(), spared),
    );
}

/// A reader that comes with `wish` to a writer that asks for nothing is killed after `spared` steps; the next reader asks
/// for nothing.
fn a_moving_reader_and_its_successor(wish: Options, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("writer");
    let [mortal, next, writer] = [(); 3].map(|()| kernel.process(USER));
    let reader = actor("reader", move || {
        let out = Ledger::default();
        let died = killed_after(spared, &mortal, || {
            if let Ok(reader) = Reader::open(&wish) {
                reads_on(reader, &out);
            }
        });
        let before = out.borrow().len();
        trace::note("successor");
        if out.borrow().last() != Some(&END) {
            next.run(|| match Reader::open(&any()) {
                Ok(reader) => reads_on(reader, &out),
                // What both sides have left does not say what its layout is.
                Err(error) => {
                    assert!(matches!(error, Error::NotAChannel { .. }), "{error:?}");
                    reads_to_the_end(&wish, &out);
                }
            });
        }
        (died, before, out.take())
    });
    writer.run(|| writes(&any(), &MESSAGES[..1], &Ledger::default()));
    let (died, before, mut out) = reader.join();
    if before > 0 && out.get(before) == Some(&out[before - 1]) {
        out.remove(before);
    }
    assert_eq!(out, [MESSAGES[0], END]);
    // A reader that dies behind the end has nobody to clear away what it left.
    let has_met_the_end = died && before == 2;
    assert!(has_met_the_end || kernel.left() == (0, 0), "{:?} left: an end that comes once more?", kernel.left());
    died
}

/// **J44**, **J45** The side that brings its layout is the reader, and is killed.
#[test]
fn j44_a_reader_with_a_ring_at_every_step() {
    killed_at_every_step(
        "J44",
        "a reader that comes with a ring to a writer that asks for no layout, killed; the next one asks for none: it reads the session to its end, which comes once",
        84,
        Depth::bound(0, 85).deep(Depth::bound(1, 0)),
        |spared| a_moving_reader_and_its_successor(ring(), spared),
    );
}

#[test]
fn j45_a_reader_with_a_declared_layout_at_every_step() {
    killed_at_every_step(
        "J45",
        "the same with a declared layout",
        101,
        Depth::bound(1, 17_188).deep(Depth::bound(2, 0)),
        |spared| a_moving_reader_and_its_successor(text(), spared),
    );
}
