//! The end of a session of records, which is told beside them.

use super::super::{Reader, Writer, a_pair_finds_all_well};
use super::{END, Ledger, RECORDS, USER, insists, key, killed_after, known, reads_to_the_end, records, writes};
use crate::explore::{Depth, actor, claim, claim_all, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::simulated::{Kernel, remove_seats, remove_segment};

/// **J10** A session of records.
#[test]
fn j10_a_session_of_records() {
    claim(
        "J10",
        "two creators of a declared slot meet: two records go through it, whole, once, in order, and the end behind them; nothing is left",
        Depth::bound(2, 7965),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let (writer, reader) = (kernel.process(USER), kernel.process(USER));
            let writer = actor("writer", move || writer.run(|| writes(&records(), &RECORDS[..2], &Ledger::default())));
            let out = Ledger::default();
            reader.run(|| reads_to_the_end(&records(), &out));
            writer.join();
            assert_eq!(out.take(), [RECORDS[0], RECORDS[1], END]);
            assert_eq!(kernel.left(), (0, 0));
        },
    );
}

/// **J11** The writer is killed at every step of its life, also around the telling.
#[test]
fn j11_a_writer_with_its_end_at_every_step() {
    killed_at_every_step(
        "J11",
        "a writer that comes, sends a record, tells the end and leaves: the reader meets an end behind the last record, the writer's or its successor's",
        82,
        Depth::bound(1, 14_507).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let [mortal, next, reader, later] = [(); 4].map(|()| kernel.process(USER));
            let writer = actor("writer", move || {
                let sent = Ledger::default();
                let died = killed_after(spared, &mortal, || writes(&records(), &RECORDS[..1], &sent));
                trace::note("successor");
                next.run(|| writes(&records(), &RECORDS[1..2], &Ledger::default()));
                (died, sent.take().len())
            });
            let out = Ledger::default();
            reader.run(|| reads_to_the_end(&records(), &out));
            let first = out.borrow().len();
            if out.borrow().get(first - 2) != Some(&RECORDS[1]) {
                // The first writer's session has ended, and the next one follows.
                later.run(|| reads_to_the_end(&records(), &out));
            }
            let (died, sent) = writer.join();
            let out = out.take();
            let expected: [&[&[u8]]; 4] = [
                &[RECORDS[0], END, RECORDS[1], END],
                &[RECORDS[0], RECORDS[1], END],
                &[RECORDS[1], END],
                &[END, RECORDS[1], END],
            ];
            let at = expected.iter().position(|all| *all == out).unwrap_or_else(|| panic!("{out:?}"));
            assert!(at == 0 || (died && [2, 1, 0][at - 1] > sent), "{sent} sent, {out:?}");
            a_pair_finds_all_well(&kernel, &records());
            died
        },
    );
}

/// Two sessions of a record each; the first reader dies after `spared` steps, and the next one reads on.
fn a_reader_and_its_successor(spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("writer");
    let [writer, later, mortal, next, last] = [(); 5].map(|()| kernel.process(USER));
    let reader = actor("reader", move || {
        let out = Ledger::default();
        let died = killed_after(spared, &mortal, || reads_to_the_end(&records(), &out));
        let before = out.borrow().len();
        trace::note("successor");
        next.run(|| reads_to_the_end(&records(), &out));
        if !out.borrow().contains(&RECORDS[1]) {
            last.run(|| reads_to_the_end(&records(), &out));
        }
        (died, before, out.take())
    });
    writer.run(|| writes(&records(), &RECORDS[..1], &Ledger::default()));
    later.run(|| writes(&records(), &RECORDS[1..2], &Ledger::default()));
    let (died, before, mut out) = reader.join();
    // What the first reader put out last, the end included, may have come again.
    if before > 0 && out.get(before) == Some(&out[before - 1]) {
        out.remove(before);
    }
    let with_both = [RECORDS[0], END, RECORDS[1], END];
    // Where no reader was there when the first writer had nothing to wait for any more, nobody was told.
    assert!(out == with_both || (died && out == [RECORDS[0], RECORDS[1], END]), "{before}: {out:?}");
    assert!(kernel.left().1 == 0, "seats that are left behind");
    a_pair_finds_all_well(&kernel, &records());
    died
}

