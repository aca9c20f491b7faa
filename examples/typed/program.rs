use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::zerocopy::{FromBytes, Immutable, IntoBytes};
use shm_handoff::{Reader, Writer, schema};
use std::{env, process::Command};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is sent. By the derives its bytes can be a message, and any bytes of its length are a `Tick`.
#[derive(Debug, FromBytes, IntoBytes, Immutable)]
#[zerocopy(crate = "shm_handoff::zerocopy")]
#[repr(C)]
struct Tick {
    time: u64,
    bid: f64,
    ask: f64,
}

// By its number a side that was built with another `Tick` is refused.
schema!(struct Tick { time: u64, bid: f64, ask: f64 });

fn write(options: &Options) -> Result<()> {
    let mut writer = Writer::<SysV>::open(options)?;
    writer.send_value(&Tick { time: 1, bid: 99.5, ask: 100.0 })?;
    let mut reserved = writer.reserve_value::<Tick>()?; // or built in the shared memory, in a ring
    reserved.write(&Tick { time: 2, bid: 99.6, ask: 100.1 });
    reserved.commit();
    writer.send_value(&[Tick { time: 3, bid: 99.7, ask: 100.2 }, Tick { time: 4, bid: 99.8, ask: 100.3 }])?;
    writer.end()?;
    Ok(writer.close()?)
}

fn read(options: &Options) -> Result<()> {
    let mut reader = Reader::<SysV>::open(options)?;
    for _ in 0..2 {
        println!("{:?}", reader.recv_value::<Tick>()?.ok_or("the session has ended")?);
    }
    let mut ticks: Vec<Tick> = Vec::new(); // however many a message has
    while let Some(count) = reader.recv_values(&mut ticks)? {
        println!("{count} at once: {ticks:?}");
    }
    reader.end_session()?; // removes the segment
    Ok(reader.close()?)
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let key = args.first().cloned().unwrap_or_else(|| (std::process::id() << 8).to_string());
    let options = Options::ring(Key::new(key.parse()?)?, 1 << 20)?.schema_of::<Tick>();
    if !args.is_empty() {
        return read(&options);
    }
    let mut reader = Command::new(env::current_exe()?).arg(&key).spawn()?;
    write(&options)?;
    assert!(reader.wait()?.success(), "the reader has said why");
    Ok(())
}
