//! Who the peer is, from any sequence of observations.
//!
//! * P1: While a seat is taken the peer is there and is ours, whatever the
//!   attach count says.
//! * P2: Nobody has gone who was not there: the first `Gone` comes after a
//!   `Present`, or after none at all is known, which is `Unseen`.
//! * P3: One observation makes no stranger a peer, nor do two that are more than 50 ms
//!   apart; two in a row do. An observation at which all the others can be tools is none of the two,
//!   and does not part them.
//! * P4: A stranger is gone exactly when nobody else is attached, however many
//!   were, and whatever of them can be tools; one of ours is gone as soon as its seat is free.
//! * P5: A writer may publish first exactly if one of ours is known and somebody
//!   else was attached at the last observation that told, or the observations have told nothing for 500 ms of its being
//!   seated, or a stranger that has been there without a gap for 50 ms.
//! * P6: That a writer failed or the memory was removed says nothing of who is
//!   there.
//! * P7: Tools alone make no peer and no death, however many observations and however often.

use crate::cases;
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::PeerStatus;
use shm_handoff::inside::endpoint::{Peer, PeerWatch, Verdict};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
struct Observation {
    seated: bool,
    attached: usize,
    /// Of those beside us, how many can be tools.
    observers: usize,
    /// Since the observation before.
    after: u64,
    failed: bool,
    removed: bool,
}

impl Observation {
    fn status(self) -> PeerStatus {
        PeerStatus {
            peer_seated: self.seated,
            writer_failed: self.failed,
            attached: self.attached,
            observers: self.observers,
            removed: self.removed,
            reseated: false,
            ended: false,
        }
    }

    fn company(self) -> bool {
        self.attached - self.observers >= 2
    }

    fn alone(self) -> bool {
        self.attached == 1
    }
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let after = prop_oneof![4 => 1..15_u64, 1 => 45..56_u64, 2 => 60..400_u64];
    let counts = (1..4_usize).prop_flat_map(|attached| (Just(attached), prop_oneof![Just(0), 0..attached]));
    let observed = (prop::bool::weighted(0.2), counts, after, any::<bool>(), any::<bool>()).prop_map(
        |(seated, (attached, observers), after, failed, removed)| Observation {
            seated,
            attached,
            observers,
            after,
            failed,
            removed,
        },
    );
    vec(observed, 0..30)
}

/// For each of `observations`, how many ms a stranger had been there at it, or at the last observation before it
/// that told; `None`: none is there.
fn strangers(observations: &[Observation]) -> Vec<Option<u64>> {
    let (mut there, mut untold) = (None, 0);
    let follow = |observed: &Observation| {
        untold += observed.after;
        if observed.seated || observed.alone() {
            there = None;
        } else if observed.company() {
            there = Some(there.filter(|_| untold <= 50).map_or(0, |before| before + untold));
            untold = 0;
        }
        there
    };
    observations.iter().map(follow).collect()
}

/// The verdicts on `observations`, with who was known and whether to publish first.
fn watch(observations: &[Observation]) -> Vec<(Verdict, Peer, bool)> {
    let mut now = Instant::now();
    let mut watch = PeerWatch::new();
    let judge = |observed: &Observation| {
        now += Duration::from_millis(observed.after);
        let verdict = watch.observe(observed.status(), now);
        (verdict, watch.peer(), watch.may_publish_first())
    };
    observations.iter().map(judge).collect()
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn p1_p2_p4_what_an_observation_tells(observations in observations()) {
        let mut known = Peer::Unseen;
        for (observed, (verdict, peer, _)) in observations.iter().zip(watch(&observations)) {
            match known {
                _ if observed.seated => prop_assert_eq!((verdict, peer), (Verdict::Present, Peer::Ours)),
                Peer::Ours => prop_assert_eq!((verdict, peer), (Verdict::Gone, Peer::Ours)),
                Peer::Foreign if !observed.alone() => prop_assert_eq!(verdict, Verdict::Present),
                Peer::Foreign => prop_assert_eq!((verdict, peer), (Verdict::Gone, Peer::Foreign)),
                Peer::Unseen => prop_assert_ne!(verdict, Verdict::Gone),
            }
            known = peer;
        }
    }

    #[test]
    fn p3_two_observations_in_a_row_make_a_stranger(observations in observations()) {
        let told = watch(&observations);
        let there = strangers(&observations);
        for at in 0..observations.len() {
            let unknown_before = at == 0 || told[at - 1].1 == Peer::Unseen;
            let in_a_row = observations[at].company() && there[at].is_some_and(|time| time > 0);
            if unknown_before && !observations[at].seated {
                prop_assert_eq!(told[at].1 == Peer::Foreign, in_a_row);
            }
        }
    }

    #[test]
    fn p5_who_may_publish_first(observations in observations()) {
        let told = watch(&observations);
        let there = strangers(&observations);
        let (mut accompanied, mut untold) = (false, None);
        for (at, (observed, (_, peer, may))) in observations.iter().zip(told).enumerate() {
            accompanied = observed.company() || (accompanied && !observed.alone());
            let tells = observed.company() || observed.alone() || !observed.seated;
            untold = (!tells).then(|| untold.map_or(0, |before: u64| before + observed.after));
            let expected = match peer {
                Peer::Ours => accompanied || untold >= Some(500),
                Peer::Foreign => there[at].is_some_and(|time| time >= 50),
                Peer::Unseen => false,
            };
            prop_assert_eq!(may, expected);
        }
    }

    #[test]
    fn p7_tools_make_no_peer(observations in observations()) {
        let tools: Vec<_> = observations.iter().map(|observed| Observation { seated: false, observers: observed.attached - 1, ..*observed }).collect();
        prop_assert!(watch(&tools).iter().all(|told| *told == (Verdict::Unseen, Peer::Unseen, false)));
    }

    #[test]
    fn p6_nothing_else_matters(observations in observations()) {
        let plain: Vec<_> = observations.iter().map(|observed| Observation { failed: false, removed: false, ..*observed }).collect();
        prop_assert_eq!(watch(&observations), watch(&plain));
    }
}
