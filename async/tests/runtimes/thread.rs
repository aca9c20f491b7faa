//! The thread of an endpoint: there is none before the first wait, one from then on, and none behind the endpoint. Each test has
//! a process of its own, so that it counts its own threads alone.

use crate::peer::alone;
use crate::place::{LAYOUTS, Place, message};
use crate::{poll_times, until};
use shm_handoff_async::Paused;
use std::fs;

/// Those that wait for an endpoint.
fn threads() -> usize {
    let all = fs::read_dir("/proc/self/task").unwrap();
    let names = all.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim_end() == "shm-handoff").count()
}

#[test]
fn none_for_messages_that_are_ready() {
    alone("thread::none_for_messages_that_are_ready", || {
        smol::block_on(async {
            for layout in LAYOUTS {
                let place = Place::new(layout);
                let (mut reader, writer) = (place.reader(), place.writer());
                // A slot's first message looks for the reader.
                let mut writer = shm_handoff_async::Writer::new({
                    let mut writer = writer.into_inner();
                    writer.send(&message(0)).unwrap();
                    writer
                });
                reader.recv(&mut [0; 2048]).await.unwrap();
                for round in 0..1000 {
                    writer.send(&message(round)).await.unwrap();
                    reader.recv(&mut [0; 2048]).await.unwrap();
                }
                assert_eq!(threads(), 0, "{layout:?}");
                // Nor for what needs no waiting.
                writer.await_reader().await.unwrap();
                writer.flush().await.unwrap();
                writer.end().await.unwrap();
                writer.leave().await.unwrap();
                assert_eq!(threads(), 0, "{layout:?}");
            }
        });
    });
}

#[test]
fn one_while_there_is_something_to_wait_for() {
    alone("thread::one_while_there_is_something_to_wait_for", || {
        for layout in LAYOUTS {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.reader(), place.blocking_writer());
            assert_eq!(threads(), 0);
            assert!(poll_times(reader.recv(&mut [0; 2048]), 200, |_| ()).is_none());
            until("the thread has its name", || threads() == 1);
            for round in 0..10 {
                writer.send(&message(round)).unwrap();
                smol::block_on(reader.recv(&mut [0; 2048])).unwrap();
                assert!(poll_times(reader.recv(&mut [0; 2048]), 200, |_| ()).is_none());
                assert_eq!(threads(), 1, "{layout:?}: the same one");
            }
            drop(reader);
            until("the thread ends", || threads() == 0);
            let mut reader = place.reader();
            assert!(poll_times(reader.recv(&mut [0; 2048]), 200, |_| ()).is_none());
            let reader = Paused::new().unwrap().resume(reader.into_inner());
            until("the one has ended, and the descriptor's runs", || threads() == 1);
            drop(reader.into_inner());
            until("the thread ends", || threads() == 0);
        }
    });
}
