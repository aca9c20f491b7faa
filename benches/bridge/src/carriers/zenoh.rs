//! zenoh alone: a reliable put that blocks in place of dropping, and a subscriber with a callback.

use super::{Sender, THERE, text};
use crate::tally::Tally;
use std::time::Duration;
use zenoh::Wait;
use zenoh::pubsub::Publisher;
use zenoh::qos::CongestionControl;
use zenoh::{Config, Session};

pub(crate) const PORT: u16 = 7447;
pub(crate) const KEYEXPR: &str = "bench/messages";

/// A peer without discovery, as shm-bridge opens it.
fn session(role: &str) -> Result<Session, String> {
    let mut config = Config::default();
    for (key, value) in [
        ("mode", r#""peer""#.to_owned()),
        ("scouting/multicast/enabled", "false".to_owned()),
        ("scouting/gossip/enabled", "false".to_owned()),
        ("listen/endpoints", "[]".to_owned()),
        (role, format!(r#"["tcp/{THERE}:{PORT}"]"#)),
    ] {
        config.insert_json5(key, &value).map_err(text)?;
    }
    zenoh::open(config).wait().map_err(text)
}

struct Put {
    publisher: Publisher<'static>,
    _session: Session,
}

pub(super) fn sender() -> Result<Box<dyn Sender>, String> {
    let session = session("connect/endpoints")?;
    let publisher =
        session.declare_publisher(KEYEXPR).congestion_control(CongestionControl::Block).wait().map_err(text)?;
    while !publisher.matching_status().wait().map_err(text)?.matching() {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Box::new(Put { publisher, _session: session }))
}

impl Sender for Put {
    fn send(&mut self, message: &[u8]) -> Result<(), String> {
        self.publisher.put(message).wait().map_err(text)
    }
}

pub(super) fn receive(tally: &'static Tally, ready: &dyn Fn()) -> Result<(), String> {
    let session = session("listen/endpoints")?;
    let take = |sample: zenoh::sample::Sample| tally.take(&sample.payload().to_bytes());
    let _subscriber = session.declare_subscriber(KEYEXPR).callback(take).wait().map_err(text)?;
    ready();
    loop {
        std::thread::park();
    }
}
