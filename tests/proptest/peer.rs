//! Who the peer is, from any sequence of looks.
//!
//! * P1: While a seat is taken the peer is there and is ours, whatever the
//!   attach count says.
//! * P2: Nobody has gone who was not there: the first `Gone` comes after a
//!   `Present`, or after none at all is known, which is `Unseen`.
//! * P3: One look makes no stranger a peer, nor do two that are more than 50 ms
//!   apart; two in a row do. A look at which all the others can be tools is none of the two,
//!   and does not part them.
//! * P4: A stranger is gone exactly when nobody else is attached, however many
//!   were, and whatever of them can be tools; one of ours is gone as soon as its seat is free.
//! * P5: A writer may publish first exactly if one of ours is known and somebody
//!   else was attached at the last look that told, or the looks have told nothing for 500 ms of its being
//!   seated, or a stranger that has been there without a gap for 50 ms.
//! * P6: That a writer failed or the memory was removed says nothing of who is
//!   there.
//! * P7: Tools alone make no peer and no death, however many look and however often.

use crate::cases;
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::PeerStatus;
use shm_handoff::protocol::{Peer, PeerWatch, Verdict};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
struct Look {
    seated: bool,
    attached: usize,
    /// Of those beside us, how many can be tools.
    observers: usize,
    /// Since the look before.
    after: u64,
    failed: bool,
    removed: bool,
}

impl Look {
    fn status(self) -> PeerStatus {
        PeerStatus {
            peer_seated: self.seated,
            writer_failed: self.failed,
            attached: self.attached,
            observers: self.observers,
            removed: self.removed,
            reseated: false,
        }
    }

    fn company(self) -> bool {
        self.attached - self.observers >= 2
    }

    fn alone(self) -> bool {
        self.attached == 1
    }
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    let after = prop_oneof![4 => 1..15_u64, 1 => 45..56_u64, 2 => 60..400_u64];
    let counts = (1..4_usize).prop_flat_map(|attached| (Just(attached), prop_oneof![Just(0), 0..attached]));
    let look = (prop::bool::weighted(0.2), counts, after, any::<bool>(), any::<bool>()).prop_map(
        |(seated, (attached, observers), after, failed, removed)| Look {
            seated,
            attached,
            observers,
            after,
            failed,
            removed,
        },
    );
    vec(look, 0..30)
}

/// For each of `looks`, how many ms a stranger had been there at it, or at the last look before it
/// that told; `None`: none is there.
fn strangers(looks: &[Look]) -> Vec<Option<u64>> {
    let (mut there, mut untold) = (None, 0);
    let follow = |look: &Look| {
        untold += look.after;
        if look.seated || look.alone() {
            there = None;
        } else if look.company() {
            there = Some(there.filter(|_| untold <= 50).map_or(0, |before| before + untold));
            untold = 0;
        }
        there
    };
    looks.iter().map(follow).collect()
}

/// The verdicts on `looks`, with who was known and whether to publish first.
fn watch(looks: &[Look]) -> Vec<(Verdict, Peer, bool)> {
    let mut now = Instant::now();
    let mut watch = PeerWatch::new();
    let judge = |look: &Look| {
        now += Duration::from_millis(look.after);
        let verdict = watch.observe(look.status(), now);
        (verdict, watch.peer(), watch.may_publish_first())
    };
    looks.iter().map(judge).collect()
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn p1_p2_p4_what_a_look_tells(looks in looks()) {
        let mut known = Peer::Unseen;
        for (look, (verdict, peer, _)) in looks.iter().zip(watch(&looks)) {
            match known {
                _ if look.seated => prop_assert_eq!((verdict, peer), (Verdict::Present, Peer::Ours)),
                Peer::Ours => prop_assert_eq!((verdict, peer), (Verdict::Gone, Peer::Ours)),
                Peer::Foreign if !look.alone() => prop_assert_eq!(verdict, Verdict::Present),
                Peer::Foreign => prop_assert_eq!((verdict, peer), (Verdict::Gone, Peer::Foreign)),
                Peer::Unseen => prop_assert_ne!(verdict, Verdict::Gone),
            }
            known = peer;
        }
    }

    #[test]
    fn p3_two_looks_in_a_row_make_a_stranger(looks in looks()) {
        let told = watch(&looks);
        let there = strangers(&looks);
        for at in 0..looks.len() {
            let unknown_before = at == 0 || told[at - 1].1 == Peer::Unseen;
            let in_a_row = looks[at].company() && there[at].is_some_and(|time| time > 0);
            if unknown_before && !looks[at].seated {
                prop_assert_eq!(told[at].1 == Peer::Foreign, in_a_row);
            }
        }
    }

    #[test]
    fn p5_who_may_publish_first(looks in looks()) {
        let told = watch(&looks);
        let there = strangers(&looks);
        let (mut accompanied, mut untold) = (false, None);
        for (at, (look, (_, peer, may))) in looks.iter().zip(told).enumerate() {
            accompanied = look.company() || (accompanied && !look.alone());
            let tells = look.company() || look.alone() || !look.seated;
            untold = (!tells).then(|| untold.map_or(0, |before: u64| before + look.after));
            let expected = match peer {
                Peer::Ours => accompanied || untold >= Some(500),
                Peer::Foreign => there[at].is_some_and(|time| time >= 50),
                Peer::Unseen => false,
            };
            prop_assert_eq!(may, expected);
        }
    }

    #[test]
    fn p7_tools_make_no_peer(looks in looks()) {
        let tools: Vec<_> = looks.iter().map(|look| Look { seated: false, observers: look.attached - 1, ..*look }).collect();
        prop_assert!(watch(&tools).iter().all(|told| *told == (Verdict::Unseen, Peer::Unseen, false)));
    }

    #[test]
    fn p6_nothing_else_matters(looks in looks()) {
        let plain: Vec<_> = looks.iter().map(|look| Look { failed: false, removed: false, ..*look }).collect();
        prop_assert_eq!(watch(&looks), watch(&plain));
    }
}
