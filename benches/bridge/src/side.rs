//! One side of a measurement, as a process on its host. It talks with the process that measures in lines.

use crate::carriers::{Carrier, text};
use crate::message;
use crate::tally::Tally;
use std::io::{BufRead, Write, stdin, stdout};
use std::thread;
use std::time::Duration;

/// What a sender sends.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    /// Bytes of a message
    #[arg(long)]
    pub(crate) len: usize,
    /// Messages a second; without it, as many as go
    #[arg(long)]
    pub(crate) per_second: Option<u64>,
    /// For so long
    #[arg(long)]
    pub(crate) millis: u64,
}

/// Sends, once it is told to go.
pub(crate) fn send(carrier: Carrier, plan: Plan) -> Result<(), String> {
    let mut sender = carrier.sender()?;
    say("ready")?;
    hear()?;
    let (mut message, mut number, begin) = (message::blank(plan.len), 0, message::now());
    let end = begin + plan.millis * 1_000_000;
    loop {
        let now = message::now();
        let at = match plan.per_second {
            None => now,
            // What is late is stamped with the time at which it was to be sent: a stall is everybody's who waits.
            Some(per_second) => begin + number * 1_000_000_000 / per_second,
        };
        if at >= end {
            break;
        }
        if at > now {
            sender.flush()?;
            thread::sleep(Duration::from_nanos(at - now));
        }
        message::stamp(&mut message, number, at);
        sender.send(&message)?;
        number += 1;
    }
    sender.flush()?;
    say(&number.to_string())?;
    // The session stays until everything has come.
    hear().map(drop)
}

/// Receives, until all has come that was sent, or none has come for as long as `patience`.
pub(crate) fn receive(carrier: Carrier, len: usize, patience: Duration) -> Result<(), String> {
    let tally: &'static Tally = Box::leak(Box::new(Tally::new(len)));
    thread::spawn(move || {
        let ready = || drop(say("ready"));
        if let Err(why) = carrier.receive(tally, &ready) {
            eprintln!("bridge-bench: {} can't receive: {why}", carrier.name());
            std::process::exit(1);
        }
    });
    let sent = hear()?.trim().parse().map_err(text)?;
    let told = message::now();
    loop {
        let (count, last) = tally.count();
        let quiet = message::now().saturating_sub(last.max(told));
        if count >= sent || u128::from(quiet) > patience.as_nanos() {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    say(&tally.report(sent).to_string())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(stdout(), "{line}").and_then(|()| stdout().flush()).map_err(text)
}

fn hear() -> Result<String, String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(text)?;
    Ok(line)
}
