//! Other users, and what is theirs.

use super::{Reader, USER, Writer, a_pair_finds_all_well, key, killed_after, ring, writes_a_session};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim_all, main_is};
use shm_handoff::Error;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::{Kernel, remove_segment};

const OTHER: u32 = 2;
const ROOT: u32 = 0;

/// What a process of user `who` meets at objects of user `whose` with permission bits `mode`.
fn is_refused<T>(opened: &Result<T, Error>, who: u32, whose: u32, mode: u32) -> bool {
    match opened {
        // Root may do everything, and is told whose they are.
        Err(Error::OtherOwner { uid, creator, .. }) => [*uid, *creator] == [whose; 2] && (mode == 0o666 || who == ROOT),
        Err(Error::Permission { .. }) => mode == 0o600 && who != ROOT,
        _ => false,
    }
}

/// A session of user `whose`, into which somebody of another user comes at any moment.
fn a_session_and_another_user(who: u32, whose: u32, mode: u32) {
    let kernel = Kernel::new();
    main_is("reader");
    let options = ring().mode(mode);
    let (reader, writer, other) = (kernel.process(whose), kernel.process(whose), kernel.process(who));
    reader.run(|| {
        let mut reader = Reader::open(&options).unwrap();
        let other = actor("other user", move || {
            other.run(|| {
                let refused = [Writer::open(&options).map(drop), Reader::open(&options).map(drop)];
                assert!(refused.iter().all(|opened| is_refused(opened, who, whose, mode)), "{refused:?}");
            })
        });
        let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
        crate::expect(&mut reader, &MESSAGES[..1]);
        other.join();
        assert!(reader.peek().unwrap().ends_session());
        assert!(reader.end_session().unwrap());
        reader.close().unwrap();
        writer.join();
    });
    assert_eq!(kernel.left(), (0, 0));
}

/// Seats that a killed writer has left, without memory: somebody of another user comes.
fn seats_of_another_user(who: u32, whose: u32, mode: u32) {
    let kernel = Kernel::new();
    let options = ring().mode(mode);
    main_is("other user");
    leaves_seats(&kernel, whose, &options);
    assert_eq!(kernel.left(), (0, 1));
    kernel.process(who).run(|| {
        let refused = [Writer::open(&options).map(drop), Reader::open(&options).map(drop)];
        assert!(refused.iter().all(|opened| is_refused(opened, who, whose, mode)), "{refused:?}");
    });
    assert_eq!(kernel.left(), (0, 1), "nothing made, nothing removed");
}

/// A writer is killed, and its memory removed: the set says that it failed.
fn leaves_seats(kernel: &Kernel, whose: u32, options: &Options) {
    let dead = kernel.process(whose);
    assert!(killed_after(usize::MAX, &dead, || {
        let _writer = Writer::open(options).unwrap();
        assert!(remove_segment(key()));
        trace::doom(0);
        trace::step();
    }));
}

/// **V16** What belongs to another user is refused, with whose it is; nothing is changed, and nothing left behind.
#[test]
fn v16_objects_of_another_user() {
    let all =
        [(OTHER, USER, 0o600), (OTHER, USER, 0o666), (ROOT, USER, 0o600), (USER, ROOT, 0o600), (USER, ROOT, 0o666)];
    let models = [a_session_and_another_user, seats_of_another_user];
    claim_all(
        "V16",
        "segments and seats of another user, root among them, are refused at any moment of a session, with whose they are; nothing is changed or left",
        Depth::bound(1, 1838).deep(Depth::bound(2, 0)),
        all.into_iter().flat_map(|(who, whose, mode)| models.map(|model| move || model(who, whose, mode))),
    );
}

/// **V17** With `trust_owner` another user is let in, also to seats that were left over with a narrower mode.
#[test]
fn v17_another_user_who_is_let_in() {
    claim_all(
        "V17",
        "with trust_owner, and a mode that lets them, two users hand over; a set that was left over gets the mode of who comes",
        Depth::bound(1, 166).deep(Depth::bound(2, 0)),
        [false, true].map(|leftover| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                if leftover {
                    leaves_seats(&kernel, USER, &ring());
                }
                let options = ring().mode(0o666).trust_owner(true);
                let (reader, writer) = (kernel.process(USER), kernel.process(OTHER));
                reader.run(|| {
                    let mut reader = Reader::open(&options).unwrap();
                    let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
                    crate::expect(&mut reader, &MESSAGES[..1]);
                    assert!(reader.peek().unwrap().ends_session());
                    assert!(reader.end_session().unwrap());
                    reader.close().unwrap();
                    writer.join();
                });
                // A set that its owner has left is the owner's to remove, when it comes again.
                assert_eq!(kernel.left().0, 0);
                a_pair_finds_all_well(&kernel, &ring());
            }
        }),
    );
}
