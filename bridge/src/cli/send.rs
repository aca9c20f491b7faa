//! `shm-bridge send`.

use super::args::Send;
use super::{Run, outcome};
use crate::carrier::{End, Inbox, Link};
use crate::pace::Limits;
use crate::sender::Sender;
use crate::source::FromChannel;
use crate::world::{Event, Next, Outcome};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::cli::kit::Failure;
use shm_handoff::{Reader, RecvError};
use std::time::Instant;

pub(super) fn run(args: &Send, run: &mut Run<'_>) -> Result<(), Failure> {
    let reader = run.channel(Reader::<SysV>::open, Reader::backend)?;
    let mut source = FromChannel::of(reader, super::random_half());
    let mut link = run.open(&args.to, End::Sender, source.interrupter())?;
    run.opened(End::Sender, &args.to, source.reader().backend(), &link);
    let limits = Limits { timeout: args.side.channel.timeout, ..Limits::default() };
    let sender = Sender::new(limits, super::random(), &source, run.now());
    let (inbox, heard) = (link.inbox(), Instant::now());
    let mut driver = Driver { args, run, sender, source, inbox, heard, has_died: false, is_removed: false };
    let done = driver.drive(&mut link);
    if done.is_err() {
        driver.sender.leave(&mut link);
    }
    let Driver { run, sender, source, .. } = driver;
    run.close(link, sender.numbers);
    let left = source.close();
    run.ends(End::Sender, done?, sender.has_session())?;
    Ok(left?)
}

/// The machine, and what it acts on.
struct Driver<'a, 'r> {
    args: &'a Send,
    run: &'a mut Run<'r>,
    sender: Sender,
    source: FromChannel,
    inbox: std::sync::Arc<Inbox>,
    /// When a frame of this version came last.
    heard: Instant,
    /// The writer here; that is told once.
    has_died: bool,
    /// The ring here was removed before everything in it was acknowledged; that is told, too.
    is_removed: bool,
}

impl Driver<'_, '_> {
    fn drive(&mut self, link: &mut Link) -> Result<Outcome, Failure> {
        loop {
            self.run.signals.check()?;
            while let Some(frame) = self.inbox.take() {
                self.heard = Instant::now();
                self.sender.hear(frame, self.run.now(), &mut self.source, link)?;
            }
            if self.inbox.take_came() {
                self.sender.receiver_came();
            }
            // One that was met may have gone, and another one have come in its place.
            let is_silent = self.heard.elapsed() >= Limits::default().silence;
            if let Some(why) = self.inbox.version()
                && (is_silent || !self.sender.has_session())
            {
                return Err(outcome::other_version(why));
            }
            self.run.met(self.sender.numbers.sessions);
            let next = self.sender.step(self.run.now(), &mut self.source, link)?;
            let counted = self.source.take_counted();
            self.run.add(counted);
            match next {
                Next::Step => {}
                Next::Wait(until, event) => {
                    let until = until.and_then(|until| self.run.moment(until));
                    if event == Event::Message && self.can_wait() {
                        self.wait_for_message(until)?;
                    } else {
                        self.wait_for_frame(until)?;
                    }
                }
                Next::Done(outcome) => return Ok(outcome),
            }
        }
    }

    /// Whether the channel here can be waited for.
    fn can_wait(&mut self) -> bool {
        let is_removed = self.source.is_removed_unreleased();
        if is_removed && !self.is_removed {
            self.run.says("the ring here was removed; what lies in it goes first");
        }
        self.is_removed = is_removed;
        !self.has_died && !is_removed && self.source.can_wait()
    }

    fn wait_for_message(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        match self.run.wait_here(&self.inbox, until, |policy| self.source.wait(policy)) {
            Ok(()) | Err(RecvError::TimedOut | RecvError::Interrupted) => Ok(()),
            Err(RecvError::WriterGone) if self.args.follow => {
                self.run.says("the writer died; waiting for the next one");
                Ok(self.source.await_next_writer()?)
            }
            Err(RecvError::WriterGone) => {
                self.has_died = true;
                self.sender.writer_died();
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn wait_for_frame(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        if self.run.wait_there(&self.inbox, super::slice(until)) {
            self.source.look_around()?;
        }
        Ok(())
    }
}
