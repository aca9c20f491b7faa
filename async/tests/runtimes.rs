//! The same on every runtime: on tokio, current-thread and multi-thread, and on smol.
#![cfg(not(loom))]

use futures::{SinkExt, StreamExt};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{Received, RecvError, SendError};
use shm_handoff_async::{Reader, Writer};
use std::time::Duration;

/// Runs `work` on each runtime.
macro_rules! on_each {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn tokio_current_thread() {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(super::$name());
            }

            #[test]
            fn tokio_multi_thread() {
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(super::$name());
            }

            #[test]
            fn smol() {
                smol::block_on(super::$name());
            }
        }
    )*};
}

on_each! { a_session wakes_from_sleep both_sides_wait }

/// A ring that is removed when this is dropped.
struct Place(Options);

impl Place {
    fn ring() -> Self {
        Self(Options::ring(shm_handoff::example::key(), 64 << 10).unwrap())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(left) = shm_handoff::Reader::<SysV>::open(&self.0) {
            let _ = left.backend().segment().remove();
            let _ = left.close();
        }
    }
}

async fn a_session() {
    let place = Place::ring();
    let mut reader = Reader::<SysV>::open(&place.0).unwrap();
    let mut writer = Writer::<SysV>::open(&place.0).unwrap();
    for round in 0_u32..1000 {
        writer.send(&round.to_ne_bytes()).await.unwrap();
        assert_eq!(reader.next().await, Some(Ok(round.to_ne_bytes().to_vec())));
    }
    SinkExt::<&[u8]>::close(&mut writer).await.unwrap();
    assert_eq!(reader.recv(&mut [0; 8]).await, Ok(Received::End));
    assert_eq!(reader.next().await, None);
    assert!(reader.end_session().await.unwrap());
}

async fn wakes_from_sleep() {
    let place = Place::ring();
    let mut reader = Reader::<SysV>::open(&place.0).unwrap();
    let options = place.0;
    let peer = std::thread::spawn(move || {
        let mut writer = shm_handoff::Writer::<SysV>::open(&options)?;
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(20)); // the reader sleeps meanwhile
            writer.send(b"hello")?;
        }
        drop(writer);
        Ok::<_, SendError>(())
    });
    for _ in 0..5 {
        assert_eq!(reader.recv(&mut [0; 8]).await, Ok(Received::Message(5)));
    }
    assert_eq!(reader.recv(&mut [0; 8]).await, Err(RecvError::WriterGone));
    peer.join().unwrap().unwrap();
}

async fn both_sides_wait() {
    let place = Place::ring();
    let mut reader = Reader::<SysV>::open(&place.0).unwrap();
    let mut writer = Writer::<SysV>::open(&place.0).unwrap();
    let message = [7; 16 << 10];
    let sends = async {
        for _ in 0..200 {
            writer.send(&message).await.unwrap();
        }
        writer.end().await.unwrap();
        writer.close().await.unwrap();
    };
    let receives = async {
        let mut count = 0;
        while let Some(message) = reader.next().await {
            assert_eq!(message.unwrap().len(), 16 << 10);
            count += 1;
        }
        assert_eq!(count, 200);
        assert!(reader.end_session().await.unwrap());
    };
    futures::join!(sends, receives);
}
