//! What differs from session to session.

use crate::child::Part;
use crate::role::KEY;
use crate::role::middle::{FAR, NEAR};
use crate::session::{Plan, Way};
use std::process::Command;

/// How a session's rings and bridges are set.
#[derive(Debug)]
pub(crate) struct Setting {
    way: Way,
    /// Bytes of the near ring, and of the far one.
    pub(crate) capacities: [usize; 2],
    /// The bridges acknowledge what was received, in place of what is in the ring.
    pub(crate) received: bool,
    /// A death is told from host to host. The bridges that have told one leave, and others come.
    pub(crate) tells: bool,
    /// zenoh gives a silent link up soon.
    short_lease: bool,
}

impl Setting {
    pub(crate) fn new(plan: &Plan<'_>, random: &mut fastrand::Rng) -> Self {
        Self {
            way: plan.way,
            capacities: [1 << random.u32(16..20), 1 << random.u32(16..20)],
            received: random.u8(..) < 64,
            tells: plan.soak.is_none() && random.u8(..) < 64,
            short_lease: random.bool(),
        }
    }

    /// The arguments of a bridge.
    pub(crate) fn bridge(&self, part: Part, command: &mut Command) {
        let is_sender = part == Part::Sender;
        let capacity = self.capacities[usize::from(!is_sender)];
        command.args(["-k", &KEY.to_string(), &format!("--ring={capacity}"), "--json"]);
        if !self.tells {
            command.arg("--follow");
        }
        if !is_sender && self.received {
            command.args(["--ack", "received"]);
        }
        let topic = match self.way {
            Way::Chaos if !is_sender => FAR,
            _ => NEAR,
        };
        command.args([if is_sender { "--to" } else { "--from" }, topic]);
        let endpoint = match (self.way, is_sender) {
            (Way::Direct, true) => ["--connect", "tcp/10.77.0.2:7447"],
            (Way::Direct, false) => ["--listen", "tcp/10.77.0.2:7447"],
            (_, true) => ["--connect", "tcp/10.77.1.254:7447"],
            (_, false) => ["--connect", "tcp/10.77.2.254:7447"],
        };
        // zenoh's own pauses between two attempts are of seconds.
        let retry = "connect/retry={period_init_ms: 50, period_max_ms: 400, period_increase_factor: 2}";
        command.args(endpoint).args(["--set", retry]);
        if self.short_lease {
            command.args(["--set", "transport/link/tx/lease=2000"]);
        }
    }
}
