//! A router of zenoh's, to which both bridges connect. With chaos it is also what carries their frames from one key to the other: it loses,
//! repeats, delays and reorders them, which TCP below does not.

use super::text;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};
use zenoh::{Config, Wait};

/// Where the sending bridge meets the chaos, and where the receiving one does.
pub(crate) const NEAR: &str = "hosts/near";
pub(crate) const FAR: &str = "hosts/far";

/// A frame that is held back waits so long at most.
const HELD_BACK: Duration = Duration::from_millis(60);
/// Within each such time, the chaos may be silent for a while.
const MOOD: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens
    #[arg(long)]
    listen: Vec<String>,
    /// Carry frames badly, as this seed has it
    #[arg(long)]
    chaos: Option<u64>,
}

/// Runs until it is killed.
pub(crate) fn run(args: &Args) -> Result<(), String> {
    let mut config = Config::default();
    let listen = serde_json::Value::from(args.listen.clone()).to_string();
    for (key, value) in [
        ("mode", r#""router""#),
        ("scouting/multicast/enabled", "false"),
        ("scouting/gossip/enabled", "false"),
        ("listen/endpoints", &*listen),
    ] {
        config.insert_json5(key, value).map_err(text)?;
    }
    let session = zenoh::open(config).wait().map_err(text)?;
    let Some(seed) = args.chaos else {
        loop {
            thread::park();
        }
    };
    thread::scope(|scope| {
        for (from, to, seed) in
            [(format!("{NEAR}/down"), format!("{FAR}/down"), seed), (format!("{FAR}/up"), format!("{NEAR}/up"), !seed)]
        {
            let session = &session;
            scope.spawn(move || {
                if let Err(why) = carry(session, &from, &to, seed) {
                    eprintln!("hosts: the chaos ends: {why}");
                    std::process::exit(1);
                }
            });
        }
    });
    Ok(())
}

/// Carries frames one way.
fn carry(session: &zenoh::Session, from: &str, to: &str, seed: u64) -> Result<(), String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (put, frames) = channel::<Vec<u8>>();
    let take = move |sample: zenoh::sample::Sample| drop(put.send(sample.payload().to_bytes().into_owned()));
    let _subscriber = session.declare_subscriber(from).callback(take).wait().map_err(text)?;
    let publisher = session.declare_publisher(to.to_owned()).express(true).wait().map_err(text)?;
    // One number decides how bad it is.
    let bad = random.f64() * 0.2;
    let (mut under_way, mut number) = (BinaryHeap::<Reverse<(Instant, u64, Vec<u8>)>>::new(), 0);
    let (mut mood, mut silent) = (Instant::now(), Duration::ZERO);
    loop {
        let now = Instant::now();
        if now >= mood + MOOD {
            mood = now;
            silent = if random.u8(..) < 64 { Duration::from_millis(random.u64(0..1500)) } else { Duration::ZERO };
        }
        while under_way.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((.., frame))) = under_way.pop() else { break };
            publisher.put(frame).wait().map_err(text)?;
        }
        let due = under_way.peek().map_or(MOOD, |Reverse((due, ..))| due.saturating_duration_since(now));
        let frame = match frames.recv_timeout(due) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Err("zenoh has ended".into()),
        };
        if mood.elapsed() < silent || random.f64() < bad {
            continue;
        }
        for _ in 0..if random.f64() < bad { 2 } else { 1 } {
            let delay = if random.f64() < bad { HELD_BACK.mul_f64(random.f64()) } else { Duration::ZERO };
            number += 1;
            under_way.push(Reverse((Instant::now() + delay, number, frame.clone())));
        }
    }
}
