//! What a ring says of itself, as `stat` shows it.

use crate::backend::sysv::Observer;
use crate::protocol::ring::Waiting;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Positions {
    pub(super) capacity: usize,
    pub(super) head: u64,
    pub(super) released: u64,
    pub(super) tail: u64,
    pub(super) ended: bool,
    /// In hexadecimal: most programs read a number of JSON as a double.
    pub(super) stream: String,
    pub(super) schema: Option<String>,
    pub(super) carried: Option<CarriedOn>,
}

/// How far of which other ring's stream a bridge has come.
#[derive(Debug, Serialize)]
pub(super) struct CarriedOn {
    pub(super) stream: String,
    pub(super) position: u64,
    pub(super) ended: bool,
}

impl Positions {
    pub(super) fn of(observer: &Observer, capacity: usize, waiting: Waiting) -> Self {
        let hex = |number: u64| format!("{number:016x}");
        let Waiting { head, released, tail, ended, carried, .. } = waiting;
        Self {
            capacity,
            head,
            released,
            tail,
            ended,
            stream: hex(observer.stream().unwrap_or_default()),
            schema: observer.schema().map(hex),
            carried: carried.map(|on| CarriedOn { stream: hex(on.stream), position: on.position, ended: on.ended }),
        }
    }
}
