//! Hands lines from standard input to the reader: `writer KEY`.

use shm_handoff::backend::sysv::{KeySpec, Options, SysV};
use shm_handoff::{SendError, Writer};
use std::io::stdin;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key: KeySpec = std::env::args().nth(1).ok_or("usage: writer KEY")?.parse()?;
    let mut writer = Writer::<SysV>::open(&Options::slot(key.resolve()?))?;
    let mut send = |line: &str| writer.send_deadline(line.as_bytes(), Instant::now() + Duration::from_secs(10));
    for line in stdin().lines() {
        let line = line?;
        if line == "end" {
            break;
        }
        match send(&(line + "\n")) {
            Ok(()) => {}
            // Nothing of it was sent; the next line can be.
            Err(SendError::Unsendable(why)) => eprintln!("left out: {why}"),
            Err(error) => return Err(error.to_string().into()),
        }
    }
    send("end\n")?;
    writer.close()?; // or else the reader would take this for a death
    Ok(())
}
