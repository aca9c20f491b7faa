//! What a race hands over: texts, or records of a declared struct.
//!
//! A text with room for it is a whole [`Stamp`]. One that is shorter, and a record, names its writer and its number
//! alone; the hash behind them, of these and of the session, fills the rest, so that any piece of another one gives
//! the mix away.
//!
//! ```text
//! short text         record        what
//! -----------------  ------------  -----------------------------------
//! 0     `#`
//! 1..5  4 hex digits 0..2          the number; the writer in the high bit
//! 5..   hex digits   2..           the hash, over and over
//! ```

use super::stamp::{self, LONGEST, SHORTEST, Stamp};
use crate::cli::exit::{Exit, Failure};
use crate::declare::{Declared, Payload};

/// The shortest text and the shortest record that can be told from others.
const LEAST_TEXT: usize = 9;
const LEAST_RECORD: usize = 4;

const WRITER: u16 = 1 << 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Of so many bytes at most.
    Text(usize),
    /// Of so many bytes.
    Record(usize),
}

impl Form {
    /// `None`: in the tutorial's own struct.
    pub(super) fn of(declared: Option<&Declared>) -> Result<Self, Failure> {
        let Some(declared) = declared else { return Ok(Self::Text(LONGEST)) };
        let len = declared.payload().spans().iter().map(|span| span.len).sum::<usize>();
        let (form, least) = match declared.payload() {
            // The last byte is the NUL's.
            Payload::Text(_) => (Self::Text((len - 1).min(LONGEST)), LEAST_TEXT + 1),
            Payload::Data(_) => (Self::Record(len), LEAST_RECORD),
        };
        if len >= least {
            return Ok(form);
        }
        let what = format!("the layout {declared} has {len} bytes to hand over, too few to tell messages apart");
        Err(Failure::new(Exit::Usage, what).hint(format!("declare {least} bytes at least")))
    }

