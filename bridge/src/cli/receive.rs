//! `shm-bridge receive`.

use super::args::{Ack, Receive};
use super::{Run, outcome};
use crate::carrier::{End, Inbox, Link};
use crate::pace::Limits;
use crate::receiver::{AckAt, Receiver};
use crate::sink::ToChannel;
use crate::world::{Event, Next, Outcome, Stream};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::cli::kit::{Exit, Failure};
use shm_handoff::{SendError, Tick, WaitPolicy, Writer};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How soon, and how late, to see whether the reader has released something.
const RECEIPT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));

pub(super) fn run(args: &Receive, run: &mut Run<'_>) -> Result<(), Failure> {
    let channel = &args.side.channel;
    let mut sink = ToChannel::of(run.channel(Writer::<SysV>::open, Writer::backend)?)?;
    let mut link = match run.open(&args.from, End::Receiver, sink.interrupter()) {
        Ok(link) => link,
        Err(failure) => {
            // It has sent nothing: that it goes is no failure of a writer's.
            let _ = sink.close(&mut WaitPolicy::non_blocking());
            return Err(failure);
        }
    };
    run.opened(End::Receiver, &args.from, sink.writer().backend(), &link);
    let limits = Limits { timeout: channel.timeout, ..Limits::default() };
    let ack_at = match args.ack {
        Ack::Ring => AckAt::Ring,
        Ack::Received => AckAt::Received,
    };
    let receiver = Receiver::new(limits, ack_at, super::random(), &sink, run.now()).taking_next(args.next_stream);
    let (inbox, told) = (link.inbox(), Told::default());
    let heard = Instant::now();
    let mut driver = Driver { args, run, receiver, sink, inbox, heard, pause: RECEIPT.0, gone: None, told };
    let done = driver.drive(&mut link);
    if done.is_err() {
        driver.receiver.leave(&mut link);
    }
    let Driver { run, mut sink, receiver, .. } = driver;
    run.close(link, receiver.numbers);
    let mut done = done.and_then(|outcome| run.ends(End::Receiver, outcome, receiver.has_session()));
    if let Err(failure) = &mut done {
        tell_stranded(failure, &mut sink);
    }
    match &done {
        // The reader here is told that the writer failed.
        Err(failure) if is_told(failure.exit) => done,
        _ => {
            let left = leave(sink, run);
            done.and(left)
        }
    }
}

/// Whether the reader here is told. It is not told of a link, nor of a bridge that is to stop: the next one goes on.
fn is_told(exit: Exit) -> bool {
    !matches!(exit, Exit::TimedOut | Exit::Signal(_))
}

/// What lay in a ring that was removed, and was acknowledged, goes with this process.
fn tell_stranded(failure: &mut Failure, sink: &mut ToChannel) {
    let stranded = sink.writer_mut().stranded().unwrap_or(0);
    if stranded > 0 {
        let why = format!("{stranded} acknowledged messages of a ring that was removed here were not sent again");
        failure.message = format!("{}; {why}", failure.message);
    }
}

