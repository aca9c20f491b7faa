//! A task that always finds something to do lets others run.

use crate::place::Place;
use std::future::Future;
use std::time::{Duration, Instant};

crate::on_each! { a_timer_beside_a_task_that_is_never_idle }

async fn a_timer_beside_a_task_that_is_never_idle() {
    let place = Place::ring();
    let (mut reader, mut writer) = (place.reader(), place.writer());
    let started = Instant::now();
    let busy = async {
        loop {
            // In the task itself: nothing else of its thread would ever run.
            assert!(started.elapsed() < Duration::from_secs(20), "the busy task lets no other one run");
            writer.send(b"hello").await.unwrap();
            reader.recv(&mut [0; 8]).await.unwrap();
        }
    };
    let timer: std::pin::Pin<Box<dyn Future<Output = ()>>> = if tokio::runtime::Handle::try_current().is_ok() {
        Box::pin(tokio::time::sleep(Duration::from_millis(5)))
    } else {
        Box::pin(async {
            smol::Timer::after(Duration::from_millis(5)).await;
        })
    };
    // The busy one is asked first, each time.
    smol::future::or(busy, timer).await;
}
