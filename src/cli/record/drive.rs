//! `shm-handoff record` at work. Of each message it holds, in this order: it is in the file, it is handed on, it is released.

use super::args::{PROGRAM, Record};
use super::file::{Known, Moment, Recording};
use super::onto::{self, Onto, Waits};
use super::shape;
use crate::backend::sysv::SysV;
use crate::backend::{Backend, Layout};
use crate::cli::args::Common;
use crate::cli::chosen::Chosen;
use crate::cli::exit::{Exit, Failure};
use crate::cli::progress::Progress;
use crate::cli::signals::Signals;
use crate::cli::stdio::say;
use crate::cli::{introduce, suspect};
use crate::error::Role;
use crate::{Reader, RecvError, Tick, WaitPolicy};
use std::ops::ControlFlow;
use std::time::Instant;

/// How many bytes are written at once; a message that is longer goes alone.
const BLOCK: usize = 256 * 1024;

/// And how many messages.
const MOST: usize = 4096;

/// What a message or an end takes of a ring's positions beside its bytes.
pub(super) const STEP: u64 = 8;

/// What comes after a message, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    Done,
}

/// What this run has recorded, beside the messages that [`Progress`] counts.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) bytes: u64,
    pub(super) ended: bool,
}

/// A message of a ring that was peeked at.
struct Mark {
    /// Where it ends, in the bytes that were copied.
    end: usize,
    /// And in the ring.
    position: u64,
    at: Instant,
}

/// The recorder, and all that it acts on.
pub(super) struct Recorder<'r> {
    pub(super) args: &'r Record,
    pub(super) from: &'r Common,
    pub(super) to: Option<&'r Common>,
    pub(super) signals: &'r Signals,
    pub(super) progress: &'r mut Progress,
    pub(super) counted: &'r mut Counted,
    pub(super) reader: Reader<SysV>,
    pub(super) file: Recording,
    pub(super) onto: Option<Onto>,
    /// The ring that is read; 0: a slot; `None`: nothing was looked at yet.
    pub(super) stream: Option<u64>,
    /// Up to here it is in the file.
    pub(super) filed: Known,
    /// Up to here it was handed on.
    pub(super) handed: u64,
    /// Up to here it was released.
    pub(super) released: u64,
    pub(super) bytes: Vec<u8>,
    marks: Vec<Mark>,
    pub(super) suspected: bool,
}

pub(super) fn run(
    args: &Record,
    (from, to): (&Common, Option<&Common>),
    signals: &Signals,
    (progress, counted): (&mut Progress, &mut Counted),
) -> Result<(), Failure> {
    let file = Recording::open(&args.file, from.mode, args.sync, from.quiet, signals)?;
    let chosen = Chosen::of(from)?;
    let reader = crate::cli::open(signals, || Reader::<SysV>::open(&from.options(chosen.as_ref())?))?;
    if let Some(chosen) = &chosen {
        chosen.introduce(PROGRAM, from);
    }
    introduce(PROGRAM, from, reader.backend(), false)?;
    let filed = Known { position: 0, end: None };
    let (bytes, marks) = (Vec::new(), Vec::new());
    let mut recorder = Recorder {
        args,
        from,
        to,
        signals,
        progress,
        counted,
        reader,
        file,
        onto: None,
        stream: None,
        filed,
        handed: 0,
        released: 0,
        bytes,
        marks,
        suspected: from.quiet,
    };
    let done = recorder.record_all();
    recorder.leave(done)
}

/// Whether the reader at KEY2 is told. It is not told of a recorder that is to stop, nor of a full disk: the next one goes on.
fn is_told(exit: Exit) -> bool {
    !matches!(exit, Exit::TimedOut | Exit::Signal(_) | Exit::System)
}

