//! What an exercise is, and which there are.

mod judges;
mod ours;
mod theirs;

use crate::run::Cast;
use crate::stage::{Said, meets_at};
use judges::{complete, complete_for_a_living_reader, ends, in_order, judged_rightly, no_line_mixed, two_messages};
use shm_handoff::backend::inproc::Channel;

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
    /// Of each side: it was killed.
    pub(crate) died: Vec<bool>,
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

/// What goes through the ring.
const RING: [&str; 2] = ["AAA\n", "BBB\n"];

/// All of them, the tutorial's first.
pub(crate) const ALL: &[Exercise] = &[
    Exercise { id: "d1", sides: TWO, mortal: &[], plain_text: false, cast: theirs::d1, judge: |_| None },
    Exercise { id: "d2", sides: TWO, mortal: &[], plain_text: false, cast: theirs::d2, judge: two_messages },
    Exercise { id: "d3", sides: TWO, mortal: &[], plain_text: false, cast: theirs::d3, judge: judged_rightly },
    Exercise {
        id: "d3-false-end",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: theirs::d3_false_end,
        judge: judged_rightly,
    },
    Exercise { id: "d4", sides: TWO, mortal: &[], plain_text: false, cast: theirs::d4, judge: complete },
    Exercise { id: "d5", sides: TWO_WRITERS, mortal: &[], plain_text: false, cast: theirs::d5, judge: no_line_mixed },
    Exercise {
        id: "d5-readers",
        sides: TWO_READERS,
        mortal: &[],
        plain_text: false,
        cast: theirs::d5_readers,
        judge: no_line_mixed,
    },
    Exercise { id: "d9", sides: TWO, mortal: &[0, 1], plain_text: false, cast: theirs::d9, judge: ends },
    Exercise {
        id: "d10",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: theirs::d10,
        judge: |seen| complete(seen).map(|outcome| if outcome == Outcome::Lost { Outcome::Orphan } else { outcome }),
    },
    Exercise {
        id: "ours-message",
        sides: TWO,
        mortal: &[],
        plain_text: true,
        cast: ours::message,
        judge: two_messages,
    },
    Exercise {
        id: "ours-end",
        sides: TWO,
        mortal: &[],
        plain_text: true,
        cast: ours::end,
        judge: |seen| judged_rightly(seen).or_else(|| in_order(seen, &[AAA, END, BBB])).or_else(|| complete(seen)),
    },
    Exercise { id: "ours-start", sides: TWO, mortal: &[], plain_text: true, cast: ours::start, judge: two_messages },
    Exercise {
        id: "ours-second-writer",
        sides: TWO_WRITERS,
        mortal: &[],
        plain_text: true,
        cast: ours::second_writer,
        judge: no_line_mixed,
    },
    Exercise {
        id: "ours-death",
        sides: TWO,
        mortal: &[0, 1],
        plain_text: true,
        cast: ours::death,
        judge: |seen| in_order(seen, &[AAA, BBB]).or_else(|| complete_for_a_living_reader(seen)),
    },
    Exercise {
        id: "ours-removal",
        sides: TWO,
        mortal: &[],
        plain_text: true,
        cast: ours::removal,
        judge: |seen| in_order(seen, &[END, AAA]).or_else(|| complete(seen)),
    },
    Exercise {
        id: "ours-ring",
        sides: TWO,
        mortal: &[],
        plain_text: false,
        cast: ours::ring,
        judge: |seen| in_order(seen, &RING).or_else(|| complete(seen)),
    },
];

const TWO: &[&str] = &["writer", "reader"];
const TWO_WRITERS: &[&str] = &["writer-a", "writer-b", "reader"];
const TWO_READERS: &[&str] = &["writer", "reader-a", "reader-b"];
