//! The program.

mod args;
mod log;
mod outcome;
mod receive;
mod send;

use crate::carrier::{End, Inbox, Link, Topic};
use crate::source::Counted;
use crate::world::{Numbers, Outcome};
use args::{Bridge, Command, Side};
use clap::CommandFactory;
use log::Log;
use parking_lot::Mutex;
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::backend::{Backend, Interrupter};
use shm_handoff::cli::kit::{self, Chosen, Exit, Failure, Progress, Signals};
use shm_handoff::{Error, Tick, WaitPolicy};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Its name.
pub const PROGRAM: &str = "shm-bridge";

/// How often a wait for the network hears signals.
const SLICE: Duration = Duration::from_millis(50);

/// How often to see whether the seat was removed, where no wait for the channel sees it.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// How long the last words may take on their way out: where a link is there, and behind a signal.
const CLOSING: [Duration; 2] = [Duration::from_secs(2), Duration::from_millis(300)];

/// The program.
#[must_use]
pub fn shm_bridge() -> ExitCode {
    kit::choose_color(std::env::args_os());
    match &kit::parse::<Bridge>().command {
        Command::Send(args) => run(&args.side, "sent", |run| send::run(args, run)),
        Command::Receive(args) => run(&args.side, "received", |run| receive::run(args, run)),
        Command::Generate { to } => match kit::write_share(to, [(PROGRAM, Bridge::command())]) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(&format!("{PROGRAM} generate"), ""),
        },
    }
}

/// What both sides have while they run.
struct Run<'a> {
    side: &'a Side,
    signals: Signals,
    log: Log,
    progress: Progress,
    ended: log::Ended,
    /// How many peers of zenoh it is linked to.
    links: Arc<Mutex<usize>>,
    started: Instant,
    looked: Instant,
}