impl Recorder<'_> {
    fn record_all(&mut self) -> Result<(), Failure> {
        // What can be known before anything comes is said before.
        let is_settled = self.from.layout.is_some() || self.from.ring.is_some() || self.is_ring();
        if is_settled {
            self.meet()?;
            self.open_onto()?;
        }
        loop {
            self.wait()?;
            self.signals.check()?;
            self.meet()?;
            self.open_onto()?;
            let next = if self.is_ring() { self.take_ring()? } else { self.take_slot()? };
            if next == Next::Done {
                return Ok(());
            }
        }
    }

    fn leave(mut self, done: Result<(), Failure>) -> Result<(), Failure> {
        let done = match self.onto.take() {
            Some(mut onto) => match done.and_then(|()| self.with_waits(|waits| onto.flush(waits))) {
                Ok(()) => onto.close(),
                Err(failure) => Err(onto.leave(is_told(failure.exit), failure)),
            },
            None => done,
        };
        let left = self.reader.close();
        done?;
        Ok(left?)
    }

    pub(super) fn is_ring(&self) -> bool {
        matches!(self.reader.backend().layout(), Layout::Ring { .. })
    }

    /// Runs what waits for the second channel, with all that is to be done meanwhile.
    pub(super) fn with_waits<T>(
        &mut self,
        run: impl FnOnce(&mut Waits<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (reader, progress) = (&mut self.reader, &mut *self.progress);
        let mut looked = Instant::now();
        let mut meanwhile = || {
            progress.tell();
            if onto::is_due(&mut looked) {
                reader.refresh_seat()?;
            }
            Ok(())
        };
        let common = self.to.unwrap_or(self.from);
        run(&mut Waits {
            common,
            signals: self.signals,
            follow: self.args.follow,
            ring: onto::RingOption::OntoRing,
            meanwhile: &mut meanwhile,
        })
    }

    /// Waits for a message or an end.
    fn wait(&mut self) -> Result<(), Failure> {
        let mut told = self.from.quiet || self.progress.messages() > 0;
        loop {
            let (key, layout) = (self.reader.backend().segment().key(), self.reader.backend().layout());
            let Self { signals, progress, onto, .. } = self;
            let (mut failed, mut looked) = (None, Instant::now());
            let mut hook = |tick: Tick| {
                progress.tell();
                if !told && tick.waited >= suspect::LONG {
                    told = true;
                    suspect::say_exactly(key, layout);
                }
                if let Some(onto) = onto
                    && onto::is_due(&mut looked)
                {
                    failed = onto.look_around().err();
                }
                if failed.is_some() || signals.caught().is_some() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let policy = self.from.deadline().map_or_else(WaitPolicy::forever, WaitPolicy::deadline);
            match self.reader.wait_with(&mut policy.on_tick(&mut hook)) {
                Ok(()) => return Ok(()),
                Err(RecvError::WriterGone) => {
                    self.meet()?;
                    self.begin(Moment::now());
                    self.file.death(self.released, Moment::now());
                    self.file.commit()?;
                    if !self.args.follow {
                        // Whoever waits at KEY2 is told, also where nothing came before.
                        self.open_onto()?;
                        return Err(RecvError::WriterGone.into());
                    }
                    if self.from.verbose {
                        say!("{PROGRAM}: the writer died; waiting for the next one");
                    }
                    self.reader.await_next_writer()?;
                }
                Err(RecvError::Interrupted) => {
                    let caught = || self.signals.caught().map_or_else(Failure::timed_out, Failure::signal);
                    return Err(failed.unwrap_or_else(caught));
                }
                Err(RecvError::TimedOut) if self.progress.messages() == 0 => {
                    return Err(Failure::silence(Role::Writer, key, "nothing came"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes up the memory that is there now.
    fn meet(&mut self) -> Result<(), Failure> {
        let stream = self.reader.backend().stream().unwrap_or(0);
        if self.stream == Some(stream) {
            return Ok(());
        }
        self.released = if stream == 0 { 0 } else { self.reader.released() };
        self.filed = self.file.known(stream).unwrap_or(Known { position: self.released, end: None });
        self.has_as_far(self.filed.position, self.filed.end.is_some(), "the recording")?;
        self.stream = Some(stream);
        self.meet_onto()
    }

    /// Finds out how far of this stream was handed on.
    fn meet_onto(&mut self) -> Result<(), Failure> {
        self.handed = self.released;
        let stream = self.stream.unwrap_or(0);
        if let Some(carried) = self.onto.as_mut().and_then(|onto| onto.carried(stream)) {
            self.has_as_far(carried.position, carried.ended, "the ring at KEY2")?;
            self.handed = self.handed.max(carried.position);
        }
        Ok(())
    }

    /// Whether the ring has what ends at that position, if it was not released.
    fn has_as_far(&mut self, position: u64, ended: bool, whose: &str) -> Result<(), Failure> {
        if position <= self.released {
            return Ok(());
        }
        let message = if ended { position.saturating_sub(STEP) } else { position };
        let found = message >= self.released && self.reader.seek(message)?;
        self.reader.rewind();
        if found {
            return Ok(());
        }
        let released = self.released;
        Err(Failure::new(
            Exit::NotAChannel,
            format!(
                "{whose} goes on at position {position} of this ring, which is released up to {released} and has no message that ends \
                 there"
            ),
        )
        .hint("record into another file, and onto another key"))
    }

    /// Opens the second channel, when it is known what the first one is.
    fn open_onto(&mut self) -> Result<(), Failure> {
        let Some(common) = self.to.filter(|_| self.onto.is_none()) else { return Ok(()) };
        if self.was_handed_on()? {
            return Ok(());
        }
        let (session, schema) = (shape::session(self.reader.backend()), self.reader.backend().schema().unwrap_or(0));
        let like = || {
            let options = shape::like(&session, common.key.resolve()?);
            Ok(options.map(|options| options.schema(schema)))
        };
        let writer = crate::cli::open(self.signals, || onto::open(common, like))?;
        introduce(PROGRAM, common, writer.backend(), false)?;
        self.onto = Some(Onto::of(writer));
        self.meet_onto()
    }

    /// What comes next is of the session that the reader has now.
    pub(super) fn begin(&mut self, at: Moment) {
        let session = shape::session(self.reader.backend());
        self.file.begin(&session, self.released.max(self.filed.position), at);
    }

    /// Copies what is there, of a ring; whether the end comes behind it.
    fn peek(&mut self) -> Result<bool, Failure> {
        let Self { reader, bytes, marks, .. } = self;
        bytes.clear();
        marks.clear();
        Ok(reader.peek_onto(bytes, &mut |end, cursor| {
            marks.push(Mark { end, position: cursor.position(), at: Instant::now() });
            end < BLOCK && marks.len() < MOST
        })?)
    }

    /// Takes what is there now, of a ring.
    fn take_ring(&mut self) -> Result<Next, Failure> {
        let now = Moment::now();
        let ends = self.peek()?;
        if self.marks.is_empty() {
            return if ends { self.end_ring() } else { Ok(Next::More) };
        }
        self.settle()?;
        let bytes = std::mem::take(&mut self.bytes);
        let marks = std::mem::take(&mut self.marks);
        let starts = std::iter::once(0).chain(marks.iter().map(|mark| mark.end));
        let texts: Vec<(u64, &[u8])> =
            marks.iter().zip(starts).map(|(mark, start)| (mark.position, &bytes[start..mark.end])).collect();
        // What KEY2 can't carry is not recorded either: it stays where it is.
        let (handed, mut fits) = (self.handed, Ok(()));
        let bad = self.onto.as_ref().and_then(|onto| {
            texts.iter().position(|(position, text)| {
                fits = if *position > handed { onto.check(text) } else { Ok(()) };
                fits.is_err()
            })
        });
        let count = bad.unwrap_or(texts.len());
        let (mut new, mut bytes_new) = (0, 0);
        for ((position, text), mark) in texts[..count].iter().zip(&marks) {
            if *position > self.filed.position {
                self.begin(now.moved_to(mark.at));
                self.file.message(*position, text, now.moved_to(mark.at));
                self.filed = Known { position: *position, end: None };
                new += 1;
                bytes_new += text.len();
            }
        }
        self.file.commit()?;
        self.progress.add(new, bytes_new);
        self.counted.bytes += bytes_new as u64;
        let handed = self.hand_on(&texts[..count]);
        drop(texts);
        (self.bytes, self.marks) = (bytes, marks);
        handed?;
        fits.map(|()| Next::More)
    }

    /// Hands messages of a ring on, and releases each when it was handed on.
    fn hand_on(&mut self, messages: &[(u64, &[u8])]) -> Result<(), Failure> {
        let Some(mut onto) = self.onto.take() else {
            return self.release(messages.last().map(|(position, _)| *position));
        };
        let mut rest = &messages[messages.partition_point(|(position, _)| *position <= self.handed)..];
        let before = messages.len() - rest.len();
        let done = self.release(before.checked_sub(1).map(|last| messages[last].0)).and_then(|()| {
            while !rest.is_empty() {
                let (stream, from) = (self.stream.unwrap_or(0), self.handed);
                let count = self.with_waits(|waits| onto.hand(stream, from, rest, waits))?;
                let Some(last) = count.checked_sub(1) else { continue };
                self.handed = rest[last].0;
                self.release(Some(self.handed))?;
                rest = &rest[count..];
            }
            Ok(())
        });
        self.onto = Some(onto);
        done
    }

    fn release(&mut self, position: Option<u64>) -> Result<(), Failure> {
        if let Some(position) = position {
            self.reader.release_at(position)?;
            self.released = position;
        }
        Ok(())
    }
}
