//! iceoryx2, publish and subscribe, one service each way, that loses nothing: no
//! overflow, and a publisher that waits for room. Its files lie under a prefix and
//! in a directory of our own.
//!
//! *Copy*: the message is copied to a sample, and out of it. *Zero-copy*: it is
//! written to the sample and all of it is read where it lies. Both are polled, with a
//! pause, since publish and subscribe has no way to wait. *Event*: zero-copy, with a
//! notification for each message; who finds none waits for one.

use super::must;
use crate::Failure;
use crate::message::read_all;
use crate::peer::{Ends, Peer, Place, Rx, Tx};
use crate::work::LONGEST;
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use std::marker::PhantomData;

/// How a message is taken, and how a side waits for one.
pub(crate) trait Manner {
    const COPY: bool;
    const EVENT: bool;
}

pub(crate) struct Copying;
pub(crate) struct Polling;
pub(crate) struct Waiting;

impl Manner for Copying {
    const COPY: bool = true;
    const EVENT: bool = false;
}

impl Manner for Polling {
    const COPY: bool = false;
    const EVENT: bool = false;
}

impl Manner for Waiting {
    const COPY: bool = false;
    const EVENT: bool = true;
}

pub(crate) struct Iceoryx<M>(PhantomData<M>);

pub(crate) type Copied = Iceoryx<Copying>;
pub(crate) type ZeroCopy = Iceoryx<Polling>;
pub(crate) type Event = Iceoryx<Waiting>;

// Fields are dropped in their order: ports before their node.
pub(crate) struct To<M> {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    _node: Node<ipc::Service>,
    manner: PhantomData<M>,
}

pub(crate) struct From<M> {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Option<Listener<ipc::Service>>,
    _node: Node<ipc::Service>,
    text: Vec<u8>,
    manner: PhantomData<M>,
}

impl<M: Manner> Tx for To<M> {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let sample = must(self.publisher.loan_slice_uninit(message.len()), "loan");
        must(sample.write_from_slice(message).send(), "send");
        if let Some(notifier) = &self.notifier {
            must(notifier.notify(), "notify");
        }
    }
}

impl<M: Manner> Rx for From<M> {
    #[inline]
    fn recv<T>(&mut self, _: usize, look: impl FnOnce(&[u8]) -> T) -> T {
        let sample = loop {
            if let Some(sample) = must(self.subscriber.receive(), "receive") {
                break sample;
            }
            match &self.listener {
                Some(listener) => drop(must(listener.blocking_wait(|_| ()), "wait")),
                None => std::hint::spin_loop(),
            }
        };
        let bytes = sample.payload();
        if M::COPY {
            let text = &mut self.text[..bytes.len()];
            text.copy_from_slice(bytes);
            drop(sample);
            look(text)
        } else {
            read_all(bytes);
            look(bytes)
        }
    }
}

impl<M: Manner> Iceoryx<M> {
    fn config(place: &Place) -> Result<Config, Failure> {
        let mut config = Config::default();
        config.global.prefix = must_name(FileName::new(format!("{}_", place.name).as_bytes()))?;
        config.global.set_root_path(&must_name(Path::new(place.dir.as_os_str().as_encoded_bytes()))?);
        Ok(config)
    }

    fn ends(place: &Place, far: bool) -> Result<Ends<Self>, Failure> {
        set_log_level(LogLevel::Error);
        let config = Self::config(place)?;
        let node = || NodeBuilder::new().signal_handling_mode(SignalHandlingMode::Disabled).config(&config).create();
        let service = |node: &Node<ipc::Service>, back: bool| -> Result<_, Failure> {
            let name = if back { "back" } else { "there" };
            let data = node
                .service_builder(&name.try_into()?)
                .publish_subscribe::<[u8]>()
                .enable_safe_overflow(false)
                .subscriber_max_buffer_size(place.slots)
                .subscriber_max_borrowed_samples(2)
                .history_size(0)
                .max_publishers(1)
                .max_subscribers(1)
                .open_or_create()?;
            let event = if M::EVENT {
                Some(node.service_builder(&format!("{name}-event").as_str().try_into()?).event().open_or_create()?)
            } else {
                None
            };
            Ok((data, event))
        };
        let to_node = node()?;
        let (data, event) = service(&to_node, far)?;
        let to = To {
            publisher: data
                .publisher_builder()
                .initial_max_slice_len(place.longest)
                .max_loaned_samples(1)
                .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
                .create()?,
            notifier: event.map(|event| event.notifier_builder().create()).transpose()?,
            _node: to_node,
            manner: PhantomData,
        };
        let from_node = node()?;
        let (data, event) = service(&from_node, !far)?;
        let from = From {
            subscriber: data.subscriber_builder().create()?,
            listener: event.map(|event| event.listener_builder().create()).transpose()?,
            _node: from_node,
            text: vec![0; LONGEST],
            manner: PhantomData,
        };
        Ok((to, from))
    }
}

fn must_name<T, E: std::fmt::Debug>(name: Result<T, E>) -> Result<T, Failure> {
    name.map_err(|error| format!("iceoryx2 does not take our name: {error:?}").into())
}

impl<M: Manner> Peer for Iceoryx<M> {
    type Tx = To<M>;
    type Rx = From<M>;

    fn make(_: &Place) -> Result<Self, Failure> {
        Ok(Self(PhantomData))
    }

    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(place, false)
    }

    fn far(place: &Place) -> Result<Ends<Self>, Failure> {
        Self::ends(place, true)
    }

    /// iceoryx2 keeps what its nodes have in common.
    fn close(self, place: &Place, ends: Ends<Self>) -> Result<(), Failure> {
        drop(ends);
        Self::clean(place);
        Ok(())
    }

    /// The shared memory is named by the prefix; all else is in the directory.
    fn clean(place: &Place) {
        let Ok(names) = std::fs::read_dir("/dev/shm") else { return };
        for entry in names.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&format!("{}_", place.name)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
