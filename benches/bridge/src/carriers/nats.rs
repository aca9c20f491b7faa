//! NATS with `JetStream`: a stream in the memory of a server beside the sender, and an ordered consumer on the other host, which asks
//! again for what it lacks. Publishes wait for the server's word, a window at a time, so that nothing is lost before it either.

use super::{HERE, Sender, text};
use crate::tally::Tally;
use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::context::{Context, PublishAckFuture};
use async_nats::jetstream::stream::{Config, StorageType};
use futures_util::StreamExt;
use std::collections::VecDeque;
use std::future::IntoFuture;
use tokio::runtime::{Builder, Runtime};

pub(crate) const PORT: u16 = 4222;
const STREAM: &str = "bench";
/// Publishes that wait for the server's word at the same time.
const WINDOW: usize = 1000;

fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread().enable_all().build().map_err(text)
}

async fn context() -> Result<Context, String> {
    Ok(jetstream::new(async_nats::connect(format!("{HERE}:{PORT}")).await.map_err(text)?))
}

struct Publisher {
    runtime: Runtime,
    context: Context,
    waiting: VecDeque<(PublishAckFuture, Vec<u8>)>,
}

pub(super) fn sender() -> Result<Box<dyn Sender>, String> {
    let runtime = runtime()?;
    let context = runtime.block_on(context())?;
    Ok(Box::new(Publisher { runtime, context, waiting: VecDeque::new() }))
}

impl Publisher {
    /// Waits until at most so many publishes wait.
    fn settle(&mut self, most: usize) -> Result<(), String> {
        let Self { runtime, context, waiting } = self;
        runtime.block_on(async {
            while waiting.len() > most {
                let Some((acked, message)) = waiting.pop_front() else { break };
                if acked.into_future().await.is_err() {
                    let again = context.publish(STREAM, message.clone().into()).await.map_err(text)?;
                    waiting.push_front((again, message));
                }
            }
            Ok(())
        })
    }
}

impl Sender for Publisher {
    fn send(&mut self, message: &[u8]) -> Result<(), String> {
        self.settle(WINDOW)?;
        let published = self.context.publish(STREAM, message.to_vec().into());
        let acked = self.runtime.block_on(published.into_future()).map_err(text)?;
        self.waiting.push_back((acked, message.to_vec()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        self.settle(0)
    }
}

pub(super) fn receive(tally: &'static Tally, ready: &dyn Fn()) -> Result<(), String> {
    runtime()?.block_on(async {
        let context = context().await?;
        let stream =
            Config { name: STREAM.into(), storage: StorageType::Memory, max_bytes: 4 << 30, ..Config::default() };
        let stream = context.get_or_create_stream(stream).await.map_err(text)?;
        let consumer = stream.create_consumer(OrderedConfig::default()).await.map_err(text)?;
        let mut messages = consumer.messages().await.map_err(text)?;
        ready();
        while let Some(message) = messages.next().await {
            // What it says of a link that is cut is no end.
            if let Ok(message) = message {
                tally.take(&message.payload);
            }
        }
        Ok(())
    })
}
