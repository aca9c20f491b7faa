//! Long runs of the bridge's protocol with larger rings and many faults, each run from a seed, against the same claims as in the model
//! (`tests/model`), which is exhaustive and small. `SIMULATION_SEED=0x1234 cargo test -p shm-handoff-bridge --test simulation` runs and prints one.
#![allow(unreachable_pub, reason = "the world is shared with the model")]

mod world;

use parking_lot::Mutex;
use shm_handoff_bridge::pace::Limits;
use shm_handoff_bridge::receiver::AckAt;
use shm_handoff_bridge::world::{Numbers, Stream};
use std::time::Duration;
use world::play::{Action, Budget, Event, Setup, SourceHost, State};
use world::{Record, SourceRing, Weakness};

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(((self.0 >> 32) * u64::from(bound)) >> 32).expect("it is below the bound")
    }
}

/// One message, with a number that no other ring's has.
fn message(stream: u64) -> Vec<Record> {
    vec![Record::Message(1000 + u32::try_from(stream).expect("a few"))]
}

fn is_fault(event: Event) -> bool {
    use Event as E;
    matches!(
        event,
        E::DelayedDown
            | E::DelayedUp
            | E::CopiedDown
            | E::CopiedUp
            | E::SenderTimer(_)
            | E::ReceiverTimer
            | E::SenderKilled(_)
            | E::ReceiverKilled
            | E::WriterDies(_)
            | E::ReaderDies
            | E::OtherWriter
            | E::RingRemoved
            | E::MachineRestarts(_)
    )
}

/// One run, with a machine that is restarted or not; what the machines counted, and how many steps it had before the faults ended.
fn run(seed: u64, next_stream: bool, trace: bool) -> (Numbers, u32) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut up_to = |bound: u32| random.below(bound + 1);
    let budget = Budget {
        delays: up_to(12),
        copies: up_to(8),
        hurries: up_to(8),
        sender_kills: up_to(5),
        receiver_kills: up_to(5),
        writer_deaths: up_to(2),
        reader_deaths: up_to(2),
        other_writers: up_to(3),
        removals: if up_to(3) == 0 { 2 } else { 0 },
        restarts: 20,
    };
    let ack_at = if budget.removals > 0 || up_to(1) == 0 { AckAt::Received } else { AckAt::Ring };
    let second = Duration::from_secs(1);
    let batch = 12 * (1 + up_to(3) as usize);
    let limits = Limits {
        batch,
        // A batch that is sent again can be longer than it was, and come while the shorter one waits for room: what is too much is dropped
        // then, and sent again. Here both are held, for nothing but what goes with a machine may be dropped.
        waiting: if next_stream { 2 * batch } else { 1 },
        first: second,
        slowest: 4 * second,
        gap: second / 50,
        silence: 5 * second,
        timeout: None,
    };
    let repeats = budget.removals > 0;
    let setup = Setup { limits, ack_at, weakness: Weakness::None, repeats, next_stream, numbers: Mutex::default() };
    let (written, unwritten) = (up_to(10), up_to(15));
    let ring = SourceRing::new(Stream(1), (0..written).map(Record::Message).collect());
    let rest = (written..written + unwritten).map(Record::Message).chain([Record::End]);
    let host = if next_stream {
        let streams = (2..2 + u64::from(up_to(2))).map(|id| SourceRing::new(Stream(id), message(id)));
        let last = SourceRing::new(Stream(9), rest.collect());
        let rings = [ring].into_iter().chain(streams).chain([last]).collect();
        SourceHost { insists: true, ..SourceHost::new(rings, Vec::new()) }
    } else {
        SourceHost::new(vec![ring], rest.collect())
    };
    let mut state = State::new(vec![host], 1 + up_to(7) as usize, budget);
    let (mut events, mut steps) = (Vec::new(), 0);
    for _ in 0..up_to(400) {
        events.clear();
        state.events(&mut events);
        let faults = random.below(8) == 0;
        let chosen: Vec<Event> = events.iter().copied().filter(|event| is_fault(*event) == faults).collect();
        let from = if chosen.is_empty() { &events } else { &chosen };
        let Some(&event) = from.get(random.below(u32::try_from(from.len()).expect("a few")) as usize) else { break };
        let kill = (random.below(40) == 0 && state.kills(event).count() > 1).then(|| random.below(5));
        let action = Action { event, kill };
        if trace {
            println!("{steps:3} {action}");
        }
        state.happens(action, &setup);
        state.check(&setup).unwrap_or_else(|wrong| panic!("seed {seed:#x}, step {steps}: {wrong}"));
        steps += 1;
    }
    let finished = state.finish(&setup, |_| false);
    finished.unwrap_or_else(|wrong| panic!("seed {seed:#x}, behind step {steps}: {wrong}"));
    let numbers = *setup.numbers.lock();
    (numbers, steps)
}

/// Runs of all seeds, or of the one that is asked for.
fn runs(seeds: u64, next_stream: bool) -> Option<Numbers> {
    let given = std::env::var("SIMULATION_SEED").ok();
    let given = given
        .map(|seed| u64::from_str_radix(seed.trim_start_matches("0x"), 16).expect("SIMULATION_SEED is hexadecimal"));
    let (mut all, mut all_steps) = (Numbers::default(), 0);
    for seed in given.map_or(0..seeds, |seed| seed..seed + 1) {
        let (numbers, steps) = run(seed, next_stream, given.is_some());
        all.messages += numbers.messages;
        all.duplicates += numbers.duplicates;
        all.gaps += numbers.gaps;
        all.again += numbers.again;
        all.sessions += numbers.sessions;
        all.probes += numbers.probes;
        all_steps += steps;
    }
    println!("{all_steps} steps: {all:?}");
    given.is_none().then_some(all)
}

#[test]
fn long_runs() {
    if let Some(all) = runs(80_000, false) {
        assert!(all.duplicates > 20_000 && all.gaps > 5_000 && all.again > 2_500 && all.sessions > 200_000, "{all:?}");
    }
}

/// The sender's machine is restarted, once or up to three times, and the next stream comes behind what was there of the last one.
#[test]
fn long_runs_of_a_machine_that_is_restarted() {
    if let Some(all) = runs(40_000, true) {
        assert!(all.duplicates > 10_000 && all.gaps > 1_000 && all.sessions > 100_000, "{all:?}");
    }
}
