//! With which code a bridge leaves, and what it says.

use crate::carrier;
use crate::frame::Malformed;
use crate::world::Outcome;
use shm_handoff::cli::kit::{Exit, Failure};

/// How a machine's outcome ends the program.
pub(super) fn ends(outcome: Outcome) -> Result<(), Failure> {
    Err(match outcome {
        Outcome::Ended => return Ok(()),
        Outcome::WriterDied => Failure::new(Exit::PeerGone, "the writer on the sender's side died or failed")
            .hint("--follow on the sender waits for the next one"),
        Outcome::ReaderGone => Failure::new(Exit::PeerGone, "the reader on the receiver's side left or died")
            .hint("--follow on the receiver waits for the next one; what was not taken is still there"),
        Outcome::Taken(stream) => Failure::new(
            Exit::RoleTaken,
            format!("the ring over there has another stream, {:#x}, which has not ended", stream.0),
        )
        .hint("end that one first, or use another ring there"),
        Outcome::Unsendable { position, why } => {
            let why = format!("the message in front of position {position} can't be carried over there: {why}");
            Failure::new(Exit::BadInput, why).hint("it is still here; use a ring over there that is large enough")
        }
        Outcome::Strange { position, released } => {
            let why = format!(
                "the ring over there goes on at position {position}, and the ring here, which is released up to {released}, has no \
                 message that ends there"
            );
            Failure::new(Exit::NotAChannel, why).hint("remove one of the two rings, and start both sides anew")
        }
        Outcome::TimedOut => Failure::new(Exit::TimedOut, "no progress for as long as --timeout allows")
            .hint("-v tells whether there is a link, and whether the other bridge was met; RUST_LOG=zenoh::net::runtime=debug why not"),
    })
}

/// What came from the network and is no frame of ours.
pub(super) fn malformed(why: Malformed) -> Result<(), Failure> {
    match why {
        Malformed::Version(_) => Err(Failure::new(Exit::NotAChannel, why)),
        // Anybody who may publish there can do that: it is counted, and no more.
        Malformed::Frame => Ok(()),
    }
}

impl From<carrier::Failed> for Failure {
    fn from(why: carrier::Failed) -> Self {
        match why {
            carrier::Failed::Usage(_) => Self::new(Exit::Usage, why),
            carrier::Failed::Zenoh(_) => {
                Self::new(Exit::System, why).hint("see that the endpoints are right, and the ports free")
            }
        }
    }
}
