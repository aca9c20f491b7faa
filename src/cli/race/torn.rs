//! A torn message as the reader saw it, and the messages that its parts are of.

use super::form::Form;
use super::stamp::Stamp;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};

/// Shorter runs say nothing: two hashes have a digit in common here and there.
const SHORTEST_PART: usize = 4;
/// So much of a message is kept, and so much of a part is shown to people.
const KEPT: usize = 200;
const SHOWN: usize = 32;

/// What came and nobody sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Torn {
    /// The session in which it came.
    session: u32,
    /// Its first bytes, those that are not printable ASCII escaped as in C.
    text: String,
    /// Its length.
    bytes: usize,
    parts: Vec<Part>,
}

/// A run of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    at: usize,
    bytes: usize,
    /// The message of this session that has these bytes at this place; none: no message of the session has.
    #[serde(flatten)]
    of: Option<Of>,
    /// Its first bytes, escaped.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    writer: u32,
    number: u32,
}

impl Torn {
    /// Takes `message` apart: writer `w` has sent the messages 0 to `sent[w]` - 1 of `session`.
    pub(super) fn of(message: &[u8], form: Form, session: u32, sent: &[u32]) -> Self {
        let stamps = (0_u32..).zip(sent).flat_map(|(writer, sent)| {
            // One more may have been half put out when the session ended.
            (0..=*sent).map(move |seq| Stamp { session, writer, seq })
        });
        let patterns: Vec<_> = stamps.map(|stamp| (stamp, form.pattern(stamp))).collect();
        let mut parts: Vec<Part> = Vec::new();
        let mut at = 0;
        while at < message.len() {
            let runs = patterns.iter().map(|(stamp, pattern)| {
                let same = (at..message.len()).take_while(|place| pattern.byte(*place) == message[*place]).count();
                (same, *stamp)
            });
            let longest = runs.max_by_key(|(same, _)| *same).filter(|(same, _)| *same >= SHORTEST_PART);
            let (bytes, of) = match longest {
                Some((same, Stamp { writer, seq, .. })) => (same, Some(Of { writer, number: seq })),
                None => (1, None),
            };
            match parts.last_mut().filter(|last| of.is_none() && last.of.is_none()) {
                Some(last) => last.bytes += bytes,
                None => parts.push(Part { at, bytes, of, text: String::new() }),
            }
            at += bytes;
        }
        let text = escaped(message, KEPT);
        Self { session, text, bytes: message.len(), parts }.with_beginnings(message)
    }

    fn with_beginnings(mut self, message: &[u8]) -> Self {
        for part in &mut self.parts {
            part.text = escaped(&message[part.at..part.at + part.bytes], SHOWN);
        }
        self
    }

    /// Whether it shows more than `other`: a mix shows more than a message that is merely old.
    pub(super) fn shows_more_than(&self, other: &Self) -> bool {
        self.parts.len().min(2) > other.parts.len().min(2)
    }
}

fn escaped(bytes: &[u8], most: usize) -> String {
    bytes[..bytes.len().min(most)].escape_ascii().to_string()
}

/// For people: a line a part.
impl Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, bytes, parts, .. } = self;
        write!(f, "a torn message of {bytes} bytes, as the reader of session {session} saw it")?;
        for Part { at, bytes, of, text } in parts {
            let dots = if *bytes > SHOWN { "..." } else { "" };
            let end = at + bytes;
            write!(f, "\n  bytes {at:>4} to {end:>4}  ")?;
            match of {
                Some(Of { writer: 0, number }) => write!(f, "of the writer's message {number}")?,
                Some(Of { number, .. }) => write!(f, "of the second writer's message {number}")?,
                None => f.write_str("of no message of this session")?,
            }
            write!(f, ": {text}{dots}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: u32 = 7;

    fn message(form: Form, writer: u32, seq: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        form.write(Stamp { session: SESSION, writer, seq }, &mut bytes);
        bytes
    }

    fn of(torn: &Torn) -> Vec<(usize, Option<(u32, u32)>)> {
        torn.parts.iter().map(|part| (part.bytes, part.of.map(|of| (of.writer, of.number)))).collect()
    }

    /// The second writer's copy was overtaken in the middle by the first one's.
    #[test]
    fn a_mix_is_taken_apart() {
        for form in [Form::of(None).unwrap(), Form::of(Some(&"text[64]".parse().unwrap())).unwrap(), Form::Record(5000)]
        {
            let (one, other) = (message(form, 0, 17), message(form, 1, 3));
            let cut = one.len().min(other.len()) / 2;
            let mixed = [&one[..cut], &other[cut..]].concat();
            let torn = Torn::of(&mixed, form, SESSION, &[20, 20]);
            // By chance the other one's next byte can be the same.
            let [(first, Some((0, 17))), (rest, Some((1, 3)))] = of(&torn)[..] else { panic!("{form:?}: {torn:?}") };
            assert!(first >= cut && first - cut < 4 && first + rest == mixed.len(), "{form:?}: {torn:?}");
            let shown = torn.to_string();
            assert!(shown.contains("of the writer's message 17: "), "{shown}");
            assert!(shown.contains("of the second writer's message 3: "), "{shown}");
            assert!(torn.shows_more_than(&Torn::of(b"?", form, SESSION, &[20, 20])));
        }
    }

    #[test]
    fn what_is_of_another_session_is_of_none() {
        let form = Form::of(None).unwrap();
        let torn = Torn::of(b"hello, world", form, SESSION, &[20, 20]);
        assert_eq!(of(&torn), [(12, None)]);
        assert!(torn.to_string().contains("of no message of this session: hello, world"));
        assert_eq!(of(&Torn::of(b"", form, SESSION, &[1])), []);
        let mut old = Vec::new();
        form.write(Stamp { session: SESSION - 1, writer: 0, seq: 0 }, &mut old);
        assert!(of(&Torn::of(&old, form, SESSION, &[1])).iter().any(|(_, of)| of.is_none()));
    }

    /// As the reader's process sends it to the race.
    #[test]
    fn it_travels() {
        let form = Form::of(None).unwrap();
        let mixed = [&message(form, 0, 1)[..40], b"????????"].concat();
        let torn = Torn::of(&mixed, form, SESSION, &[2, 0]);
        assert_eq!(torn.parts.len(), 2, "{torn:?}");
        assert_eq!(serde_json::from_str::<Torn>(&serde_json::to_string(&torn).unwrap()).unwrap(), torn);
    }
}