impl Run<'_> {
    /// The machines' time.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The moment that the machines call so.
    fn moment(&self, at: Duration) -> Option<Instant> {
        self.started.checked_add(at)
    }

    /// Opens the link. Where there is nobody yet, that takes its time.
    fn open(&self, topic: &Topic, end: End, interrupter: Interrupter) -> Result<Link, Failure> {
        let (network, topic, log) = (self.side.network(), topic.clone(), self.log);
        let links = Arc::clone(&self.links);
        let (give, opened) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let on_link = move |peer: &str, up| {
                let mut links = links.lock();
                *links = if up { *links + 1 } else { links.saturating_sub(1) };
                drop(links);
                log.tell(&log::Event::Link { peer, up });
            };
            drop(give.send(Link::open(&network, &topic, end, interrupter, on_link)));
        });
        let until = self.side.channel.timeout.and_then(|timeout| self.moment(timeout));
        loop {
            match opened.recv_timeout(SLICE) {
                Ok(link) => return Ok(link?),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new(Exit::System, "zenoh has ended while it was opened"));
                }
                Err(_) if until.is_some_and(|until| Instant::now() >= until) => {
                    return Err(outcome::timed_out(end, false));
                }
                Err(_) => self.signals.check()?,
            }
        }
    }

    /// How the machine's outcome ends the program, which has met the other bridge or not.
    fn ends(&self, end: End, outcome: Outcome, has_met: bool) -> Result<(), Failure> {
        match outcome {
            Outcome::TimedOut if has_met => Err(outcome::idled(end)),
            Outcome::TimedOut => Err(outcome::timed_out(end, *self.links.lock() > 0)),
            outcome => outcome::ends(end, outcome),
        }
    }

    /// There is a channel, and a session of zenoh.
    fn opened(&self, end: End, topic: &Topic, channel: &SysV, link: &Link) {
        let (role, topic) = (if end == End::Sender { "send" } else { "receive" }, topic.to_string());
        let key = channel.segment().key().number();
        let (layout, zenoh, listens) = (channel.layout().to_string(), link.id(), link.listens());
        self.log.tell(&log::Event::Opened {
            role,
            topic: &topic,
            key,
            layout: &layout,
            zenoh: &zenoh,
            listens: &listens,
        });
    }

    /// So many sessions there were.
    fn met(&mut self, sessions: u64) {
        if self.ended.sessions != sessions {
            self.ended.sessions = sessions;
            self.log.tell(&log::Event::Session { number: sessions });
        }
    }

    fn says(&self, text: &str) {
        if self.side.channel.verbose || self.side.json {
            kit::print(format_args!("{PROGRAM}: {text}\n"));
        }
    }

    fn add(&mut self, Counted { messages, bytes }: Counted) {
        if messages > 0 {
            self.progress.add(messages, bytes);
            self.ended.messages += messages;
            self.ended.bytes += bytes as u64;
        }
    }

    /// Closes the link, when everything of the machine was counted.
    fn close(&mut self, link: Link, numbers: Numbers) {
        let Numbers { again, probes, duplicates, gaps, dropped, foreign, .. } = numbers;
        let (dropped, foreign) = (dropped + link.dropped(), foreign + link.inbox().foreign());
        self.ended = log::Ended { again, probes, duplicates, gaps, dropped, foreign, ..self.ended.clone() };
        link.close(CLOSING[usize::from(self.signals.caught().is_some())]);
    }

    /// Opens the channel here.
    fn channel<T>(
        &self,
        open: impl Fn(&Options) -> Result<T, Error>,
        backend: impl Fn(&T) -> &SysV,
    ) -> Result<T, Failure> {
        let channel = &self.side.channel;
        let chosen = Chosen::of(channel)?;
        let endpoint = kit::open(&self.signals, || open(&channel.options(chosen.as_ref())?))?;
        if let Some(chosen) = &chosen {
            chosen.introduce(PROGRAM, channel);
        }
        kit::introduce(PROGRAM, channel, backend(&endpoint), false)?;
        Ok(endpoint)
    }

    /// Waits for the channel here, as `wait` does, until then at most, and until something comes in or a signal was caught.
    fn wait_here<T>(
        &mut self,
        inbox: &Inbox,
        until: Option<Instant>,
        wait: impl FnOnce(&mut WaitPolicy<'_>) -> T,
    ) -> T {
        let mut hook = |_: Tick| {
            self.progress.tell();
            let is_over = self.signals.caught().is_some() || !inbox.is_empty();
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let policy = until.map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
        wait(&mut policy.on_tick(&mut hook))
    }

    /// Waits for what comes in, until then at most. Whether it is time to look around in the channel here.
    fn wait_there(&mut self, inbox: &Inbox, until: Instant) -> bool {
        inbox.wait(until);
        self.progress.tell();
        self.looks_around()
    }

    /// Whether it is time to look around.
    fn looks_around(&mut self) -> bool {
        let is_due = self.looked.elapsed() >= LOOK_AROUND;
        if is_due {
            self.looked = Instant::now();
        }
        is_due
    }
}

fn run(side: &Side, what: &'static str, run: impl FnOnce(&mut Run<'_>) -> Result<(), Failure>) -> ExitCode {
    let log = Log::of(side);
    let signals = match Signals::catch() {
        Ok(signals) => signals,
        Err(failure) => return failure.report(PROGRAM, ""),
    };
    let mut this = Run {
        side,
        signals,
        log,
        progress: Progress::new(PROGRAM, what, &side.channel, None, false),
        ended: log::Ended::default(),
        links: Arc::default(),
        started: Instant::now(),
        looked: Instant::now(),
    };
    let done = run(&mut this);
    this.progress.end(&side.channel);
    this.log.end(this.ended, done.err())
}

/// When a wait for the network pauses that is to end at `until`.
fn slice(until: Option<Instant>) -> Instant {
    soon(SLICE, until)
}

fn soon(pause: Duration, until: Option<Instant>) -> Instant {
    let next = Instant::now() + pause;
    until.map_or(next, |until| until.min(next))
}

/// A name for a process or a session: no other one has the same.
fn random() -> u64 {
    // A fresh `RandomState` is as good as a random number.
    RandomState::new().build_hasher().finish()
}

fn random_half() -> u32 {
    u32::try_from(random() >> 32).expect("32 bits")
}
