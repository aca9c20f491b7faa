//! What went wrong in a session, from what was sent and what came.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// One thing that a reader took out of the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) what: What,
    /// The reader, by its protocol, leaves the session after it.
    pub(super) leaves: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A whole text of this session.
    Text { writer: usize, seq: u32 },
    /// A bare `end`.
    End,
    /// Nothing that anybody wrote in this session.
    Torn,
}

/// The counts. Their definitions are the user's as well: `shm-handoff race
/// --help` has them in the same words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Texts that a writer's protocol took as sent: the flag was set for them.
    pub(super) sent: u64,
    /// Texts of those that came whole, each counted once.
    pub(super) received: u64,
    /// Texts that were sent and never came whole.
    pub(super) lost: u64,
    /// Whole texts that came again.
    pub(super) doubled: u64,
    /// What came and is nothing that anybody sent in this session: parts of two
    /// texts, an older text, none at all.
    pub(super) torn: u64,
    /// Texts that came for the first time after a later one of their writer.
    pub(super) disordered: u64,
    /// `end`s that were sent.
    pub(super) ends: u64,
    /// `end`s that were sent, and at which the reader did not leave.
    pub(super) ends_missed: u64,
    /// Times the reader left and no `end` was in its hands.
    pub(super) ends_false: u64,
}

impl Tally {
    /// Whether everything came, once, whole, in order, and ended where it should.
    pub(super) fn is_clean(&self) -> bool {
        let Self { sent, received, lost, doubled, torn, disordered, ends: _, ends_missed, ends_false } = *self;
        sent == received && [lost, doubled, torn, disordered, ends_missed, ends_false] == [0; 6]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.sent += more.sent;
        self.received += more.received;
        self.lost += more.lost;
        self.doubled += more.doubled;
        self.torn += more.torn;
        self.disordered += more.disordered;
        self.ends += more.ends;
        self.ends_missed += more.ends_missed;
        self.ends_false += more.ends_false;
    }
}

/// Holds what came against what was sent: writer `w` sent the texts 0 to
/// `sent[w]` - 1, and all writers together `ends` `end`s.
pub(super) fn tally(sent: &[u32], ends: u32, came: &[Came]) -> Tally {
    let mut seen: Vec<Vec<bool>> = sent.iter().map(|count| vec![false; *count as usize]).collect();
    let mut next: Vec<u32> = vec![0; sent.len()];
    let mut tally = Tally { sent: sent.iter().copied().map(u64::from).sum(), ends: ends.into(), ..Tally::default() };
    let mut ends_left = 0;
    for Came { what, leaves } in came {
        match *what {
            What::Text { writer, seq } => match seen.get_mut(writer).and_then(|seen| seen.get_mut(seq as usize)) {
                // Whole, but none that was sent.
                None => tally.torn += 1,
                Some(true) => tally.doubled += 1,
                Some(first) => {
                    *first = true;
                    tally.received += 1;
                    tally.disordered += u64::from(seq < next[writer]);
                    next[writer] = next[writer].max(seq + 1);
                }
            },
            What::Torn => tally.torn += 1,
            What::End if *leaves => ends_left += 1,
            What::End => {}
        }
        tally.ends_false += u64::from(*leaves && *what != What::End);
    }
    tally.lost = tally.sent - tally.received;
    tally.ends_missed = tally.ends.saturating_sub(ends_left);
    // An `end` that comes again ends a session that it was not sent in.
    tally.ends_false += ends_left.saturating_sub(tally.ends);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const END: Came = Came { what: What::End, leaves: true };
    const MISSED: Came = Came { what: What::End, leaves: false };
    const TORN: Came = Came { what: What::Torn, leaves: false };

    fn text(seq: u32) -> Came {
        of(0, seq)
    }

    fn of(writer: usize, seq: u32) -> Came {
        Came { what: What::Text { writer, seq }, leaves: false }
    }

    #[test]
    fn a_session_as_it_should_be() {
        let tally = tally(&[3], 1, &[text(0), text(1), text(2), END]);
        assert_eq!(tally, Tally { sent: 3, received: 3, ends: 1, ..Tally::default() });
        assert!(tally.is_clean());
    }

    #[test]
    fn each_fault_is_counted_as_what_it_is() {
        let none = Tally::default();
        let left = Came { leaves: true, ..text(1) };
        for (came, expected) in [
            (&[text(1), END][..], Tally { received: 1, lost: 1, ..none }),
            (&[text(0), text(0), text(1), END], Tally { received: 2, doubled: 1, ..none }),
            (&[text(0), TORN, END], Tally { received: 1, lost: 1, torn: 1, ..none }),
            (&[text(1), text(0), END], Tally { received: 2, disordered: 1, ..none }),
            (&[text(0), text(1), MISSED], Tally { received: 2, ends_missed: 1, ..none }),
            (&[text(0), text(1)], Tally { received: 2, ends_missed: 1, ..none }),
            (&[text(0), left], Tally { received: 2, ends_missed: 1, ends_false: 1, ..none }),
            (&[text(0), text(1), END, END], Tally { received: 2, ends_false: 1, ..none }),
            (&[text(0), text(1), text(2), END], Tally { received: 2, torn: 1, ..none }),
            (&[text(0), text(1), of(1, 0), END], Tally { received: 2, torn: 1, ..none }),
            (&[], Tally { lost: 2, ends_missed: 1, ..none }),
        ] {
            let found = tally(&[2], 1, came);
            assert_eq!(found, Tally { sent: 2, ends: 1, ..expected }, "{came:?}");
            assert!(!found.is_clean(), "{came:?}");
        }
    }

    #[test]
    fn each_writer_is_counted_for_itself() {
        let tally = tally(&[2, 2], 1, &[of(1, 0), of(0, 0), of(1, 1), of(1, 1), END]);
        assert_eq!(tally, Tally { sent: 4, received: 3, lost: 1, doubled: 1, ends: 1, ..Tally::default() });
    }

    fn came() -> impl Strategy<Value = Came> {
        let text = || (0_usize..3, 0_u32..6).prop_map(|(writer, seq)| What::Text { writer, seq });
        (prop_oneof![6 => text(), 1 => Just(What::End), 1 => Just(What::Torn)], any::<bool>())
            .prop_map(|(what, leaves)| Came { what, leaves })
    }

    proptest! {
        /// Whatever came: each thing is one of received, doubled, torn or an
        /// `end`; each text that was sent is received or lost; and it is clean
        /// only if it is what was sent.
        #[test]
        fn the_counts_add_up(
            sent in proptest::collection::vec(0_u32..6, 1..3),
            ends in 0_u32..3,
            came in proptest::collection::vec(came(), 0..30),
        ) {
            let tally = tally(&sent, ends, &came);
            let came_ends = came.iter().filter(|came| came.what == What::End).count() as u64;
            prop_assert_eq!(tally.received + tally.doubled + tally.torn + came_ends, came.len() as u64);
            prop_assert_eq!(tally.received + tally.lost, sent.iter().copied().map(u64::from).sum::<u64>());
            let left = came.iter().filter(|came| came.leaves).count() as u64;
            prop_assert_eq!(tally.ends - tally.ends_missed + tally.ends_false, left);
            if tally.is_clean() {
                for (writer, count) in sent.iter().enumerate() {
                    let its = came.iter().filter_map(|came| match came.what {
                        What::Text { writer: by, seq } if by == writer => Some(seq),
                        _ => None,
                    });
                    prop_assert!(its.eq(0..*count));
                }
            }
        }
    }
}
