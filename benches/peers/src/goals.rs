//! What the ring set out to reach, and what it did: medians of ratios within a round.

use crate::markdown::{head, row};
use crate::samples::{Samples, Spread};
use crate::work::Work;

enum Goal {
    /// At most.
    Most(f64),
    /// At least.
    Least(f64),
}

pub(crate) fn markdown(samples: &Samples) -> String {
    let mut lines: Vec<(String, Goal, Option<Spread>)> = Vec::new();
    let bare = |peer, work, most| (Goal::Most(most), samples.to_bare(peer, work));
    let times = |slower, faster, work, least| (Goal::Least(least), samples.to_peer(slower, faster, work));
    let mut put = |what: &str, (goal, found): (Goal, Option<Spread>)| lines.push((what.to_owned(), goal, found));
    put("classic round trip, 8 B, to bare", bare("classic", Work::Trip(8), 1.25));
    put("classic round trip, 64 B, to bare", bare("classic", Work::Trip(64), 1.35));
    put("ring round trip, 64 B, coalescing off, to bare", bare("ring-eager", Work::Trip(64), 2.6));
    for len in [8, 24, 56, 64, 120] {
        put(&format!("ring one way, {len} B, to bare"), bare("ring", Work::OneWay(len), 0.12));
    }
    put("ring one way, 256 B, to bare", bare("ring", Work::OneWay(256), 0.17));
    put("ring one way, mixed, to bare", bare("ring", Work::Mixed, 0.19));
    put("times iceoryx2's copy, one way, 64 B", times("iceoryx2-copy", "ring", Work::OneWay(64), 20.0));
    put("times iceoryx2's copy, one way, 2048 B", times("iceoryx2-copy", "ring", Work::OneWay(2048), 5.0));
    for (peer, name) in [("shaq", "shaq, polled"), ("rtrb", "rtrb")] {
        for len in [8, 24, 56, 64, 120] {
            put(&format!("times {name}, one way, {len} B"), times(peer, "ring", Work::OneWay(len), 1.0));
        }
    }
    put("rate of memcpy between two cores, one way, 2048 B", times("memory", "ring", Work::OneWay(2048), 0.75));
    put("woken, to a pipe's", (Goal::Most(1.0), samples.to_peer("ring", "pipe", Work::Wake)));
    put("idle pair, % of a core", (Goal::Most(0.1), samples.values("ring", Work::Idle)));

    let to_peer = |slower, faster, work| samples.to_peer(slower, faster, work);
    let (async_ring, socket) = ("async-ring", "tokio-unix");
    put("async round trip, 64 B, to the blocking one", (Goal::Most(3.0), to_peer(async_ring, "ring", Work::Trip(64))));
    put("times a tokio Unix socket, async, one way, 64 B", times(socket, async_ring, Work::OneWay(64), 20.0));
    put("woken, async, to a tokio Unix socket's", (Goal::Most(2.5), to_peer(async_ring, socket, Work::Wake)));
    put("idle async pair, % of a core", (Goal::Most(0.1), samples.values(async_ring, Work::Idle)));

    let mut text = String::from("Against what was aimed at, medians of ratios within a round:\n\n");
    text += &head(&["", "goal", "reached", ""], 1, 2);
    for (what, goal, found) in lines {
        let Some(found) = found else { continue };
        let (goal, met) = match goal {
            Goal::Most(most) => (format!("≤ {most}"), found.median <= most),
            Goal::Least(least) => (format!("≥ {least}"), found.median >= least),
        };
        let verdict = if met { "" } else { "**missed**" };
        let found = format!("{:.3} ({:.3}..{:.3})", found.median, found.least, found.most);
        text += &row(&[&what, &goal, &found, verdict]);
    }
    text
}
