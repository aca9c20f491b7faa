//! An endpoint as a descriptor: readable as long as there is something to do, and not otherwise.

use crate::place::{BlockingReader, BlockingWriter, LAYOUTS, Layout, Place, message};
use nix::poll::{PollFd, PollFlags, poll};
use shm_handoff::{Received, RecvError, SendError, WaitPolicy};
use shm_handoff_async::{Descriptor, Paused};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// Whether it is readable within so many milliseconds.
fn is_readable(endpoint: &impl AsFd, ms: u16) -> bool {
    poll(&mut [PollFd::new(endpoint.as_fd(), PollFlags::POLLIN)], ms).unwrap() == 1
}

/// Long enough for what is to come.
const LONG: u16 = 60_000;

fn take(reader: &mut Descriptor<BlockingReader>) -> Result<Received, RecvError> {
    reader.with(|reader| reader.try_recv(&mut [0; 16 << 10]))
}

#[test]
fn a_reader() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) =
            (Paused::new().unwrap().resume(place.blocking_reader()), place.blocking_writer());
        let count = if layout == Layout::Ring { 3 } else { 1 };
        for round in 0..20 {
            assert!(!is_readable(&reader, 0), "{layout:?}: nothing is there");
            for _ in 0..count {
                writer.send(&message(round)).unwrap();
            }
            for _ in 0..count {
                // Twice: a look takes nothing.
                assert!(is_readable(&reader, LONG) && is_readable(&reader, 0), "{layout:?}");
                assert_eq!(take(&mut reader), Ok(Received::Message(8)));
            }
            assert!(!is_readable(&reader, 0), "{layout:?}: nothing more is there");
            assert_eq!(take(&mut reader), Err(RecvError::WouldBlock));
            // A wait that goes on is called back for nothing, and goes on.
            reader.with(|_| ());
        }
        writer.end().unwrap();
        assert!(is_readable(&reader, LONG), "{layout:?}: an end");
        assert_eq!(take(&mut reader), Ok(Received::End));
        assert!(is_readable(&reader, LONG), "{layout:?}: it is still there");
        assert!(reader.with(BlockingReader::end_session).unwrap());
        drop((reader, writer));
        let (mut reader, mut writer) =
            (Paused::new().unwrap().resume(place.blocking_reader()), place.blocking_writer());
        writer.send(&message(1)).unwrap();
        assert!(is_readable(&reader, LONG), "{layout:?}: the next session");
        assert_eq!(take(&mut reader), Ok(Received::Message(8)));
        drop(writer);
        assert!(is_readable(&reader, LONG), "{layout:?}: a death");
        assert_eq!(take(&mut reader), Err(RecvError::WriterGone));
        assert!(is_readable(&reader, LONG), "{layout:?}: until the reader is told to go on");
        reader.with(BlockingReader::await_next_writer).unwrap();
        assert!(!is_readable(&reader, 0), "{layout:?}");
        // It is the endpoint again, without its thread.
        let mut reader = reader.into_inner();
        assert_eq!(reader.try_recv(&mut [0; 2048]), Err(RecvError::WouldBlock));
    }
}

#[test]
fn a_writer() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut writer = Paused::new().unwrap().resume(place.blocking_writer());
        assert_eq!(is_readable(&writer, 0), layout == Layout::Ring, "{layout:?}: a slot waits for a reader");
        let mut reader = place.blocking_reader();
        assert!(is_readable(&writer, LONG), "{layout:?}");
        let long = vec![b'1'; place.longest()];
        writer.want_room(long.len());
        assert!(is_readable(&writer, LONG));
        while is_readable(&writer, 0) {
            assert_eq!(writer.with(|writer| writer.try_send(&long)), Ok(()), "{layout:?}: readable means room");
        }
        assert_eq!(writer.with(|writer| writer.try_send(&long)), Err(SendError::WouldBlock), "{layout:?}");
        if layout == Layout::Ring {
            writer.want_room(8);
            assert!(is_readable(&writer, LONG), "there is room for little");
            writer.want_room(long.len());
            assert!(!is_readable(&writer, 0));
        }
        while reader.try_recv(&mut [0; 16 << 10]).is_ok() {}
        assert!(is_readable(&writer, LONG), "{layout:?}");
        while writer.with(|writer| writer.try_send(&long)).is_ok() {}
        drop(reader);
        assert!(is_readable(&writer, LONG), "{layout:?}: the reader has gone");
        assert_eq!(writer.with(|writer| writer.try_send(&long)), Err(SendError::ReaderGone), "{layout:?}");
        // What can never be sent is something to do: the next call says it.
        writer.want_room(1 << 20);
        assert!(is_readable(&writer, 0));
    }
}

