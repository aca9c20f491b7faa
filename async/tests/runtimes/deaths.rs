//! Deaths and removals: the same errors as the blocking library's, and the same ways to go on.

use crate::peer::Peer;
use crate::place::{LAYOUTS, Place, Reader, Writer, message};
use crate::poll_times;
use futures::StreamExt;
use shm_handoff::{Error, Received, RecvError, SendError};
use std::future::Future;
use std::time::Duration;

crate::on_each! {
    a_writer_that_is_dropped a_writer_that_is_killed a_reader_that_goes the_memory_is_removed_under_a_reader
    the_memory_is_removed_under_a_writer a_seat_that_is_taken
}

/// Waits for one, while the other does its part a little later.
async fn meanwhile<T>(waits: impl Future<Output = T>, later: impl FnOnce()) -> T {
    let later = async {
        smol::Timer::after(Duration::from_millis(10)).await; // the thread waits by then, or not: both are right
        later();
    };
    futures::join!(waits, later).0
}

async fn a_writer_that_is_dropped() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.writer());
        writer.send(&message(1)).await.unwrap();
        assert_eq!(reader.next().await, Some(Ok(message(1).to_vec())));
        let gone = meanwhile(reader.next(), || drop(writer)).await;
        assert_eq!(gone, Some(Err(RecvError::WriterGone)), "{layout:?}");
        assert_eq!(reader.next().await, None, "a stream gives nothing more behind an error");
        assert_eq!(reader.recv(&mut [0; 2048]).await, Err(RecvError::WriterGone));
        reader.await_next_writer().await.unwrap();
        assert_eq!(poll_times(reader.recv(&mut [0; 2048]), 2, |_| ()), None, "{layout:?}: it waits for the next one");
        let mut next = place.writer();
        next.send(&message(2)).await.unwrap();
        assert_eq!(reader.next().await, Some(Ok(message(2).to_vec())));
        // In order: the reader waits for yet another one.
        next.leave().await.unwrap();
        assert_eq!(poll_times(reader.recv(&mut [0; 2048]), 2, |_| ()), None);
    }
}

async fn a_writer_that_is_killed() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut reader = place.reader();
        let mut peer = Peer::writer(layout, &place);
        assert_eq!(reader.recv(&mut [0; 2048]).await, Ok(Received::Message(8)));
        let gone = meanwhile(async { reader.recv(&mut [0; 2048]).await }, || peer.kill()).await;
        assert_eq!(gone, Err(RecvError::WriterGone), "{layout:?}");
    }
}

async fn a_reader_that_goes() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (reader, mut writer) = (place.reader(), place.writer());
        writer.await_reader().await.unwrap();
        let long = vec![b'1'; place.longest()];
        writer.send(&long).await.unwrap();
        while poll_times(writer.send(&long), 2, |_| ()).is_some() {}
        let gone = meanwhile(async { writer.send(&long).await }, || drop(reader)).await;
        assert_eq!(gone, Err(SendError::ReaderGone), "{layout:?}");
        let mut next = None;
        meanwhile(async { writer.await_reader().await }, || next = Some(place.reader())).await.unwrap();
        let mut reader = next.unwrap();
        assert!(matches!(reader.recv(&mut [0; 16 << 10]).await, Ok(Received::Message(_))));
    }
}

async fn the_memory_is_removed_under_a_reader() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut reader = place.reader();
        let received = meanwhile(async { reader.recv(&mut [0; 2048]).await }, || {
            place.remove_segment();
            let mut writer = place.blocking_writer();
            // A slot's first message waits for the reader to come over.
            writer.send(&message(1)).unwrap();
            writer.close().unwrap();
        })
        .await;
        assert_eq!(received, Ok(Received::Message(8)), "{layout:?}");
    }
}

async fn the_memory_is_removed_under_a_writer() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.writer().spins(0));
        writer.send(&message(0)).await.unwrap();
        let long = vec![b'1'; place.longest()];
        let mut sent = 1;
        while poll_times(writer.send(&long), 1, |_| ()).is_some() {
            sent += 1;
        }
        let receives = async {
            smol::Timer::after(Duration::from_millis(10)).await;
            place.remove_segment();
            let mut received = 0;
            // The reader takes what lies there, and comes over.
            while received <= sent {
                assert!(matches!(reader.recv(&mut [0; 16 << 10]).await, Ok(Received::Message(_))), "{layout:?}");
                received += 1;
            }
        };
        let sends = async {
            writer.send(&long).await?;
            // It can have found room in what was removed.
            writer.flush().await
        };
        let (last, ()) = futures::join!(sends, receives);
        assert_eq!(last, Ok(()), "{layout:?}");
        assert_eq!(poll_times(reader.recv(&mut [0; 16 << 10]), 2, |_| ()), None, "none came twice");
    }
}

async fn a_seat_that_is_taken() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, writer) = (place.reader(), place.writer());
        poll_times(reader.recv(&mut [0; 2048]), 2, |_| ());
        assert!(matches!(Reader::open(&place.options()), Err(Error::SeatTaken { .. })), "{layout:?}");
        assert!(matches!(Writer::open(&place.options()), Err(Error::SeatTaken { .. })), "{layout:?}");
        drop((reader, writer));
        // Also while the thread waited, at once.
        drop((place.reader(), place.writer()));
    }
}
