//! Timeouts are the runtime's own, and so are its ways to wait for one of several.

use crate::place::{LAYOUTS, Place, message, number};
use shm_handoff::Received;
use std::future::Future;
use std::time::Duration;

crate::on_each! { a_wait_that_times_out one_of_several }

const SHORT: Duration = Duration::from_millis(20);

/// By the runtime that runs this.
async fn timeout<T>(work: impl Future<Output = T>) -> Option<T> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return tokio::time::timeout(SHORT, work).await.ok();
    }
    let late = async {
        smol::Timer::after(SHORT).await;
        None
    };
    smol::future::or(async { Some(work.await) }, late).await
}

async fn a_wait_that_times_out() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.writer());
        assert_eq!(timeout(reader.recv(&mut [0; 2048])).await, None, "{layout:?}");
        writer.send(&message(0)).await.unwrap();
        assert_eq!(timeout(reader.recv(&mut [0; 2048])).await, Some(Ok(Received::Message(8))), "{layout:?}");
        let mut sent = 0;
        while timeout(writer.send(&vec![b'x'; place.longest()])).await.is_some() {
            sent += 1;
        }
        assert!(sent > 0, "{layout:?}");
        for _ in 0..sent {
            assert!(matches!(reader.recv(&mut [0; 16 << 10]).await, Ok(Received::Message(_))), "{layout:?}");
        }
        assert_eq!(timeout(reader.recv(&mut [0; 2048])).await, None, "{layout:?}: what timed out was not sent");
    }
}

/// A loop that waits for messages and for something else, with whichever comes first.
async fn one_of_several() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut reader = place.reader();
        let mut writer = place.blocking_writer();
        let peer = std::thread::spawn(move || {
            for round in 0..60 {
                if round % 4 == 0 {
                    std::thread::sleep(Duration::from_micros(500)); // the other branch comes first meanwhile
                }
                writer.send(&message(round))?;
            }
            writer.end()?;
            writer.close()
        });
        let (mut next, mut others) = (0, 0);
        let mut bytes = [0; 2048];
        loop {
            tokio::select! {
                received = reader.recv(&mut bytes) => match received.unwrap() {
                    Received::Message(len) => {
                        assert_eq!(number(&bytes[..len]), next, "{layout:?}");
                        next += 1;
                    }
                    Received::End => break,
                },
                _ = smol::Timer::after(Duration::from_micros(50)) => others += 1,
            }
        }
        assert_eq!(next, 60, "{layout:?}");
        assert!(others > 0, "the other branch had no turn");
        assert!(reader.end_session().await.unwrap());
        peer.join().unwrap().unwrap();
    }
}
