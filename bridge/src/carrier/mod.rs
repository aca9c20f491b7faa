//! The network between the two bridges: one key of zenoh for each direction.
//!
//! The machines don't rely on it. A frame that has to wait for long, on its way out or in, is dropped, and counted.

mod config;
mod inbox;
mod outbox;
mod trouble;

pub use config::{Network, Topic};
pub use inbox::Inbox;
pub use trouble::layer as troubles;

use crate::frame::Frame;
use crate::world::Carrier;
use outbox::Outbox;
use shm_handoff::backend::Interrupter;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use zenoh::Wait;
use zenoh::qos::CongestionControl;
use zenoh::sample::SampleKind;

/// Which of the two bridges this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It reads a channel here.
    Sender,
    /// It writes one.
    Receiver,
}

/// Why there is no session.
#[derive(Debug, Error)]
pub enum Failed {
    /// The options or the configuration make no sense.
    #[error("{0}")]
    Usage(String),
    /// Zenoh can't do what they say.
    #[error("zenoh: {0}")]
    Zenoh(String),
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn zenoh_failed(error: zenoh::Error) -> Failed {
    Failed::Zenoh(trouble::plain(&error.to_string()))
}

/// What zenoh says where no endpoint answered that it was to connect to.
const NOBODY: &str = "Unable to connect to any of ";

/// How soon, and how late, the endpoints are tried again.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Opens a session. Where zenoh tries each endpoint once, they are tried one after the other until one answers.
fn first_that_answers(config: &zenoh::Config) -> Result<zenoh::Session, Failed> {
    let mut pause = AGAIN.0;
    loop {
        match zenoh::open(config.clone()).wait() {
            Err(error) if error.to_string().starts_with(NOBODY) => {
                // (The program ends it, when it leaves: nobody else waits here.)
                std::thread::sleep(pause);
                pause = AGAIN.1.min(2 * pause);
            }
            opened => return opened.map_err(zenoh_failed),
        }
    }
}

/// A zenoh session, and what goes out and comes in.
pub struct Link {
    session: zenoh::Session,
    outbox: Outbox,
    inbox: Arc<Inbox>,
}

impl Link {
    /// Opens a session. What comes in wakes the endpoint of `interrupter`; `on_link` is told the peer's id when a link to a peer comes up
    /// (`true`) or breaks, on a thread of zenoh's.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn open(
        network: &Network,
        topic: &Topic,
        end: End,
        interrupter: Interrupter,
        on_link: impl Fn(&str, bool) + Send + Sync + 'static,
    ) -> Result<Self, Failed> {
        let session = first_that_answers(&network.config()?)?;
        let (out, back) = match end {
            End::Sender => (topic.down(), topic.up()),
            End::Receiver => (topic.up(), topic.down()),
        };
        session
            .info()
            .transport_events_listener()
            .history(true)
            .callback(move |event| {
                let is_up = event.kind() == SampleKind::Put;
                if is_up {
                    trouble::is_over();
                }
                on_link(&event.transport().zid().to_string(), is_up);
            })
            .background()
            .wait()
            .map_err(zenoh_failed)?;
        let inbox = Arc::new(Inbox::new(interrupter));
        let into = Arc::clone(&inbox);
        session
            .declare_subscriber(back)
            .callback(move |sample| into.put(sample.payload().to_bytes().into_owned()))
            .background()
            .wait()
            .map_err(zenoh_failed)?;
        // A frame is a batch already: nothing is gained by a wait for further ones.
        let publisher = session.declare_publisher(out).congestion_control(CongestionControl::Block).express(true);
        let publisher = publisher.wait().map_err(zenoh_failed)?;
        // A sender that greets into the void greets ever more slowly.
        if end == End::Sender {
            let into = Arc::clone(&inbox);
            let listener = publisher.matching_listener().callback(move |status| {
                if status.matching() {
                    into.receiver_came();
                }
            });
            listener.background().wait().map_err(zenoh_failed)?;
        }
        let outbox = Outbox::new(publisher);
        Ok(Self { session, outbox, inbox })
    }

    /// The endpoints where it listens.
    #[must_use]
    pub fn listens(&self) -> Vec<String> {
        self.session.info().locators().wait().iter().map(ToString::to_string).collect()
    }

    /// What comes in.
    #[must_use]
    pub fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// The id that zenoh gave this process.
    #[must_use]
    pub fn id(&self) -> String {
        self.session.zid().to_string()
    }

    /// Frames that were dropped here, on their way out and in.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.outbox.dropped() + self.inbox.dropped()
    }

    /// Closes the session. For as long as `longest`, what it still has goes out, if there is a link.
    pub fn close(self, longest: Duration) {
        let Self { session, outbox, .. } = self;
        let (done, is_done) = std::sync::mpsc::channel();
        // A link that is dead would keep it for ten seconds.
        std::thread::spawn(move || {
            outbox.flush(longest);
            drop(outbox);
            let _ = session.close().wait();
            let _ = done.send(());
        });
        let _ = is_done.recv_timeout(longest);
    }
}

impl Carrier for Link {
    fn send(&mut self, frame: Frame) {
        self.outbox.send(frame.encode());
    }
}
