//! What was sent, what came, and whether that is as promised.

use std::fmt::Write;

/// One writer's account.
#[derive(Debug, Default)]
struct Account {
    /// Lines in its input.
    fed: u64,
    /// The longest of them, in bytes.
    longest: usize,
    /// So many it has sent, for sure.
    sure: u64,
    /// So many may have been sent: one more, or one more batch; a C writer says less of itself.
    at_most: u64,
    /// It has ended.
    over: bool,
    /// So many came.
    came: u64,
}

/// A message: line number `.1` of writer number `.0`.
pub(crate) type Message = (usize, u64);

/// The accounts of one session.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    writers: Vec<Account>,
    /// Everything that came, in order, each once.
    came: Vec<Message>,
    /// Where in `came` the present reader is; `None`: no message of it has ended so far.
    at: Option<usize>,
    /// Where in `came` the messages begin that ended with its last write.
    write_from: Option<usize>,
    /// It has written something.
    has_written: bool,
    /// Messages at the end of `came` with which a reader may begin: its predecessor may not
    /// have released them.
    may_repeat: usize,
    /// What the present reader has printed of a message whose end is not there.
    begun: Vec<u8>,
    /// How many came again.
    pub(crate) repeated: u64,
}

/// The text of a message, with its newline: of every length up to `longest`, the same
/// whenever it is asked for.
fn text((writer, line): Message, longest: usize) -> String {
    let mut text = format!("{writer} {line} ");
    let mut random = fastrand::Rng::with_seed(writer as u64 ^ line << 20);
    // Short ones often, and long ones.
    let room = longest - text.len() - 1;
    let scale = random.u32(0..=room.ilog2() + 1);
    let len = random.usize(0..=room.min(1 << scale));
    for number in 0..len {
        let letter = (number as u64).wrapping_add(line).wrapping_mul(7) % 26;
        text.push(char::from(b'a' + u8::try_from(letter).expect("below 26")));
    }
    text.push('\n');
    text
}

impl Oracle {
    /// A writer comes, with so many lines of so many bytes at most; its number.
    pub(crate) fn writer(&mut self, fed: u64, longest: usize) -> usize {
        self.writers.push(Account { fed, longest, at_most: fed, ..Account::default() });
        self.writers.len() - 1
    }

    /// The writer has ended, and has sent so many.
    pub(crate) fn over(&mut self, writer: usize, sure: u64, at_most: u64) {
        let account = &mut self.writers[writer];
        account.over = true;
        account.sure = sure;
        account.at_most = at_most.min(account.fed);
    }

    /// A reader's write: what it has printed.
    pub(crate) fn printed(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.has_written = true;
        self.write_from = None;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                let at = self.take(&line)?;
                self.write_from.get_or_insert(at);
            }
        }
        Ok(())
    }

    /// The text of a message, as it was fed.
    pub(crate) fn text(&self, message: Message) -> String {
        // (Of a writer that was never there it is another one than came.)
        self.writers.get(message.0).map_or_else(String::new, |writer| text(message, writer.longest))
    }

    /// A whole message; its place in `came`.
    fn take(&mut self, line: &[u8]) -> Result<usize, String> {
        let message = parse(line).ok_or_else(|| format!("printed, and never sent: {}", shown(line)))?;
        let expected = self.text(message);
        if line != expected.as_bytes() {
            return Err(format!("torn: {} in place of {}", shown(line), shown(expected.as_bytes())));
        }
        let at = self.at.unwrap_or_else(|| {
            let known = self.came.iter().rev().take(self.may_repeat).position(|came| *came == message);
            self.came.len() - known.map_or(0, |back| back + 1)
        });
        match self.came.get(at) {
            Some(known) if *known != message => {
                return Err(format!("{message:?} came where {known:?} was to come again"));
            }
            Some(_) => self.repeated += 1,
            None => self.fresh(message)?,
        }
        self.at = Some(at + 1);
        Ok(at)
    }

    /// A message that has not come before.
    fn fresh(&mut self, message @ (writer, line): Message) -> Result<(), String> {
        let from = self.came.last().map_or(0, |(writer, _)| *writer);
        if writer < from || writer >= self.writers.len() {
            return Err(format!("{message:?} came after {:?}", self.came.last()));
        }
        // Who came before this one is through with.
        for earlier in from..writer {
            self.flush(earlier).map_err(|why| format!("{why}, when {message:?} came"))?;
        }
        let account = &mut self.writers[writer];
        if line != account.came {
            return Err(format!("{message:?} came where {} were to be expected", account.came));
        }
        account.came += 1;
        self.came.push(message);
        Ok(())
    }

    fn flush(&self, writer: usize) -> Result<(), String> {
        let Account { sure, at_most, over, came, .. } = self.writers[writer];
        if !over {
            return Err(format!("writer {writer} is still there"));
        }
        if came < sure || came > at_most {
            return Err(format!("of writer {writer} {came} came, and {sure} to {at_most} were sent"));
        }
        Ok(())
    }

    /// The reader has ended. `killed`: what it began to print may end anywhere.
    pub(crate) fn reader_over(&mut self, killed: bool) -> Result<(), String> {
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            let is_some_s = parse(&begun).is_none_or(|message| self.text(message).as_bytes().starts_with(&begun));
            if !killed || !is_some_s {
                return Err(format!("half a message: {}", shown(&begun)));
            }
        }
        let at = self.at.take();
        if std::mem::take(&mut self.has_written) {
            let from = self.write_from.take().or(at).unwrap_or(self.came.len() - self.may_repeat);
            // Who was not killed has released what it printed.
            self.may_repeat = self.came.len() - if killed { from } else { at.unwrap_or(from) };
        }
        Ok(())
    }

    /// All have ended, and the session too.
    pub(crate) fn close(&self) -> Result<(), String> {
        (0..self.writers.len()).try_for_each(|writer| self.flush(writer))
    }

    /// Messages that came.
    pub(crate) fn messages(&self) -> u64 {
        self.came.len() as u64
    }
}

fn parse(line: &[u8]) -> Option<Message> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let message = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().map(|_| message)
}

fn shown(line: &[u8]) -> String {
    let mut shown = String::new();
    let _ = write!(shown, "`{}`", String::from_utf8_lossy(&line[..line.len().min(60)]).escape_debug());
    if line.len() > 60 {
        let _ = write!(shown, "... ({} bytes)", line.len());
    }
    shown
}
