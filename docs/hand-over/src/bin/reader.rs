//! Prints what the writer hands over: `reader KEY`.

use shm_handoff::backend::sysv::{KeySpec, Options, SysV};
use shm_handoff::{Reader, WaitPolicy};
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key: KeySpec = std::env::args().nth(1).ok_or("usage: reader KEY")?.parse()?;
    let mut reader = Reader::<SysV>::open(&Options::slot(key.resolve()?))?;
    loop {
        let mut policy = WaitPolicy::deadline(Instant::now() + Duration::from_secs(10));
        let message = reader.peek_with(&mut policy).map_err(|error| error.to_string())?;
        if message.ends_session() {
            message.end_session()?; // removes the segment
            return Ok(());
        }
        stdout().write_all(message.text())?; // a copy, which nobody can change any more
        message.release(); // only now may the writer write
    }
}
