//! A writer and a reader in two processes, on tokio: `cargo run -p shm-handoff-async --example stream`. This program starts
//! itself again as the reader.

use futures::{SinkExt, StreamExt};
use shm_handoff_async::shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff_async::{Reader, Writer};
use std::time::Duration;
use std::{env, process::Command};
use tokio::time::{interval, timeout};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Where the two sides meet: a ring of 1 MiB, which the side that comes first makes.
fn options(key: &str) -> Result<Options> {
    Ok(Options::ring(Key::new(key.parse()?)?, 1 << 20)?)
}

/// A reading every 10 ms, as a sensor has them.
async fn write(options: &Options) -> Result<()> {
    let mut writer = Writer::<SysV>::open(options)?;
    let mut clock = interval(Duration::from_millis(10));
    for number in 1..=5 {
        clock.tick().await;
        SinkExt::send(&mut writer, format!("reading {number}")).await?;
    }
    // Ends the session, and leaves in order.
    Ok(SinkExt::<String>::close(&mut writer).await?)
}

async fn read(options: &Options) -> Result<()> {
    let mut reader = Reader::<SysV>::open(options)?;
    let mut count = 0;
    // A timeout is the runtime's own; a wait that is dropped loses nothing.
    while let Some(message) = timeout(Duration::from_secs(10), reader.next()).await? {
        println!("{}", String::from_utf8_lossy(&message?));
        count += 1;
    }
    assert_eq!(count, 5);
    reader.end_session().await?; // removes the segment
    Ok(reader.close().await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [key] = &args[..] {
        return read(&options(key)?).await;
    }
    let key = (std::process::id() << 8).to_string();
    let mut reader = Command::new(env::current_exe()?).arg(&key).spawn()?;
    write(&options(&key)?).await?;
    assert!(reader.wait()?.success(), "the reader has said why");
    Ok(())
}
