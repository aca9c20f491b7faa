//! With which code a bridge leaves, and what it says.

use crate::carrier::{self, End};
use crate::frame::Malformed;
use crate::world::Outcome;
use shm_handoff::cli::kit::{Exit, Failure};

/// How a machine's outcome ends the program at this end.
pub(super) fn ends(end: End, outcome: Outcome) -> Result<(), Failure> {
    let is_here = |of: End, other: &'static str| if of == end { "here" } else { other };
    Err(match outcome {
        Outcome::Ended => return Ok(()),
        Outcome::WriterDied => {
            let at = is_here(End::Sender, "on the sender's side");
            Failure::new(Exit::PeerGone, format!("the writer {at} died or failed"))
                .hint("shm-bridge send --follow waits for the next one")
        }
        Outcome::ReaderGone => {
            let at = is_here(End::Receiver, "on the receiver's side");
            Failure::new(Exit::PeerGone, format!("the reader {at} left or died"))
                .hint("shm-bridge receive --follow waits for the next one; what was not taken is still there")
        }
        Outcome::Taken(stream) => Failure::new(
            Exit::RoleTaken,
            format!("the ring over there has another stream, {:#x}, which has not ended", stream.0),
        )
        .hint(
            "end that one first, or use another ring there; if it can't go on any more, as after a restart of this machine, \
             shm-bridge receive --next-stream over there takes this one once the ring was read (without it, remove the ring there: \
             shm-handoff rm KEY)",
        ),
        Outcome::Unsendable { position, why } => {
            let (at, next) = match end {
                End::Sender => ("over there", "take it out here by shmread --count 1, or make a larger ring over there"),
                End::Receiver => ("here", "it stays in the channel on the sender's side; docs/bridge.md says how to go on"),
            };
            let why = format!("the next message, which ends at position {position}, can't be carried {at}: {why}");
            Failure::new(Exit::BadInput, why).hint(next)
        }
        Outcome::Strange { position, released } => {
            let why = format!(
                "the positions of the two rings do not fit together: the ring over there goes on at {position}, and the ring here, which \
                 is released up to {released}, has no message that ends there"
            );
            Failure::new(Exit::NotAChannel, why).hint(
                "see that one shm-bridge receive runs for this key of zenoh; or stop both bridges, remove the ring over there when it was \
                 read (shm-handoff rm KEY), and start anew",
            )
        }
        Outcome::TimedOut => timed_out(end, true),
    })
}

/// Nothing went on for so long, although a link is there (or not even that).
pub(super) fn timed_out(end: End, is_linked: bool) -> Failure {
    let (other, same) = match end {
        End::Sender => ("shm-bridge receive", "--from"),
        End::Receiver => ("shm-bridge send", "--to"),
    };
    if !is_linked {
        return Failure::new(
            Exit::TimedOut,
            "no progress for as long as --timeout allows: there is no link to the other bridge",
        )
        .hint(format!("see that {other} runs, and that one of the two connects to where the other one listens"));
    }
    let also = match end {
        End::Sender => "; one with --next-stream takes another stream only when its reader has read everything",
        End::Receiver => "",
    };
    Failure::new(Exit::TimedOut, format!("no progress for as long as --timeout allows: no {other} has answered"))
        .hint(format!("see that it runs, and that its {same} is the same key of zenoh{also}"))
}

/// Nothing went on for so long, between bridges that have met.
pub(super) fn idled(end: End) -> Failure {
    let what = match end {
        End::Sender => "the writer here sent nothing, or the reader over there takes nothing",
        End::Receiver => "the writer over there sent nothing, or the reader here takes nothing",
    };
    Failure::new(Exit::TimedOut, format!("no progress for as long as --timeout allows: {what}"))
        .hint("a longer --timeout, or none, waits for that; the next bridge goes on where this one was")
}

/// The bridge at the other end speaks another version. (Beside one that was met, anybody who may publish there can say that.)
pub(super) fn other_version(why: Malformed) -> Failure {
    Failure::new(Exit::NotAChannel, why)
}

impl From<carrier::Failed> for Failure {
    fn from(why: carrier::Failed) -> Self {
        match why {
            carrier::Failed::Usage(_) => Self::new(Exit::Usage, why),
            carrier::Failed::Zenoh(_) => Self::new(Exit::System, why)
                .hint("see that the endpoints are right, the ports free, and the files of --config there"),
        }
    }
}
