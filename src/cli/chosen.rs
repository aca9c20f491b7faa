//! The layout that the command line declares, and what the messages of a layout are.

use super::args::Common;
use super::exit::{Exit, Failure};
use super::fields::Fields;
use super::spec;
use super::stdio::say;
use crate::backend::memory::slot::AnySlot;
use crate::backend::sysv::SysV;
use crate::backend::{Backend, Layout};
use crate::declare::{Declared, Payload, Span};
use crate::error::plural;

/// `end` with its newline and its NUL. Without them a session can't be ended; and a line that is cut into
/// shorter pieces can have one that is `end`.
const LEAST_TEXT: usize = 5;

/// What `--layout` declares.
pub struct Chosen {
    pub(super) declared: Declared,
}

impl Chosen {
    /// `None`: there is no such option.
    pub fn of(common: &Common) -> Result<Option<Self>, Failure> {
        let Some(spec) = &common.layout else { return Ok(None) };
        let chosen = Self { declared: spec::read(spec)? };
        if common.raw && !chosen.has_records() {
            let why = "--raw carries any bytes, and this layout has a text, which carries no NUL";
            return Err(Failure::new(Exit::Usage, why).hint("leave --raw out, or declare records: data=NAME"));
        }
        if !chosen.has_records() && chosen.len() < LEAST_TEXT {
            let why = format!("a text of {} byte{} has no room for `end`", chosen.len(), plural(chosen.len()));
            let hint = format!("a text has {LEAST_TEXT} bytes at least; or declare its bytes as a record: data=NAME");
            return Err(Failure::new(Exit::Usage, why).hint(hint));
        }
        Ok(Some(chosen))
    }

    pub(super) fn has_records(&self) -> bool {
        matches!(self.declared.payload(), Payload::Data(_))
    }

    /// The bytes of a record; of a text, with its NUL.
    pub(super) fn len(&self) -> usize {
        sum(self.declared.payload().spans())
    }

    /// The bytes of an answer; 0: there is none.
    pub(super) fn reply_len(&self) -> usize {
        sum(self.declared.reply())
    }

    pub(super) fn fields(&self) -> Fields<'_> {
        Fields::of(&self.declared)
    }

    /// Says which members were chosen, and why, unless the SPEC leaves no choice.
    pub fn introduce(&self, program: &str, common: &Common) {
        if common.quiet {
            return;
        }
        let is_shorthand = common.layout.as_ref().is_some_and(|spec| spec.starts_with("text["));
        if !self.declared.members().is_empty() && !is_shorthand {
            let payload = if self.has_records() { "data" } else { "text" };
            say!("{program}: flag {}; {payload} {}", self.declared.why_flag(), self.declared.why_payload());
        }
        if common.verbose {
            say!("{program}: layout {}", self.declared);
        }
    }
}

fn sum(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.len).sum()
}

/// What the messages of memory are. The other side can bring another layout, so this is asked each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// Texts, one at a time, by the tutorial's rules.
    Texts,
    /// Any bytes, as many messages as there is room for.
    Bytes,
    /// Records of one length.
    Records,
}

impl Carries {
    #[must_use]
    pub fn by(backend: &SysV) -> Self {
        match backend.layout() {
            Layout::Ring { .. } => Self::Bytes,
            Layout::Declared if !Backend::declared(backend).is_text() => Self::Records,
            Layout::Slot | Layout::Declared => Self::Texts,
        }
    }
}
