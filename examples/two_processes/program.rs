use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Received, Writer};
use std::{env, process::Command};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Where the two sides meet. Both name the same key and the same layout; the side that comes first makes the segment.
fn options(layout: &str, key: &str) -> Result<Options> {
    let key = Key::new(key.parse()?)?;
    Ok(match layout {
        // One text of up to 2047 bytes at a time, as C programs of the tutorial have it.
        "slot" => Options::slot(key),
        // The same in a struct of the program's own.
        "declared" => Options::declared(key, &"struct { char text[256]; int ready; }".parse()?),
        // Any bytes: many messages at a time, of up to a quarter of this each.
        _ => Options::ring(key, 1 << 20)?,
    })
}

fn write(options: &Options) -> Result<()> {
    let mut writer = Writer::<SysV>::open(options)?;
    for line in ["one\n", "two\n", "three\n"] {
        writer.send(line.as_bytes())?; // waits for room
    }
    writer.end()?; // the reader receives `Received::End`
    Ok(writer.close()?) // a writer that is dropped instead counts as failed
}

fn read(options: &Options) -> Result<()> {
    let mut reader = Reader::<SysV>::open(options)?;
    let mut bytes = vec![0; reader.capacity()];
    while let Received::Message(len) = reader.recv(&mut bytes)? {
        print!("{}", String::from_utf8_lossy(&bytes[..len]));
    }
    reader.end_session()?; // removes the segment
    Ok(reader.close()?)
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [layout, key] = &args[..] {
        return read(&options(layout, key)?);
    }
    let key = (std::process::id() << 8).to_string();
    for layout in ["slot", "declared", "ring"] {
        let mut reader = Command::new(env::current_exe()?).args([layout, &key]).spawn()?;
        write(&options(layout, &key)?)?;
        assert!(reader.wait()?.success(), "the reader has said why");
    }
    Ok(())
}
