//! Sessions, from the first message to the end, on every layout.

use crate::place::{LAYOUTS, Layout, Place, message, number};
use futures::{SinkExt, StreamExt};
use shm_handoff::{Received, RecvError, SendError};
use std::time::Duration;

crate::on_each! {
    each_side_in_turn both_sides_at_once as_a_sink_and_a_stream an_answer_to_each nothing_is_ready_twice
    wakes_from_sleep a_sink_that_is_closed_in_pieces a_sink_that_was_closed two_sessions a_sink_keeps_what_it_was_given
}

async fn each_side_in_turn() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.writer());
        for round in 0..300 {
            writer.send(&message(round)).await.unwrap();
            let mut bytes = [0; 2048];
            assert_eq!(reader.recv(&mut bytes).await, Ok(Received::Message(8)), "{layout:?}");
            assert_eq!(number(&bytes[..8]), round);
        }
        writer.end().await.unwrap();
        assert_eq!(reader.recv(&mut [0; 2048]).await, Ok(Received::End), "{layout:?}");
        assert_eq!(reader.next().await, None);
        assert!(reader.end_session().await.unwrap());
        writer.leave().await.unwrap();
        reader.close().await.unwrap();
    }
}

async fn both_sides_at_once() {
    for (layout, count) in [(Layout::Slot, 2000), (Layout::Ring, 20_000), (Layout::Text, 2000), (Layout::Data, 2000)] {
        // With no spins every wait is the thread's.
        for spins in [0, 100] {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.reader().spins(spins), place.writer().spins(spins));
            let count = if spins == 0 && layout != Layout::Ring { count / 20 } else { count };
            let sends = async {
                for round in 0..count {
                    writer.send(&message(round)).await.unwrap();
                }
                writer.end().await.unwrap();
                writer.leave().await.unwrap();
            };
            let receives = async {
                let mut next = 0;
                while let Some(bytes) = reader.next().await {
                    assert_eq!(number(&bytes.unwrap()), next);
                    next += 1;
                }
                assert_eq!(next, count, "{layout:?}");
                assert!(reader.end_session().await.unwrap());
            };
            futures::join!(sends, receives);
        }
    }
}

async fn as_a_sink_and_a_stream() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader(), place.writer());
        let mut messages = futures::stream::iter((0..100).map(|round| Ok(message(round))));
        let sends = async {
            writer.send_all(&mut messages).await.unwrap();
            SinkExt::<[u8; 8]>::close(&mut writer).await.unwrap();
            SinkExt::<[u8; 8]>::close(&mut writer).await.unwrap();
        };
        let receives = async {
            let numbers: Vec<u32> = reader.by_ref().map(|bytes| number(&bytes.unwrap())).collect().await;
            assert_eq!(numbers, (0..100).collect::<Vec<_>>(), "{layout:?}");
            // A sink's close is through when a reader has answered, where memory goes with its last attachment.
            assert!(reader.end_session().await.unwrap());
        };
        futures::join!(sends, receives);
    }
}

/// A reader that answers before it releases, and a writer that calls.
async fn an_answer_to_each() {
    let place = Place::new(Layout::Data);
    let mut reader = place.reader();
    let mut writer = place.blocking_writer();
    let caller = std::thread::spawn(move || {
        let mut answer = [0; 4];
        for round in 0..50 {
            writer.call(&message(round), &mut answer)?;
            assert_eq!(u32::from_ne_bytes(answer), round + 1);
        }
        writer.end()?;
        writer.close()
    });
    for _ in 0..50 {
        let mut request = reader.ready().await.unwrap().peek().unwrap();
        let answer = number(request.text()) + 1;
        request.reply(&answer.to_ne_bytes()).unwrap();
        request.release();
    }
    assert_eq!(reader.next().await, None);
    assert!(reader.end_session().await.unwrap());
    caller.join().unwrap().unwrap();
}

