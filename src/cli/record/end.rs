//! Slots, one message at a time, and the end of a session.

use super::args::PROGRAM;
use super::drive::{Next, Recorder, STEP};
use super::file::{Known, Moment};
use super::onto;
use crate::cli::chosen::Carries;
use crate::cli::exit::{Exit, Failure};
use crate::cli::{stdio, suspect};
use crate::protocol::slot::rules;
use crate::{RecvError, WaitPolicy};

impl Recorder<'_> {
    /// Takes what lies in a slot.
    pub(super) fn take_slot(&mut self) -> Result<Next, Failure> {
        suspect::look(PROGRAM, self.reader.backend(), &mut self.suspected);
        let carries = Carries::by(self.reader.backend());
        // Of records the end stands beside them, and a wait alone sees it.
        let message = match self.reader.peek_with(&mut WaitPolicy::non_blocking()) {
            // A peer has taken it back.
            Err(RecvError::TimedOut) => return Ok(Next::More),
            peeked => peeked?,
        };
        let ends = message.ends_session();
        let mut text = std::mem::take(&mut self.bytes);
        text.clear();
        text.extend_from_slice(message.text());
        let done = if ends { self.end_slot(&text, carries) } else { self.take_text(&text) };
        self.bytes = text;
        done
    }

    fn take_text(&mut self, text: &[u8]) -> Result<Next, Failure> {
        let at = Moment::now();
        self.settle()?;
        if let Some(onto) = &self.onto {
            onto.check(text)?;
        }
        self.begin(at);
        self.file.message(0, text, at);
        self.file.commit()?;
        self.progress.add(1, text.len());
        self.counted.bytes += text.len() as u64;
        self.send(text)?;
        self.reader.release_peeked();
        Ok(Next::More)
    }

    /// Waits until it is known what KEY2 can carry: what it can't carry is not to be in the file.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        let Some(mut onto) = self.onto.take() else { return Ok(()) };
        let settled = self.with_waits(|waits| onto.settle(waits));
        self.onto = Some(onto);
        settled
    }

    fn send(&mut self, text: &[u8]) -> Result<(), Failure> {
        let Some(mut onto) = self.onto.take() else { return Ok(()) };
        let sent = self.with_waits(|waits| onto.hand(0, 0, &[(1, text)], waits));
        self.onto = Some(onto);
        sent.map(drop)
    }

    /// The text ends the session. A C program's `endless` does, too.
    fn end_slot(&mut self, text: &[u8], carries: Carries) -> Result<Next, Failure> {
        let is_bare = carries == Carries::Records || rules::is_bare_end(text);
        let text = if is_bare { &[] } else { text };
        let at = Moment::now();
        if !text.is_empty() {
            self.settle()?;
            // To a ring it goes as a message, in front of the end.
            if let Some(onto) = self.onto.as_ref().filter(|onto| onto.is_ring()) {
                onto.check(text)?;
            }
        }
        let onto = self.onto.as_ref().map_or(0, onto::Onto::stream);
        self.begin(at);
        self.file.end(0, onto, text, at);
        self.file.commit()?;
        match &self.onto {
            Some(onto) if !text.is_empty() && onto.is_ring() => self.send(text)?,
            Some(_) if !text.is_empty() && !self.from.quiet => {
                let text = String::from_utf8_lossy(text);
                stdio::warn(PROGRAM, format_args!("{text:?} ended the session, and is handed on as `end`"), None);
            }
            _ => {}
        }
        self.hand_end_on(0, 0)?;
        self.reader.end_session()?;
        self.counted.ended = true;
        Ok(Next::Done)
    }

    fn hand_end_on(&mut self, from: u64, position: u64) -> Result<(), Failure> {
        let Some(mut onto) = self.onto.take() else { return Ok(()) };
        let stream = self.stream.unwrap_or(0);
        let ended = self.with_waits(|waits| onto.end(stream, from, position, waits));
        self.onto = Some(onto);
        ended
    }

    /// The end of a ring's stream comes next, and everything before it was released.
    pub(super) fn end_ring(&mut self) -> Result<Next, Failure> {
        let position = self.released + STEP;
        let is_handed = self.was_handed_on()? || self.handed >= position;
        // It is in the file before it is handed on, and as shortly before as can be: if this process dies between the two and
        // somebody removes the ring there, nobody can tell whether it was.
        if let Some(mut onto) = self.onto.take().filter(|_| !is_handed) {
            let room = self.with_waits(|waits| onto.await_room(waits));
            self.onto = Some(onto);
            room?;
        }
        let onto = self.onto.as_ref().map_or(0, onto::Onto::stream);
        let is_new = !is_handed && self.onto.is_some() && self.filed.end != Some(onto);
        if position > self.filed.position || is_new {
            let at = Moment::now();
            self.begin(at);
            self.file.end(position, onto, &[], at);
            self.filed = Known { position, end: Some(onto) };
            self.file.commit()?;
        }
        if !is_handed {
            self.hand_end_on(self.released, position)?;
        }
        if !self.reader.end_session()? {
            return Err(Failure::new(Exit::NotAChannel, "the ring's end has changed after it was sent")
                .hint("remove the segment, and start both sides anew"));
        }
        self.counted.ended = true;
        Ok(Next::Done)
    }

    /// Whether the end, which is in the file, was handed on by a run that was killed then: the ring over there is gone, and its reader
    /// is what removes it.
    pub(super) fn was_handed_on(&self) -> Result<bool, Failure> {
        match (self.to, self.filed.end) {
            (Some(common), Some(onto)) if onto != 0 && self.filed.position > self.released => {
                Ok(!onto::is_at(common, onto)?)
            }
            _ => Ok(false),
        }
    }
}