/// After an end there is nothing to wait for: the wait would make the next session's segment, and leave it behind.
#[test]
fn behind_an_end() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let (mut reader, mut writer) =
            (place.blocking_reader(), Paused::new().unwrap().resume(place.blocking_writer()));
        writer.with(|writer| writer.send(&message(1))).unwrap();
        assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::Message(8)));
        writer.with(BlockingWriter::end).unwrap();
        assert!(is_readable(&writer, 0), "{layout:?}");
        assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::End));
        assert!(reader.end_session().unwrap());
        drop(reader);
        writer.with(|_| ());
        assert!(is_readable(&writer, 0), "{layout:?}");
        // Until the next session is wanted.
        writer.want_room(8);
        let mut reader = place.blocking_reader();
        assert!(is_readable(&writer, LONG), "{layout:?}");
        writer.with(|writer| writer.send(&message(2))).unwrap();
        assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::Message(8)), "{layout:?}");
        assert!(is_readable(&writer, LONG), "{layout:?}");
    }
}

#[test]
fn the_next_reader() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut writer = Paused::new().unwrap().resume(place.blocking_writer());
        let reader = place.blocking_reader();
        writer.with(|writer| writer.await_reader(&mut WaitPolicy::forever())).unwrap();
        let long = vec![b'1'; place.longest()];
        while writer.with(|writer| writer.try_send(&long)).is_ok() {}
        drop(reader);
        writer.want_room(long.len());
        assert!(is_readable(&writer, LONG), "{layout:?}: the reader has gone");
        assert_eq!(writer.with(|writer| writer.try_send(&long)), Err(SendError::ReaderGone), "{layout:?}");
        writer.want_reader();
        assert!(!is_readable(&writer, 0), "{layout:?}: nobody is there");
        let _reader = place.blocking_reader();
        assert!(is_readable(&writer, LONG), "{layout:?}");
        assert_eq!(writer.with(|writer| writer.await_reader(&mut WaitPolicy::non_blocking())), Ok(()), "{layout:?}");
    }
}

/// A descriptor goes over to another endpoint, whose sleeps it ends then.
#[test]
fn of_another_endpoint() {
    let (place, other) = (Place::ring(), Place::ring());
    let reader = Paused::new().unwrap().resume(place.blocking_reader());
    let (first, paused) = reader.pause();
    let mut reader = paused.resume(other.blocking_reader());
    let quickest = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(5)); // it sleeps by then, for 20 ms or more
        let started = Instant::now();
        reader.with(|_| ());
        started.elapsed()
    });
    assert!(quickest.min().unwrap() < Duration::from_millis(8));
    other.blocking_writer().send(&message(1)).unwrap();
    assert!(is_readable(&reader, LONG));
    assert_eq!(take(&mut reader), Ok(Received::Message(8)));
    drop(first);
}

#[test]
fn in_an_event_loop() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(crate::within(async {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let mut writer = place.blocking_writer();
            let reader = Paused::new().unwrap().resume(place.blocking_reader());
            // SAFETY: a descriptor stays the same one, and open, as long as the endpoint is there.
            let mut reader = unsafe { AsyncFd::register(reader) }.unwrap();
            assert!(reader.get_ref().as_raw_fd() > 2);
            let sends = std::thread::spawn(move || {
                for round in 0..50 {
                    writer.send(&message(round))?;
                    std::thread::sleep(Duration::from_micros(u64::from(round) * 20)); // the loop waits meanwhile, or not
                }
                writer.end()?;
                writer.close()
            });
            let mut received = 0;
            loop {
                let mut ready = reader.readable_mut().await.unwrap();
                match take(ready.get_inner_mut()) {
                    Ok(Received::Message(8)) => received += 1,
                    Ok(Received::End) => break,
                    // Now the loop may wait.
                    Err(RecvError::WouldBlock) => ready.clear_ready(),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(received, 50, "{layout:?}");
            assert!(reader.get_mut().with(BlockingReader::end_session).unwrap());
            sends.join().unwrap().unwrap();
        }
    }));
}