/// How a wait has ended is said once: neither side is ready a second time for it.
async fn nothing_is_ready_twice() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) = (place.reader().spins(0), place.writer().spins(0));
        // The reader is woken by a message, and the writer by its release.
        let sends = async {
            smol::Timer::after(Duration::from_millis(5)).await; // the reader waits meanwhile, or not: both are tried
            writer.send(&message(1)).await.unwrap();
        };
        let (received, ()) = futures::join!(async { reader.recv(&mut [0; 2048]).await }, sends);
        assert_eq!(received, Ok(Received::Message(8)));
        let ready = crate::poll_times(reader.ready(), 1, |_| ());
        assert!(ready.is_none(), "{layout:?}: nothing lies there");
        if layout != Layout::Ring {
            writer.send(&message(2)).await.unwrap();
            let takes = async {
                smol::Timer::after(Duration::from_millis(5)).await;
                reader.recv(&mut [0; 2048]).await.unwrap()
            };
            let (sent, _) = futures::join!(async { writer.send(&message(3)).await }, takes);
            sent.unwrap();
            let ready = crate::poll_times(writer.ready(8), 1, |_| ());
            assert!(ready.is_none(), "{layout:?}: there is no room");
        }
    }
}

async fn wakes_from_sleep() {
    let place = Place::ring();
    let mut reader = place.reader();
    let mut writer = place.blocking_writer();
    let peer = std::thread::spawn(move || {
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

/// A sink's close that is dropped at some poll and called again tells one end.
async fn a_sink_that_is_closed_in_pieces() {
    for layout in LAYOUTS {
        for polls in 0..4 {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(0));
            writer.send(&message(1)).await.unwrap();
            crate::poll_times(SinkExt::<[u8; 8]>::close(&mut writer), polls, |_| ());
            let receives = std::thread::spawn(move || {
                let mut bytes = [0; 2048];
                assert_eq!(reader.recv(&mut bytes), Ok(Received::Message(8)));
                assert_eq!(reader.recv(&mut bytes), Ok(Received::End));
                assert!(reader.end_session().unwrap());
            });
            SinkExt::<[u8; 8]>::close(&mut writer).await.unwrap();
            receives.join().unwrap();
            let mut reader = place.blocking_reader();
            let mut next = place.writer();
            next.send(&message(2)).await.unwrap();
            let mut bytes = [0; 2048];
            assert_eq!(reader.recv(&mut bytes), Ok(Received::Message(8)), "{layout:?}: one end, and no second one");
        }
    }
}

/// Every call says that the writer has left, and none panics. Closing it once more is no error.
async fn a_sink_that_was_closed() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (_reader, mut writer) = (place.reader(), place.writer());
        SinkExt::<[u8; 8]>::close(&mut writer).await.unwrap();
        SinkExt::<[u8; 8]>::close(&mut writer).await.unwrap();
        SinkExt::<[u8; 8]>::flush(&mut writer).await.unwrap();
        let closed = Err(SendError::Closed);
        assert_eq!(SinkExt::send(&mut writer, message(1)).await, closed, "{layout:?}");
        assert_eq!(SinkExt::feed(&mut writer, message(1)).await, closed);
        assert_eq!(writer.send(&message(1)).await, closed);
        assert_eq!(writer.ready(8).await.map(drop), closed);
        assert_eq!(writer.await_reader().await, closed);
        assert_eq!(writer.end().await, closed);
        assert_eq!(writer.flush().await, closed);
        let error = writer.leave().await.unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint().as_deref()),
            ("the writer was closed", Some("open another writer"))
        );
    }
}

/// The end of the one is not taken for the end of the next.
async fn two_sessions() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut writer = place.writer();
        for session in 0..3 {
            let mut reader = place.reader();
            let sends = async {
                writer.send(&message(session)).await.unwrap();
                writer.end().await.unwrap();
            };
            let receives = async {
                assert_eq!(reader.next().await, Some(Ok(message(session).to_vec())));
                assert_eq!(reader.next().await, None);
                assert!(reader.end_session().await.unwrap(), "{layout:?}");
            };
            futures::join!(sends, receives);
        }
    }
}

/// What a sink was given goes first, also where the reader has gone meanwhile.
async fn a_sink_keeps_what_it_was_given() {
    let place = Place::new(Layout::Slot);
    let (reader, mut writer) = (place.reader(), place.writer().spins(0));
    writer.send(&message(1)).await.unwrap();
    writer.feed(message(2)).await.unwrap(); // there is no room for it
    drop(reader);
    assert_eq!(SinkExt::<[u8; 8]>::flush(&mut writer).await, Err(SendError::ReaderGone));
    let mut reader = place.reader();
    writer.await_reader().await.unwrap();
    let receives = async {
        for round in 1..=3 {
            assert_eq!(reader.next().await, Some(Ok(message(round).to_vec())));
        }
    };
    let (sent, ()) = futures::join!(async { writer.send(&message(3)).await }, receives);
    sent.unwrap();
}
