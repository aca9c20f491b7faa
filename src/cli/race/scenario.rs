//! What is run: the same steps for both protocols.

use super::form::Form;
use super::tally::Tally;
use super::torn::Torn;
use super::wire::{Done, Protocol, Request, Response, Who};
use crate::Reader;
use crate::backend::sysv::SysV;
use crate::cli::exit::{Exit, Failure};
use crate::cli::scratch::Scratch;
use crate::cli::workers::{Part, Workers};
use crate::error::Place;
use crate::protocol::tutorial::{self, Mended};
use std::ops::AddAssign;

/// A way to use a channel in which something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    Together,
    WriterFirst,
    ReaderAgain,
    TwoWriters,
}

impl Scenario {
    pub(super) const ALL: [Self; 4] = [Self::Together, Self::WriterFirst, Self::ReaderAgain, Self::TwoWriters];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::WriterFirst => "writer first",
            Self::ReaderAgain => "reader again",
            Self::TwoWriters => "two writers",
        }
    }

    /// The defects of the tutorial's that can show in it.
    pub(super) fn defects(self) -> &'static str {
        match self {
            Self::Together => "D2 D3",
            Self::WriterFirst | Self::ReaderAgain => "D4",
            Self::TwoWriters => "D5",
        }
    }

    /// What happens in it, and which defect can show. `--help` has the same.
    pub(super) fn story(self) -> &'static str {
        match self {
            Self::Together => {
                "both are there, then 9 texts and an `end`, up to 1,000 times on end;\n\
                 the reader judges each `end` and goes on (D3: rare; D2: hardly on x86)"
            }
            Self::WriterFirst => {
                "the reader starts when the first of 10 texts is sent, or when the writer\n\
                 says that it waits for a reader (D4: the text that lies there is wiped)"
            }
            Self::ReaderAgain => {
                "the reader stops after 5 of 10 texts, the sixth is sent, and another reader\n\
                 starts (D4 again)"
            }
            Self::TwoWriters => {
                "two writers send 200 texts each at the same time, making way before each as\n\
                 if somebody typed it (D5: both see 0, both write); ours has one seat, so\n\
                 the second writer is kept out"
            }
        }
    }

    /// Its part of the time, in percent.
    pub(super) fn share(self) -> u32 {
        match self {
            Self::Together => 40,
            Self::WriterFirst | Self::ReaderAgain | Self::TwoWriters => 20,
        }
    }

    /// One session of it.
    pub(super) fn run(
        self,
        workers: &mut Workers<'_, Who>,
        scratch: &Scratch,
        protocol: Protocol,
        session: u32,
    ) -> Result<Row, Failure> {
        empty(scratch, protocol)?;
        let key = scratch.key().number();
        let typed = self == Self::TwoWriters;
        let declared = scratch.declared();
        let has_end = Form::of(declared)?.has_end();
        let layout = declared.map(ToString::to_string);
        let (sent, ends, row) = ([0; 2], 0, Row::default());
        let mut stage = Stage { workers, protocol, key, layout, has_end, session, typed, sent, ends, row };
        stage.row.sessions = 1;
        match self {
            Self::Together => stage.together()?,
            Self::WriterFirst => stage.writer_first()?,
            Self::ReaderAgain => stage.reader_again()?,
            Self::TwoWriters => stage.two_writers()?,
        }
        stage.close()
    }
}

/// Takes out what the last session left. In a slot by the very step of the tutorial's
/// reader that does so (D4); what was in it stays in its text.
fn empty(scratch: &Scratch, protocol: Protocol) -> Result<(), Failure> {
    let options = protocol.options(scratch.key(), scratch.declared())?;
    if protocol == Protocol::Ring {
        let mut reader = Reader::<SysV>::open(&options)?;
        while let Some(left) = reader.try_peek_next()? {
            left.release();
        }
        return Ok(reader.close()?);
    }
    Ok(tutorial::Reader::<SysV>::open(&options, Mended::NOTHING).map(drop)?)
}

