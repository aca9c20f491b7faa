//! `shm-handoff stat --metrics`: what is looked at, as a monitoring system scrapes it.
//!
//! The text is `OpenMetrics` 1.0. A textfile collector takes the older Prometheus text format, to which `# UNIT` and
//! `# EOF` are comments. That format has no type `info` and no type `stateset`, and a reader of it refuses the whole file:
//! so these are gauges of 1 and 0 here, as they are where Prometheus itself has them.

use super::look::{Shown, Status};
use crate::error::Ipcs;
use std::fmt::Write;

/// Samples of one name.
struct Family {
    name: &'static str,
    kind: Kind,
    /// With which the name ends; empty: none.
    unit: &'static str,
    help: &'static str,
    of: fn(&Shown) -> Vec<Sample>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    /// Its samples are called `_total`.
    Counter,
}

/// Labels beside those that every sample has, and the value.
struct Sample(Vec<(&'static str, String)>, u64);

fn value(of: impl Into<Option<u64>>) -> Vec<Sample> {
    of.into().map(|value| Sample(Vec::new(), value)).into_iter().collect()
}

fn bytes(of: usize) -> Vec<Sample> {
    value(of as u64)
}

const FAMILIES: &[Family] = &[
    Family {
        name: "shm_handoff_segment_info",
        kind: Kind::Gauge,
        unit: "",
        help: "What the segment is: its mode, its owner, the pid that made it, and the stream of a ring.",
        of: |shown| {
            let mut labels = vec![
                ("mode", shown.mode.clone()),
                ("owner", shown.owner.clone()),
                ("creator_pid", shown.creator_pid.to_string()),
            ];
            if let Some(ring) = &shown.ring {
                labels.push(("stream", format!("0x{}", ring.stream)));
            }
            if let Some(spec) = &shown.spec {
                labels.push(("spec", spec.clone()));
            }
            vec![Sample(labels, 1)]
        },
    },
    Family {
        name: "shm_handoff_segment_size_bytes",
        kind: Kind::Gauge,
        unit: "bytes",
        help: "Size of the segment.",
        of: |shown| bytes(shown.size),
    },
    Family {
        name: "shm_handoff_attachments",
        kind: Kind::Gauge,
        unit: "",
        help: "Attachments of the segment; a process can have several.",
        of: |shown| bytes(shown.attached),
    },
    Family {
        name: "shm_handoff_status",
        kind: Kind::Gauge,
        unit: "",
        help: "1 for the status that the channel has, 0 for the others; shm-handoff ls --help explains them.",
        of: |shown| {
            let each = Status::ALL.iter();
            each.map(|status| Sample(vec![("status", status.name().into())], u64::from(*status == shown.status)))
                .collect()
        },
    },
    Family {
        name: "shm_handoff_seated",
        kind: Kind::Gauge,
        unit: "",
        help: "1 if a process has the seat of this role. A C program has none. Absent if the seats may not be looked at.",
        of: |shown| {
            let seats = [("writer", &shown.writer), ("reader", &shown.reader)];
            let is_known = !shown.seats_hidden && !matches!(shown.status, Status::Foreign | Status::Orphan);
            let seats = seats.into_iter().filter(|_| is_known);
            seats.map(|(role, seat)| Sample(vec![("role", role.into())], u64::from(seat.is_some()))).collect()
        },
    },
    Family {
        name: "shm_handoff_writer_failed",
        kind: Kind::Gauge,
        unit: "",
        help: "1 if the last writer died or failed, and none has come since. Absent if the seats may not be looked at.",
        of: |shown| {
            let is_known = !shown.seats_hidden && !matches!(shown.status, Status::Foreign | Status::Orphan);
            value(is_known.then_some(u64::from(shown.writer_failed)))
        },
    },
    Family {
        name: "shm_handoff_broken",
        kind: Kind::Gauge,
        unit: "",
        help: "1 if the content breaks the layout. Absent if it was not looked at.",
        of: |shown| value(shown.looked_into.then_some(u64::from(shown.messages.is_none()))),
    },
    Family {
        name: "shm_handoff_waiting_messages",
        kind: Kind::Gauge,
        unit: "",
        help: "Messages that were sent and not received. Absent if the content breaks the layout or was not looked at.",
        of: |shown| value(shown.messages),
    },
    Family {
        name: "shm_handoff_waiting_bytes",
        kind: Kind::Gauge,
        unit: "bytes",
        help: "Bytes of the messages that were sent and not received.",
        of: |shown| value(shown.bytes),
    },
    Family {
        name: "shm_handoff_ring_capacity_bytes",
        kind: Kind::Gauge,
        unit: "bytes",
        help: "Capacity of a ring.",
        of: |shown| value(shown.ring.as_ref().map(|ring| ring.capacity as u64)),
    },
    Family {
        name: "shm_handoff_ring_ended",
        kind: Kind::Gauge,
        unit: "",
        help: "1 if the writer has ended the ring's stream, and the end was not received yet.",
        of: |shown| value(shown.ring.as_ref().map(|ring| u64::from(ring.ended))),
    },
    Family {
        name: "shm_handoff_published_bytes",
        kind: Kind::Counter,
        unit: "bytes",
        help: "Bytes that were published in a ring since it was made, headers of records included.",
        of: |shown| value(shown.ring.as_ref().map(|ring| ring.tail)),
    },
    Family {
        name: "shm_handoff_released_bytes",
        kind: Kind::Counter,
        unit: "bytes",
        help: "Bytes of a ring that its reader has released since it was made, headers of records included.",
        of: |shown| value(shown.ring.as_ref().map(|ring| ring.released)),
    },
];

/// One scrape: of one channel, or of all that there are.
pub(super) fn text(rows: &[Shown], all: bool) -> String {
    let mut text = String::new();
    let version = [("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    head(&mut text, "shm_handoff_build_info", Kind::Gauge, "", "Version of the program that has looked.");
    sample(&mut text, "shm_handoff_build_info", &version, 1);
    if all {
        head(&mut text, "shm_handoff_channels", Kind::Gauge, "", "Channels that shm-handoff ls lists.");
        sample(&mut text, "shm_handoff_channels", &[], rows.len() as u64);
    }
    for Family { name, kind, unit, help, of } in FAMILIES {
        head(&mut text, name, *kind, unit, help);
        let name = if *kind == Kind::Counter { format!("{name}_total") } else { (*name).to_owned() };
        for row in rows {
            for Sample(more, value) in of(row) {
                let labels = [
                    ("key", Ipcs(row.key).to_string()),
                    ("layout", row.layout.name().to_owned()),
                    ("id", row.id.to_string()),
                ];
                let labels = labels.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value));
                sample(&mut text, &name, &labels.collect::<Vec<_>>(), value);
            }
        }
    }
    text + "# EOF\n"
}

fn head(text: &mut String, name: &str, kind: Kind, unit: &str, help: &str) {
    let kind = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
    };
    let _ = writeln!(text, "# TYPE {name} {kind}");
    if !unit.is_empty() {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {help}");
}

fn sample(text: &mut String, name: &str, labels: &[(String, String)], value: u64) {
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

/// As a label's value; no other control character than a newline comes through, for it could steer a terminal.
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for char in value.chars() {
        match char {
            '\\' => text.push_str(r"\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str(r"\n"),
            other if other.is_control() => text.push('?'),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests;
