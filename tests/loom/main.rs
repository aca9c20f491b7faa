//! The handoff under the model checker: every claim is numbered, L1 onwards,
//! and explored over every interleaving and every value that a load may see.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --test loom -- --nocapture`; each
//! model prints how many executions it took and fails if they were fewer than
//! on record: a model that stops early proves less than it says.
//!
//! | file | subject |
//! | --- | --- |
//! | `handoff` | L1 to L4: order, exactly once, whole, and both sides finish |
//! | `session` | L5 to L9: peeking, ending the session, and what lies in removed memory |
//! | `seats` | L10 to L14: leaving, dying, and who comes next |
//! | `orders` | T: each memory order is needed, for loom rejects the model without it |
//! | `ring` | R1 to R33: the ring; K4 to K10, K12 to K17: a side of it that dies at any step |
//! | `killed` | K1 to K3, K11: a side that dies at any step, and its successor |
//! | `declared`, `sysv::declared` | J1 onwards: declared layouts, on the flag alone and on the simulated kernel |
//! | `sysv` | V1 onwards: the System V backend on the simulated kernel |
//! | `defects` | D1 to D5: the tutorial's own protocol, refuted, one defect at a time; also in a struct without text |
//!
//! and what these stand on: `explore` searches, `history`, `timeline` and
//! `picture` tell what was found, `bare` and `mortal` are backends for models, `world` is
//! where sides meet: rows whose name ends in an `s` are on the simulated kernel.
#![cfg(loom)]

mod bare;
mod declared;
mod defects;
mod explore;
mod handoff;
mod history;
mod killed;
mod mortal;
mod orders;
mod picture;
mod ring;
mod seats;
mod session;
mod sysv;
mod timeline;
mod world;

use shm_handoff::backend::inproc::Channel;
use shm_handoff::{Reader, backend::Backend};

/// The messages: five bytes each, so that a copy is two cells and can be half
/// made.
const MESSAGES: [&[u8]; 3] = [b"aaaa\n", b"bbbb\n", b"cccc\n"];

/// A slot of two cells.
fn slot() -> Channel {
    Channel::new(8)
}

/// Receives `expected`, one after the other and nothing else in between.
fn expect<B: Backend>(reader: &mut Reader<B>, expected: &[&[u8]]) {
    for expected in expected {
        let message = reader.peek().expect("a message");
        let text = message.text();
        assert!(text == *expected, "\"{}\" was sent and \"{}\" came", expected.escape_ascii(), text.escape_ascii());
        message.release();
    }
}
