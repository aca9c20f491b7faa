//! A file through `shmwrite --raw` and `shmread --raw`, and through `cat | cat`.

use crate::Failure;
use crate::markdown::{head, row};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 9;

/// Removed when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn measure(mib: u64, binaries: &Path) -> Result<(), Failure> {
    let find = |name: &str| -> Result<PathBuf, Failure> {
        let path = binaries.join(name);
        path.canonicalize().map_err(|error| format!("{}: {error}: cargo build --release first", path.display()).into())
    };
    let (write, read) = (find("shmwrite")?, find("shmread")?);
    let scratch = Scratch(std::env::temp_dir().join(format!("shm-handoff-peers-file-{}", std::process::id())));
    fill(&scratch.0, mib)?;
    let key = format!("0x{:x}", 0x5F00_0000 | std::process::id() & 0x00FF_FFFF);
    let ours = || -> Result<f64, Failure> {
        let started = Instant::now();
        let mut reader = Command::new(&read).args(["-k", &key, "--raw"]).stdout(Stdio::null()).spawn()?;
        let file = File::open(&scratch.0)?;
        let status = Command::new(&write).args(["-k", &key, "--raw", "-q"]).stdin(file).status()?;
        let took = ended(&[status, reader.wait()?], started)?;
        Ok(took)
    };
    let cats = || -> Result<f64, Failure> {
        let started = Instant::now();
        let mut first = Command::new("cat").arg(&scratch.0).stdout(Stdio::piped()).spawn()?;
        let pipe = first.stdout.take().ok_or("no pipe")?;
        let second = Command::new("cat").stdin(pipe).stdout(Stdio::null()).status()?;
        ended(&[first.wait()?, second], started)
    };
    // Once unmeasured, so that the file is in memory.
    cats()?;
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let (a, b) = if round % 2 == 0 {
            let a = ours()?;
            (a, cats()?)
        } else {
            let b = cats()?;
            (ours()?, b)
        };
        rounds.push([a, b, b / a]);
    }
    let median = |at: usize| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
        values.sort_by(f64::total_cmp);
        (values[ROUNDS / 2], values[0], values[ROUNDS - 1])
    };
    print!("{}", head(&[&format!("{mib} MiB, {ROUNDS} rounds"), "median s", "min..max"], 1, 0));
    for (at, name) in
        ["`shmwrite --raw`, `shmread --raw >/dev/null`", "`cat file \\| cat >/dev/null`"].iter().enumerate()
    {
        let (middle, least, most) = median(at);
        print!("{}", row(&[*name, &format!("{middle:.3}"), &format!("{least:.3}..{most:.3}")]));
    }
    let (middle, least, most) = median(2);
    print!("{}", row(&["our rate to that of `cat`", &format!("{middle:.2}"), &format!("{least:.2}..{most:.2}")]));
    Ok(())
}

fn ended(statuses: &[std::process::ExitStatus], started: Instant) -> Result<f64, Failure> {
    let took = started.elapsed().as_secs_f64();
    match statuses.iter().find(|status| !status.success()) {
        Some(status) => Err(format!("one of them failed: {status}").into()),
        None => Ok(took),
    }
}

/// Bytes that no two blocks have alike.
fn fill(path: &Path, mib: u64) -> Result<(), Failure> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut word = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..mib << 17 {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        file.write_all(&word.to_ne_bytes())?;
    }
    Ok(file.flush()?)
}