fn leave(sink: ToChannel, run: &Run<'_>) -> Result<(), Failure> {
    let mut hook = |_: Tick| {
        if run.signals.caught().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let policy = run.side.channel.timeout.map_or_else(WaitPolicy::forever, WaitPolicy::timeout);
    match sink.close(&mut policy.on_tick(&mut hook)) {
        Err(SendError::Interrupted) => run.signals.check(),
        done => Ok(done?),
    }
}

/// The machine, and what it acts on.
struct Driver<'a, 'r> {
    args: &'a Receive,
    run: &'a mut Run<'r>,
    receiver: Receiver,
    sink: ToChannel,
    inbox: std::sync::Arc<Inbox>,
    /// When a frame of this version came last.
    heard: Instant,
    /// Until the next look at what the reader has released.
    pause: Duration,
    /// Since when nobody reads what waits for a receipt. The next reader can come.
    gone: Option<Instant>,
    told: Told,
}

/// What was said of streams.
#[derive(Default)]
struct Told {
    /// The one that was served last.
    stream: Option<Stream>,
    /// The one that waits for the reader.
    awaited: Option<Stream>,
}

impl Driver<'_, '_> {
    fn drive(&mut self, link: &mut Link) -> Result<Outcome, Failure> {
        loop {
            self.run.signals.check()?;
            self.sink.look()?;
            // One by one, for what can't be put into the ring soon has little room here.
            if let Some(frame) = self.inbox.take() {
                self.heard = Instant::now();
                self.receiver.hear(frame, self.run.now(), &self.sink, link);
            }
            // One that was met may have gone, and another one have come in its place.
            let is_silent = self.heard.elapsed() >= Limits::default().silence;
            if let Some(why) = self.inbox.version()
                && (is_silent || !self.receiver.has_session())
            {
                return Err(outcome::other_version(why));
            }
            self.run.met(self.receiver.numbers.sessions);
            self.tell_streams();
            let next = self.receiver.step(self.run.now(), &mut self.sink, link)?;
            let counted = self.sink.take_counted();
            self.run.add(counted);
            match next {
                Next::Done(outcome) => return Ok(outcome),
                Next::Wait(until, event) if self.inbox.is_empty() => {
                    let until = until.and_then(|until| self.run.moment(until));
                    match event {
                        Event::Room(len) => self.wait_for_room(len, until)?,
                        Event::Receipt => self.wait_for_receipt(until)?,
                        Event::None | Event::Message => self.wait_for_frame(until)?,
                    }
                }
                Next::Step | Next::Wait(..) => {}
            }
        }
    }

    fn tell_streams(&mut self) {
        let (stream, awaited) = (self.receiver.stream(), self.receiver.awaited());
        if awaited != self.told.awaited {
            self.told.awaited = awaited;
            if let Some(Stream(id)) = awaited {
                self.run.says(&format!("stream {id:#x} waits until the reader here has read everything before it"));
            }
        }
        if stream != self.told.stream {
            if let (Some(_), Some(Stream(id))) = (self.told.stream, stream) {
                self.run.says(&format!("stream {id:#x} comes next"));
            }
            self.told.stream = stream;
        }
    }

    fn wait_for_room(&mut self, len: usize, until: Option<Instant>) -> Result<(), Failure> {
        let follow = self.args.follow;
        let waited = self.run.wait_here(&self.inbox, until, |policy| match self.sink.await_room(len, policy) {
            Err(SendError::ReaderGone) if follow => self.sink.await_reader(policy),
            waited => waited,
        });
        match waited {
            Ok(()) | Err(SendError::TimedOut | SendError::Interrupted) => Ok(()),
            Err(SendError::ReaderGone) if !follow => {
                self.receiver.reader_gone(self.run.now());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A reader wakes a writer that waits for room, but no other one.
    fn wait_for_receipt(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        let received = self.sink.received_last();
        self.wait_at_most(super::soon(self.pause, until))?;
        // In this order: a reader that has gone has released before.
        let has_gone = self.sink.writer_mut().has_reader_gone()?;
        self.sink.look()?;
        let has_changed = self.sink.received_last() != received;
        if !has_gone || has_changed || self.args.follow {
            self.gone = None;
        } else if self.gone.get_or_insert_with(Instant::now).elapsed() >= Limits::default().silence {
            self.receiver.reader_gone(self.run.now());
        }
        self.pause = if has_changed { RECEIPT.0 } else { RECEIPT.1.min(self.pause * 2) };
        Ok(())
    }

    fn wait_for_frame(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        self.wait_at_most(super::slice(until))
    }

    fn wait_at_most(&mut self, until: Instant) -> Result<(), Failure> {
        if self.run.wait_there(&self.inbox, until) {
            self.sink.look_around()?;
        }
        Ok(())
    }
}
