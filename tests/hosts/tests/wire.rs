//! The wire does what its weather says, or the tests over it would prove nothing.
#![allow(missing_docs)]

use hosts::host::Host;
use hosts::wire::{Weather, Wire};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// Datagrams of one try: a socket holds them all, also twice. (By default that is about 270 of this size.)
const MANY: u32 = 100;
/// Nothing more comes when nothing has come for so long.
const QUIET: Duration = Duration::from_millis(300);

struct Pair {
    wire: Wire,
    near: UdpSocket,
    far: UdpSocket,
}

fn pair() -> Option<Pair> {
    if let Err(why) = hosts::probe() {
        println!("NOT CHECKED: {why}");
        return None;
    }
    let (near, far) = (Host::new().expect("as before"), Host::new().expect("as before"));
    let wire = Wire::lay("wire", (&near, "10.77.0.1"), (&far, "10.77.0.2"), 1).expect("as before");
    let socket = |host: &Host, address: &str| host.within(|| UdpSocket::bind((address, 7000)).expect("a free port"));
    let (near, far) = (socket(&near, "10.77.0.1"), socket(&far, "10.77.0.2"));
    far.set_read_timeout(Some(QUIET)).expect("a time");
    Some(Pair { wire, near, far })
}

/// Sends numbers in this weather; which ones came, in their order, and when the first did.
fn came(Pair { wire, near, far }: &Pair, weather: Weather) -> (Vec<u32>, Duration) {
    wire.set(weather);
    let begun = Instant::now();
    for number in 0..MANY {
        near.send_to(&number.to_le_bytes(), "10.77.0.2:7000").expect("the device is up");
    }
    let (mut came, mut first) = (Vec::new(), None);
    let mut bytes = [0; 4];
    while far.recv(&mut bytes).is_ok() {
        first.get_or_insert_with(|| begun.elapsed());
        came.push(u32::from_le_bytes(bytes));
    }
    (came, first.unwrap_or_default())
}

#[test]
fn a_wire_does_what_its_weather_says() {
    let Some(pair) = pair() else { return };
    let all: Vec<u32> = (0..MANY).collect();
    assert_eq!(came(&pair, Weather::default()).0, all);
    assert_eq!(came(&pair, Weather { cut: true, ..Weather::default() }).0, [0; 0]);

    let (lossy, _) = came(&pair, Weather { loss: 0.5, ..Weather::default() });
    assert!((25..75).contains(&lossy.len()) && lossy.is_sorted(), "half of them, in order: {lossy:?}");

    let (mut twice, _) = came(&pair, Weather { duplicate: 0.5, ..Weather::default() });
    assert!((125..175).contains(&twice.len()) && twice.is_sorted(), "half of them twice: {twice:?}");
    twice.dedup();
    assert_eq!(twice, all);

    let (mut mixed, _) = came(&pair, Weather { reorder: 0.5, ..Weather::default() });
    assert!(!mixed.is_sorted(), "half of them are overtaken");
    mixed.sort_unstable();
    assert_eq!(mixed, all);

    let delay = Duration::from_millis(50);
    let (late, first) = came(&pair, Weather { delay, ..Weather::default() });
    assert_eq!(late, all);
    assert!(first >= delay, "the first came after {first:?}");
}
