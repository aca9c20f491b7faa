use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::{Reader, RecvError, SendError, WaitPolicy, Writer};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::{env, io};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const NUMBERS: u32 = 5_000;

/// After so many lines a reader is killed.
const A_LIFE: usize = 700;

/// Sends all numbers. A reader that has gone is waited for: its successor goes on where it stopped.
fn write(options: &Options) -> Result<()> {
    let mut writer = Writer::<SysV>::open(options)?;
    for number in 0..NUMBERS {
        let line = format!("{number:>100}\n");
        while let Err(error) = writer.send(line.as_bytes()) {
            match error {
                SendError::ReaderGone => writer.await_reader(&mut WaitPolicy::forever())?,
                error => return Err(error.into()),
            }
        }
    }
    writer.end()?;
    Ok(writer.close()?)
}

/// Prints each message, and releases it then: a reader that dies in between leaves it to the next one.
fn read(options: &Options) -> Result<()> {
    let mut reader = Reader::<SysV>::open(options)?;
    loop {
        match reader.peek() {
            Ok(message) if message.ends_session() => break message.end_session()?,
            Ok(message) => {
                io::stdout().write_all(message.text())?;
                io::stdout().flush()?;
                message.release();
            }
            Err(RecvError::WriterGone) => reader.await_next_writer()?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(reader.close()?)
}

/// This program again, in another role.
fn start(role: &str, key: &str) -> Result<Child> {
    Ok(Command::new(env::current_exe()?).args([role, key]).stdout(Stdio::piped()).spawn()?)
}

/// Starts readers until one of them comes to the end, kills the others, and says how many there were.
fn supervise(key: &str) -> Result<usize> {
    let mut next = 0;
    for readers in 1.. {
        let mut reader = start("read", key)?;
        let mut lines = BufReader::new(reader.stdout.take().ok_or("it has no output")?).lines();
        for (count, line) in lines.by_ref().enumerate() {
            let number: u32 = line?.trim().parse()?;
            // The first one of a reader can be what its predecessor was killed at.
            assert!(number == next || (count == 0 && number + 1 == next), "{number} comes, and {next} is next");
            next = number + 1;
            if count == A_LIFE {
                reader.kill()?; // what it has printed until then is read all the same
            }
        }
        if reader.wait()?.success() {
            assert_eq!(next, NUMBERS, "nothing is lost");
            return Ok(readers);
        }
    }
    unreachable!("there is always one more")
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let key = args.get(1).cloned().unwrap_or_else(|| (std::process::id() << 8).to_string());
    let options = Options::ring(Key::new(key.parse()?)?, 64 << 10)?;
    match args.first().map(String::as_str) {
        Some("write") => return write(&options),
        Some("read") => return read(&options),
        _ => {}
    }
    let mut writer = start("write", &key)?;
    let supervised = supervise(&key);
    if supervised.is_err() {
        let _ = writer.kill();
        Segment::open(Key::new(key.parse()?)?)?.remove()?;
    }
    assert!(writer.wait()?.success(), "the writer has said why");
    println!("{NUMBERS} numbers, each of them in order, through {} readers", supervised?);
    Ok(())
}
