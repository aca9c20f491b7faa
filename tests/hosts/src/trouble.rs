//! What befalls a session.

use crate::child::Part;
use crate::session::{Session, Way};
use hosts::wire::Weather;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Until then it may grow.
const WARM: Duration = Duration::from_secs(60);
/// So much more than before is growth, in KiB.
const GROWTH: u64 = 4 << 10;

/// Everything goes well from here on.
pub(crate) fn calm(session: &Session<'_>) {
    for wire in &session.wires {
        wire.set(Weather::default());
    }
}

/// One thing after another befalls a session.
pub(crate) fn befall(session: &mut Session<'_>) -> Result<(), String> {
    let mut mend = None::<Instant>;
    for _ in 0..session.plan.troubles {
        let pause = Duration::from_millis(1 << session.random.u32(2..11));
        let until = Instant::now() + pause.mul_f64(session.random.f64() + 0.5);
        while Instant::now() < until {
            session.look()?;
            if mend.is_some_and(|mend| Instant::now() >= mend) {
                session.wires.iter().for_each(|wire| wire.cut(false));
                mend = None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        match session.random.u8(..100) {
            0..22 => session.kill_and_start(Part::Sender)?,
            22..44 => session.kill_and_start(Part::Receiver)?,
            44..48 => {
                session.ask_to_leave(Part::Sender)?;
                session.start(Part::Sender)?;
            }
            48..52 => {
                session.ask_to_leave(Part::Receiver)?;
                session.start(Part::Receiver)?;
            }
            52..62 => session.kill_and_start(Part::Writer)?,
            62..72 => session.kill_and_start(Part::Reader)?,
            72..77 if session.plan.way != Way::Direct => session.kill_and_start(Part::Middle)?,
            72..84 => stop(session),
            84..94 => weather(session),
            _ if mend.is_none() => {
                let time = Duration::from_secs(2).mul_f64(session.random.f64() * session.random.f64());
                mend = Some(Instant::now() + time);
                cut(session);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Bad weather and cuts, but nobody dies; the bridges' memory stays as it is.
pub(crate) fn soak(session: &mut Session<'_>, time: Duration) -> Result<(), String> {
    let begun = Instant::now();
    let (mut next, mut mend) = (begun + LOOK_EVERY, None::<Instant>);
    let mut seen = [(Part::Sender, Vec::new()), (Part::Receiver, Vec::new())];
    while begun.elapsed() < time {
        std::thread::sleep(Duration::from_millis(20));
        session.look()?;
        let now = Instant::now();
        if mend.is_some_and(|mend| now >= mend) {
            session.wires.iter().for_each(|wire| wire.cut(false));
            mend = None;
        }
        if now < next {
            continue;
        }
        next = now + LOOK_EVERY;
        if session.random.u8(..) < 64 {
            cut(session);
            mend = Some(now + Duration::from_millis(session.random.u64(0..1000)));
        } else {
            weather(session);
        }
        if begun.elapsed() >= WARM.min(time / 4) {
            for (part, seen) in &mut seen {
                seen.extend(session.children.get(part).map(crate::child::Child::resident));
            }
        }
        eprintln!(
            "hosts: {} s, {} messages, memory in KiB: {}",
            begun.elapsed().as_secs(),
            session.ledger().messages,
            seen.iter()
                .map(|(part, seen)| format!("{part:?} {}", seen.last().unwrap_or(&0)))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    for (part, seen) in seen {
        let half = seen.len() / 2;
        let most = |of: &[u64]| of.iter().copied().max().unwrap_or(0);
        let (before, after) = (most(&seen[..half]), most(&seen[half..]));
        session.counts.add(format!("{part:?} KiB"), after);
        if before == 0 || after > before + GROWTH {
            return Err(format!("the {part:?}'s memory has grown from {before} KiB to {after} KiB"));
        }
    }
    Ok(())
}

/// One is stopped for a while; now and then for so long that zenoh gives its link up.
fn stop(session: &mut Session<'_>) {
    let parts: Vec<Part> = session.children.keys().copied().collect();
    let part = parts[session.random.usize(..parts.len())];
    let time = if session.random.u8(..) < 8 { 3000 } else { 1 << session.random.u32(0..9) };
    session.children[&part].signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_millis(time));
    session.children[&part].signal(Signal::SIGCONT);
    session.counts.add("stopped", 1);
}

fn cut(session: &mut Session<'_>) {
    let at = session.random.usize(..session.wires.len());
    session.wires[at].cut(true);
    session.counts.add("cut", 1);
}

fn weather(session: &mut Session<'_>) {
    let random = &mut session.random;
    // Mostly a little, rarely a lot.
    let mut chance = |most: f64| if random.bool() { most * random.f64() * random.f64() } else { 0.0 };
    let weather = Weather {
        cut: false,
        loss: chance(0.2),
        duplicate: chance(0.1),
        reorder: chance(0.1),
        delay: Duration::from_millis(10).mul_f64(chance(1.0)),
    };
    let at = random.usize(..session.wires.len());
    session.wires[at].set(weather);
    session.counts.add("weather changed", 1);
}
