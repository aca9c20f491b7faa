//! Who the peer is, from any sequence of looks.
//!
//! * P1: While a seat is taken the peer is there and is ours, whatever the
//!   attach count says.
//! * P2: Nobody has gone who was not there: the first `Gone` comes after a
//!   `Present`, or after none at all is known, which is `Unseen`.
//! * P3: One look makes no stranger a peer, nor do two that are more than 50 ms
//!   apart; two in a row do.
//! * P4: A stranger is gone exactly when nobody else is attached, however many
//!   were; one of ours is gone as soon as its seat is free.
//! * P5: A writer may publish first exactly if one of ours is known and somebody
//!   else was attached at the last look, or a stranger that has been there without a gap for 50 ms.
//! * P6: That a writer failed or the memory was removed says nothing of who is
//!   there.

use crate::cases;
use proptest::collection::vec;
use proptest::prelude::*;
use shm_handoff::backend::Census;
use shm_handoff::protocol::{Peer, PeerWatch, Verdict};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
struct Look {
    seated: bool,
    attached: usize,
    /// Since the look before.
    after: u64,
    failed: bool,
    removed: bool,
}

impl Look {
    fn census(self) -> Census {
        Census {
            peer_seated: self.seated,
            writer_failed: self.failed,
            attached: self.attached,
            removed: self.removed,
            reseated: false,
        }
    }

    fn stranger(self) -> bool {
        !self.seated && self.attached >= 2
    }
}

fn looks() -> impl Strategy<Value = Vec<Look>> {
    let after = prop_oneof![4 => 1..15_u64, 1 => 45..56_u64, 1 => 60..200_u64];
    let look = (prop::bool::weighted(0.2), 1..4_usize, after, any::<bool>(), any::<bool>())
        .prop_map(|(seated, attached, after, failed, removed)| Look { seated, attached, after, failed, removed });
    vec(look, 0..30)
}

/// The verdicts on `looks`, with who was known and whether to publish first.
fn watch(looks: &[Look]) -> Vec<(Verdict, Peer, bool)> {
    let mut now = Instant::now();
    let mut watch = PeerWatch::new();
    let judge = |look: &Look| {
        now += Duration::from_millis(look.after);
        let verdict = watch.look(look.census(), now);
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
                Peer::Foreign if look.attached >= 2 => prop_assert_eq!(verdict, Verdict::Present),
                Peer::Foreign => prop_assert_eq!((verdict, peer), (Verdict::Gone, Peer::Foreign)),
                Peer::Unseen => prop_assert_ne!(verdict, Verdict::Gone),
            }
            known = peer;
        }
    }

    #[test]
    fn p3_two_looks_in_a_row_make_a_stranger(looks in looks()) {
        let told = watch(&looks);
        for at in 0..looks.len() {
            let unknown_before = at == 0 || told[at - 1].1 == Peer::Unseen;
            let in_a_row = at > 0 && looks[at - 1].stranger() && looks[at].stranger() && looks[at].after <= 50;
            if unknown_before && !looks[at].seated {
                prop_assert_eq!(told[at].1 == Peer::Foreign, in_a_row);
            }
        }
    }

    #[test]
    fn p5_who_may_publish_first(looks in looks()) {
        let told = watch(&looks);
        // For how long a stranger has been there without a gap.
        let mut settled = None;
        for (look, (_, peer, may)) in looks.iter().zip(told) {
            settled = match settled {
                _ if !look.stranger() => None,
                Some(before) if look.after <= 50 => Some(before + look.after),
                _ => Some(0),
            };
            let expected = match peer {
                Peer::Ours => look.attached >= 2,
                Peer::Foreign => settled.is_some_and(|there| there >= 50),
                Peer::Unseen => false,
            };
            prop_assert_eq!(may, expected);
        }
    }

    #[test]
    fn p6_nothing_else_matters(looks in looks()) {
        let plain: Vec<_> = looks.iter().map(|look| Look { failed: false, removed: false, ..*look }).collect();
        prop_assert_eq!(watch(&looks), watch(&plain));
    }
}