/// **J12** The reader is killed at every step of its life, also around the forgetting and the removal.
#[test]
fn j12_a_reader_with_an_end_at_every_step() {
    killed_at_every_step(
        "J12",
        "a reader that comes, reads a record, meets the end, removes and leaves: its successor reads the rest, and before it only what the first had put out and not released; each end is met by one reader, and the next session is whole",
        74,
        Depth::bound(1, 19_419).deep(Depth::bound(2, 0)),
        a_reader_and_its_successor,
    );
}

/// **J13** The segment is removed by somebody else, also while the end is told.
#[test]
fn j13_an_end_on_removed_memory() {
    claim(
        "J13",
        "somebody removes the segment at any moment of a session of records: the record comes once, and the end behind it",
        Depth::bound(1, 753),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let [writer, reader, third] = [(); 3].map(|()| kernel.process(USER));
            let third = actor("third", move || third.run(|| remove_segment(key())));
            let writer = actor("writer", move || writer.run(|| writes(&records(), &RECORDS[..1], &Ledger::default())));
            let out = Ledger::default();
            reader.run(|| reads_to_the_end(&records(), &out));
            writer.join();
            third.join();
            assert_eq!(out.take(), [RECORDS[0], END]);
        },
    );
}

/// **J15** The set is removed by somebody else: an end that it has told goes with it.
#[test]
fn j15_an_end_on_removed_seats() {
    let meddling: [fn() -> bool; 2] = [|| remove_seats(key()), || remove_segment(key()) | remove_seats(key())];
    claim_all(
        "J15",
        "somebody removes the set, or both: each record comes once; an end that was told and not met can go with the set, and then the next session comes behind it",
        Depth::bound(1, 4605),
        meddling.map(|meddle| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                let [writer, later, reader, last, third] = [(); 5].map(|()| kernel.process(USER));
                let third = actor("third", move || third.run(meddle));
                let writer = actor("writer", move || {
                    writer.run(|| writes(&records(), &RECORDS[..1], &Ledger::default()));
                    third.join();
                    later.run(|| writes(&records(), &RECORDS[1..2], &Ledger::default()));
                });
                let out = Ledger::default();
                reader.run(|| reads_to_the_end(&records(), &out));
                if !out.borrow().contains(&RECORDS[1]) {
                    last.run(|| reads_to_the_end(&records(), &out));
                }
                writer.join();
                let out = out.take();
                let is_whole = out == [RECORDS[0], END, RECORDS[1], END] || out == [RECORDS[0], RECORDS[1], END];
                assert!(is_whole, "{out:?}");
            }
        }),
    );
}

/// **J16** What is published between the forgetting of an end and the removal, by a writer that leaves at once.
#[test]
fn j16_a_record_behind_an_end_of_a_writer_that_leaves() {
    claim(
        "J16",
        "a session of records, its end, and a record of a writer that leaves without an end: that is never left in the memory that was removed for the end",
        Depth::bound(2, 21_969),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let [first, second, reader, last] = [(); 4].map(|()| kernel.process(USER));
            let writer = actor("writer", move || {
                first.run(|| writes(&records(), &RECORDS[..1], &Ledger::default()));
                second.run(|| {
                    let mut writer = Writer::open(&records()).unwrap();
                    insists(&mut writer, |writer| writer.send(RECORDS[1]));
                    writer.close().unwrap();
                });
            });
            let out = Ledger::default();
            reader.run(|| reads_to_the_end(&records(), &out));
            if !out.borrow().contains(&RECORDS[1]) {
                last.run(|| {
                    let mut reader = Reader::open(&records()).unwrap();
                    let message = reader.peek().unwrap();
                    out.borrow_mut().push(known(message.text()));
                    message.release();
                    reader.close().unwrap();
                });
            }
            writer.join();
            assert_eq!(out.take(), [RECORDS[0], END, RECORDS[1]]);
        },
    );
}