    /// Whether a message can say that it is the last one.
    pub(super) fn has_end(self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Puts the message into `bytes`, in place of what was there.
    pub(super) fn write(self, stamp: Stamp, bytes: &mut Vec<u8>) {
        let hash = stamp.hash();
        match self {
            Self::Text(longest) if longest >= SHORTEST => stamp.write(longest, bytes),
            Self::Text(longest) => {
                bytes.clear();
                bytes.push(b'#');
                bytes.extend_from_slice(format!("{:04x}", tag(stamp)).as_bytes());
                let len = LEAST_TEXT + hash as usize % (longest - LEAST_TEXT + 1);
                bytes.extend(format!("{hash:08x}").bytes().cycle().take(len - bytes.len()));
            }
            Self::Record(len) => {
                bytes.clear();
                bytes.extend_from_slice(&tag(stamp).to_le_bytes());
                bytes.extend(hash.to_le_bytes().into_iter().cycle().take(len - bytes.len()));
            }
        }
    }

    /// What the message has at each place, however long it is.
    pub(super) fn pattern(self, stamp: Stamp) -> Pattern {
        let hash = stamp.hash();
        let (head, period) = match self {
            Self::Text(longest) if longest >= SHORTEST => {
                let mut text = Vec::new();
                stamp.write(longest, &mut text);
                return Pattern { bytes: text[..stamp::HEAD + stamp::DIGITS].to_vec(), head: stamp::HEAD };
            }
            Self::Text(_) => (format!("#{:04x}", tag(stamp)).into_bytes(), format!("{hash:08x}").into_bytes()),
            Self::Record(_) => (tag(stamp).to_le_bytes().to_vec(), hash.to_le_bytes().to_vec()),
        };
        Pattern { head: head.len(), bytes: [head, period].concat() }
    }

    /// Who wrote a message in this session; `None`: nobody wrote it as it is. `scratch` is room to work in.
    pub(super) fn read(self, bytes: &[u8], session: u32, scratch: &mut Vec<u8>) -> Option<Stamp> {
        let tag = match self {
            Self::Text(longest) if longest >= SHORTEST => {
                return Stamp::read(bytes, longest, scratch).filter(|stamp| stamp.session == session);
            }
            Self::Text(_) => u16::from_str_radix(std::str::from_utf8(bytes.get(1..5)?).ok()?, 16).ok()?,
            Self::Record(_) => u16::from_le_bytes(*bytes.first_chunk()?),
        };
        let stamp = Stamp { session, writer: u32::from(tag & WRITER != 0), seq: u32::from(tag & !WRITER) };
        self.write(stamp, scratch);
        (scratch == bytes).then_some(stamp)
    }
}

/// A message's head, and what is repeated behind it.
pub(super) struct Pattern {
    bytes: Vec<u8>,
    head: usize,
}

impl Pattern {
    pub(super) fn byte(&self, at: usize) -> u8 {
        let period = self.bytes.len() - self.head;
        self.bytes[if at < self.head { at } else { self.head + (at - self.head) % period }]
    }
}

/// A race sends fewer than 32,768 messages in a session, by two writers.
fn tag(stamp: Stamp) -> u16 {
    let number = u16::try_from(stamp.seq).unwrap_or(u16::MAX) & !WRITER;
    if stamp.writer == 0 { number } else { number | WRITER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::slot::rules;
    use proptest::prelude::*;

    fn form(spec: &str) -> Result<Form, Failure> {
        Form::of(Some(&spec.parse().unwrap()))
    }

    fn any_form() -> impl Strategy<Value = Form> {
        prop_oneof![(LEAST_TEXT..=LONGEST).prop_map(Form::Text), (LEAST_RECORD..300).prop_map(Form::Record)]
    }

    prop_compose! {
        fn stamp()(session: u32, writer in 0_u32..2, seq in 0_u32..32_768) -> Stamp { Stamp { session, writer, seq } }
    }

    fn message(form: Form, stamp: Stamp) -> Vec<u8> {
        let mut bytes = Vec::new();
        form.write(stamp, &mut bytes);
        bytes
    }

    proptest! {
        /// Every message fits, can be sent, and says who wrote it; in another session it is none.
        #[test]
        fn whole_messages_are_known(form in any_form(), stamp in stamp()) {
            let bytes = message(form, stamp);
            match form {
                Form::Text(longest) => {
                    prop_assert!((LEAST_TEXT..=longest).contains(&bytes.len()));
                    prop_assert_eq!(rules::check(&bytes, longest), Ok(()));
                }
                Form::Record(len) => prop_assert_eq!(bytes.len(), len),
            }
            prop_assert_eq!(form.read(&bytes, stamp.session, &mut Vec::new()), Some(stamp));
        }

        /// Two in one, cut at any word, are known as what nobody wrote. (Where four bytes of hash fit.)
        #[test]
        fn mixed_messages_are_torn(len in 8_usize..300, a in stamp(), b in stamp(), word in 1_usize..75) {
            let form = Form::Record(len);
            let cut = (4 * word).min(len);
            let mixed = [&message(form, a)[..cut], &message(form, b)[cut..]].concat();
            prop_assume!(mixed != message(form, a) && mixed != message(form, b));
            prop_assert_eq!(form.read(&mixed, a.session, &mut Vec::new()), None);
        }

        /// A pattern is the message, byte for byte.
        #[test]
        fn a_pattern_is_the_message(form in any_form(), stamp in stamp()) {
            let (message, pattern) = (message(form, stamp), form.pattern(stamp));
            let again: Vec<_> = (0..message.len()).map(|at| pattern.byte(at)).collect();
            prop_assert_eq!(message, again);
        }

        /// Any bytes at all can be looked at.
        #[test]
        fn garbage_is_torn(form in any_form(), bytes in proptest::collection::vec(any::<u8>(), 0..9)) {
            prop_assume!(!matches!(form, Form::Record(len) if len == bytes.len()));
            prop_assert_eq!(form.read(&bytes, 1, &mut Vec::new()), None);
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert_eq!(form("text[10]").unwrap(), Form::Text(9));
        assert_eq!(form("text[1024]").unwrap(), Form::Text(LONGEST));
        assert_eq!(form("struct { int flag; double angle; }").unwrap(), Form::Record(8));
        assert_eq!(Form::of(None).unwrap(), Form::Text(LONGEST));
        for spec in ["text[9]", "struct { int flag; short angle; }"] {
            assert_eq!(form(spec).unwrap_err().exit, Exit::Usage, "{spec}");
        }
    }
}
