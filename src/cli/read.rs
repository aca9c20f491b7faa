//! `shmread`.

use super::args::{Format, ReadArgs};
use super::exit::{Exit, Failure};
use super::introduce;
use super::output::{Output, Written};
use super::signals::{self, Signals};
use super::stdio::{self, say};
use crate::backend::sysv::SysV;
use crate::error::Error;
use crate::protocol::{Patience, Reader, RecvError, message};
use clap::Parser;
use nix::errno::Errno;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PROGRAM: &str = "shmread";

/// How often to see whether anybody still reads our output, while there is
/// nothing to write to it.
const LOOK_AT_OUTPUT: Duration = Duration::from_millis(50);

/// The program.
#[must_use]
pub fn shmread() -> ExitCode {
    match run(&ReadArgs::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say!("{PROGRAM}: {}", failure.message);
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(args: &ReadArgs) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    if stdio::was_closed(1) {
        return Err(Failure::io("standard output is closed", Errno::EBADF, "; open it, to /dev/null if need be"));
    }
    let stdout = std::io::stdout();
    let terminal = stdout.is_terminal();
    let mut reader = super::open(&signals, || Reader::<SysV>::open(&args.common.options()?))?;
    introduce(PROGRAM, &args.common, reader.backend(), terminal)?;
    let format = args.format.unwrap_or(if terminal { Format::Label } else { Format::Plain });
    let mut output = Output::new(stdout.as_fd(), format, terminal);
    let done = read_all(args, &mut reader, &mut output, &signals);
    let left = reader.leave();
    done?;
    Ok(left?)
}

fn read_all(
    args: &ReadArgs,
    reader: &mut Reader<SysV>,
    output: &mut Output<'_>,
    signals: &Signals,
) -> Result<(), Failure> {
    let plain = output.is_plain();
    let mut seq = 0;
    let mut received = 0;
    loop {
        let deadline = args.common.deadline();
        let message = loop {
            let mut closed = false;
            let mut looked = Instant::now();
            let mut hook = |_| {
                if looked.elapsed() >= LOOK_AT_OUTPUT {
                    looked = Instant::now();
                    closed = signals::is_closed(output.file());
                }
                if closed || signals.caught().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let patience = deadline.map_or_else(Patience::endless, Patience::until);
            match reader.wait_with(&mut patience.with_hook(&mut hook)) {
                Ok(()) => break reader.look()?,
                Err(RecvError::WriterGone) if args.follow => {
                    if args.common.verbose {
                        say!("{PROGRAM}: the writer died; waiting for the next one");
                    }
                    reader.follow()?;
                }
                Err(RecvError::Interrupted) if closed => return Ok(()),
                Err(RecvError::Interrupted) => {
                    return Err(signals
                        .caught()
                        .map_or_else(|| unreachable!("only a signal or a closed output interrupts"), Failure::signal));
                }
                Err(error) => return Err(error.into()),
            }
        };
        let bare_end = message::is_bare_end(message.text());
        let ends = message.ends_session();
        if !(plain && bare_end) {
            seq += 1;
            if output.print(message.text(), seq, ends, signals)? == Written::Closed {
                return Ok(());
            }
        }
        if ends {
            if args.keep {
                message.release();
            } else {
                message.close().map_err(not_ours_to_remove)?;
            }
            return Ok(());
        }
        message.release();
        received += 1;
        if args.count.is_some_and(|count| received >= count.get()) {
            return Ok(());
        }
    }
}

/// The session is over all the same; only the segment is left.
fn not_ours_to_remove(error: Error) -> Failure {
    match error {
        Error::Permission { owner, .. } => Failure::new(
            Exit::System,
            format!("the session has ended, but {owner} alone can remove the segment (--keep releases it instead)"),
        ),
        other => other.into(),
    }
}

impl From<RecvError> for Failure {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Backend(error) => error.into(),
            RecvError::TimedOut => Self::timed_out(),
            RecvError::WriterGone => Self::new(
                Exit::PeerGone,
                "the writer died or failed before it ended the session (--follow waits for the next one)",
            ),
            other => Self::new(Exit::System, other),
        }
    }
}
