//! What the writers have sent, what the readers have told, and whether that is as promised: each message once, whole, in order.

use crate::message::Name;
use crate::role::reader::Told;
use std::collections::VecDeque;

/// So much of what was told last is kept: more than a reader tells before it releases.
const KEPT: usize = 256;

/// One writer's account. Their messages are told in the order of the writers.
#[derive(Debug, Default)]
struct Account {
    /// It has sent so many, at least and at most, and has ended.
    sent: Option<(u64, u64)>,
    /// So many were told.
    came: u64,
}

/// The accounts of one session.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    writers: Vec<Account>,
    /// What was told last, each once, with the position in the far ring.
    last: VecDeque<(u64, Name)>,
    /// Where in `last` the present reader is; `None`: it has told nothing.
    at: Option<usize>,
    /// Messages that were told.
    pub(crate) messages: u64,
    /// Messages that a reader told again, because its predecessor was killed before it released them. They are at the same position.
    pub(crate) repeated: u64,
    /// The end was told.
    pub(crate) ended: bool,
}

impl Ledger {
    /// A writer comes; its number.
    pub(crate) fn writer(&mut self) -> u64 {
        self.writers.push(Account::default());
        self.writers.len() as u64 - 1
    }

    /// The writer that came last has ended, and has sent so many, at least and at most.
    pub(crate) fn writer_over(&mut self, sent: (u64, u64)) {
        if let Some(account) = self.writers.last_mut() {
            account.sent = Some(sent);
        }
    }

    /// A reader comes. Everything was taken in that the one before it told.
    pub(crate) fn reader(&mut self) {
        self.at = None;
    }

    /// A reader told this.
    pub(crate) fn told(&mut self, told: Told) -> Result<(), String> {
        let (position, name) = match told {
            Told::Message { position, name } => (position, name),
            Told::Torn { position, name } => return Err(format!("torn: {name:?} at {position}")),
            Told::End => {
                self.ended = true;
                return Ok(());
            }
        };
        let at = self
            .at
            .unwrap_or_else(|| self.last.iter().position(|(known, _)| *known == position).unwrap_or(self.last.len()));
        match self.last.get(at) {
            Some(known) if *known != (position, name) => {
                return Err(format!("{name:?} at {position} came where {known:?} was to come again"));
            }
            Some(_) => self.repeated += 1,
            None => self.fresh(position, name)?,
        }
        self.at = Some((at + 1).min(self.last.len()));
        Ok(())
    }

    fn fresh(&mut self, position: u64, name @ (writer, number): Name) -> Result<(), String> {
        let (before, (from, _)) = self.last.back().copied().unwrap_or_default();
        if self.ended {
            return Err(format!("{name:?} came behind the end"));
        }
        if position <= before {
            return Err(format!("{name:?} came at {position}, which is not behind {before}"));
        }
        if writer < from || writer >= self.writers.len() as u64 {
            return Err(format!("{name:?} came behind {:?}", self.last.back()));
        }
        for earlier in from..writer {
            self.close_one(earlier).map_err(|why| format!("{why}, when {name:?} came"))?;
        }
        let account = &mut self.writers[usize::try_from(writer).map_err(|error| error.to_string())?];
        if number != account.came {
            let what = if number < account.came { "twice" } else { "too early" };
            return Err(format!("{name:?} came {what}: number {} was to come", account.came));
        }
        account.came += 1;
        self.messages += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((position, name));
        Ok(())
    }

    fn close_one(&self, writer: u64) -> Result<(), String> {
        let Account { sent, came } = &self.writers[usize::try_from(writer).map_err(|error| error.to_string())?];
        match *sent {
            None => Err(format!("writer {writer} is still there")),
            Some((least, most)) if *came < least || *came > most => {
                Err(format!("of writer {writer} {came} came, and {least} to {most} were sent"))
            }
            Some(_) => Ok(()),
        }
    }

    /// All have ended.
    pub(crate) fn close(&self) -> Result<(), String> {
        (0..self.writers.len() as u64).try_for_each(|writer| self.close_one(writer))
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Ledger, Told};

    fn message(position: u64, name: (u64, u64)) -> Told {
        Told::Message { position, name }
    }

    /// One writer has sent three; these are told.
    fn told(all: &[Told]) -> Result<(), String> {
        let mut ledger = Ledger::default();
        ledger.writer();
        for one in all {
            ledger.told(*one)?;
        }
        ledger.writer_over((3, 3));
        ledger.close()
    }

    #[test]
    fn what_is_not_as_promised_is_found() {
        let [a, b, c] = [(8, (0, 0)), (16, (0, 1)), (24, (0, 2))].map(|(position, name)| message(position, name));
        assert_eq!(told(&[a, b, c, Told::End]), Ok(()));
        for (wrong, why) in [
            (vec![a, b], "of writer 0 2 came"),
            (vec![a, c], "too early"),
            (vec![a, b, message(24, (0, 1))], "twice"),
            (vec![a, b, b], "not behind"),
            (vec![a, Told::End, b], "behind the end"),
            (vec![a, message(16, (1, 0))], "came behind"),
            (vec![Told::Torn { position: 8, name: (0, 0) }], "torn"),
        ] {
            let found = told(&wrong).expect_err(why);
            assert!(found.contains(why), "{found}");
        }
    }

    #[test]
    fn a_reader_tells_again_what_its_predecessor_may_not_have_released() {
        let mut ledger = Ledger::default();
        ledger.writer();
        for number in 0..2 * KEPT as u64 {
            ledger.told(message(8 * number + 8, (0, number))).expect("in order");
        }
        let next = 2 * KEPT as u64;
        ledger.reader();
        for number in next - 100..=next {
            ledger.told(message(8 * number + 8, (0, number))).expect("again, and one more");
        }
        assert_eq!((ledger.repeated, ledger.messages), (100, next + 1));
        ledger.reader();
        assert!(
            ledger.told(message(8 * next + 16, (0, next))).is_err(),
            "another position: the bridge brought it twice"
        );
    }
}