/// What was seen in the sessions of a scenario.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) sessions: u64,
    pub(super) tally: Tally,
    /// Sessions in which a side waited and would have waited forever.
    pub(super) hung: u64,
    /// Writers that were kept out.
    pub(super) refused: u64,
    /// Messages whose time was taken, and the time.
    pub(super) timed: u64,
    pub(super) nanos: u64,
    /// One of the torn messages.
    pub(super) torn: Option<Torn>,
}

impl AddAssign for Row {
    fn add_assign(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.tally += more.tally;
        self.hung += more.hung;
        self.refused += more.refused;
        self.timed += more.timed;
        self.nanos += more.nanos;
        let seen = self.torn.take();
        self.torn = match (seen, more.torn) {
            (Some(seen), Some(more)) if more.shows_more_than(&seen) => Some(more),
            (seen, more) => seen.or(more),
        };
    }
}

/// How the writer and the reader came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Through {
    read: Done,
    /// The writer would have waited forever.
    writer_stuck: bool,
}

/// One session.
struct Stage<'c, 's> {
    workers: &'c mut Workers<'s, Who>,
    protocol: Protocol,
    key: u32,
    layout: Option<String>,
    /// Its messages can say that they are the last one.
    has_end: bool,
    session: u32,
    typed: bool,
    sent: [u32; 2],
    ends: u32,
    row: Row,
}

impl Stage<'_, '_> {
    fn together(&mut self) -> Result<(), Failure> {
        self.open(Who::Reader)?;
        self.open(Who::Writer)?;
        self.read(None, true)?;
        self.send(Who::Writer, 0..9_000, 9)?;
        // This reader is told when to stop: that it waits in the end is no hang.
        let through = self.settle()?;
        self.row.hung += u64::from(through.writer_stuck);
        Ok(())
    }

    fn writer_first(&mut self) -> Result<(), Failure> {
        self.open(Who::Writer)?;
        self.send(Who::Writer, 0..1, 0)?;
        let mut waits = false;
        match self.workers.next_response(&[Who::Writer])? {
            (_, Response::Waits) => waits = true,
            (who, response) => _ = self.sent(who, &response)?,
        }
        self.open(Who::Reader)?;
        self.read(None, false)?;
        if waits {
            let (who, response) = self.workers.next_response(&[Who::Writer])?;
            self.sent(who, &response)?;
        }
        self.send(Who::Writer, 1..10, 10)?;
        self.settle_with_end()
    }

    fn reader_again(&mut self) -> Result<(), Failure> {
        self.open(Who::Reader)?;
        self.open(Who::Writer)?;
        self.read(Some(5), false)?;
        self.send(Who::Writer, 0..6, 0)?;
        let through = self.settle()?;
        if through != (Through { read: Done::Enough, writer_stuck: false }) {
            self.row.hung += u64::from(through.writer_stuck || through.read == Done::Stuck);
            return Ok(());
        }
        self.leave(Who::Reader)?;
        self.open(Who::Reader)?;
        self.read(None, false)?;
        self.send(Who::Writer, 6..10, 10)?;
        self.settle_with_end()
    }

    fn two_writers(&mut self) -> Result<(), Failure> {
        self.open(Who::Reader)?;
        self.open(Who::Writer)?;
        let second = self.try_open(Who::Second)?;
        self.row.refused += u64::from(!second);
        self.read(None, false)?;
        self.send(Who::Writer, 0..200, 0)?;
        if second {
            self.send(Who::Second, 0..200, 0)?;
        }
        let mut sending = if second { vec![Who::Writer, Who::Second] } else { vec![Who::Writer] };
        let (mut reads, mut stuck) = (true, false);
        while !sending.is_empty() {
            let from = if reads { [&sending[..], &[Who::Reader]].concat() } else { sending.clone() };
            match self.workers.next_response(&from)? {
                (Who::Reader, _) => {
                    reads = false;
                    for who in &sending {
                        self.workers.ask(*who, &Request::Told)?;
                    }
                }
                (who, response) => {
                    stuck |= self.sent(who, &response)?;
                    sending.retain(|other| *other != who);
                }
            }
        }
        if !reads {
            self.row.hung += u64::from(stuck);
            return Ok(());
        }
        // Only now that both are through: an `end` before that would strand the
        // other one, which is no fault of D5.
        self.send(Who::Writer, 200..201, 201)?;
        self.settle_with_end()
    }

    fn open(&mut self, who: Who) -> Result<(), Failure> {
        if self.try_open(who)? {
            return Ok(());
        }
        let (key, role) = (Place::Key(self.key), who.role());
        Err(Failure::new(Exit::RoleTaken, format!("{key}: a {role} that is not part of the race has the seat"))
            .hint("run it again, without --key"))
    }

    fn try_open(&mut self, who: Who) -> Result<bool, Failure> {
        let writes = who != Who::Reader;
        let layout = self.layout.clone();
        self.workers.ask(who, &Request::Open { protocol: self.protocol, key: self.key, writes, layout })?;
        match self.workers.next_response(&[who])? {
            (_, Response::Opened) => Ok(true),
            (_, Response::Refused) => Ok(false),
            (_, other) => Err(nonsense(who, &other)),
        }
    }

    fn send(&mut self, who: Who, texts: std::ops::Range<u32>, end_every: u32) -> Result<(), Failure> {
        let (from, upto, writer) = (texts.start, texts.end, u32::from(who == Who::Second));
        let typed = self.typed;
        self.workers.ask(who, &Request::Send { session: self.session, writer, from, upto, end_every, typed })
    }

    fn read(&mut self, most: Option<u32>, through_ends: bool) -> Result<(), Failure> {
        self.workers.ask(Who::Reader, &Request::Read { session: self.session, most, through_ends })
    }

    fn leave(&mut self, who: Who) -> Result<(), Failure> {
        self.workers.ask(who, &Request::Leave)?;
        match self.workers.next_response(&[who])? {
            (_, Response::Left) => Ok(()),
            (_, other) => Err(nonsense(who, &other)),
        }
    }

    /// Takes in what a writer has done; whether it hangs.
    fn sent(&mut self, who: Who, response: &Response) -> Result<bool, Failure> {
        let Response::Sent { texts, ends, nanos, stuck } = *response else { return Err(nonsense(who, response)) };
        self.sent[usize::from(who == Who::Second)] += texts;
        self.ends += ends;
        self.row.timed += u64::from(texts) + u64::from(ends);
        self.row.nanos += nanos;
        Ok(stuck)
    }

    /// Waits until the writer and the reader are through; whoever is last is
    /// told that the other one is.
    fn settle(&mut self) -> Result<Through, Failure> {
        let mut through = Through { read: Done::Stuck, writer_stuck: false };
        let mut busy = vec![Who::Writer, Who::Reader];
        while !busy.is_empty() {
            let (who, response) = self.workers.next_response(&busy)?;
            match response {
                Response::Read(done) => through.read = done,
                response => through.writer_stuck = self.sent(who, &response)?,
            }
            busy.retain(|other| *other != who);
            if let [last] = busy[..] {
                self.workers.ask(last, &Request::Told)?;
            }
        }
        Ok(through)
    }

    /// As [`settle`](Self::settle), where the reader should leave by itself, if there is an `end`.
    fn settle_with_end(&mut self) -> Result<(), Failure> {
        let Through { read, writer_stuck } = self.settle()?;
        self.row.hung += u64::from(writer_stuck || self.has_end && read == Done::Stuck);
        Ok(())
    }

    /// All leave, and what came is held against what was sent.
    fn close(mut self) -> Result<Row, Failure> {
        for who in Who::ALL {
            self.leave(who)?;
        }
        self.workers.ask(Who::Reader, &Request::Judge { sent: self.sent, ends: self.ends })?;
        match self.workers.next_response(&[Who::Reader])? {
            (_, Response::Judged(tally, torn)) => Ok(Row { tally, torn, ..self.row }),
            (who, other) => Err(nonsense(who, &other)),
        }
    }
}

fn nonsense(who: Who, response: &Response) -> Failure {
    Failure::new(Exit::System, format!("the {}'s process answers {response:?}, which is a bug", who.name()))
}
