//! What lies in a declared slot, by the names of its members.

use super::fields::Fields;
use super::look::Shown;
use crate::declare::Declared;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// More of a field is of no use to people.
const LONGEST: usize = 120;

/// All that `stat` shows.
#[derive(Serialize)]
pub(super) struct Whole<'w> {
    #[serde(flatten)]
    pub(super) shown: &'w Shown,
    #[serde(flatten)]
    pub(super) content: Option<Content<'w>>,
}

impl<'w> Whole<'w> {
    pub(super) fn of(declared: Option<&'w Declared>, shown: &'w Shown) -> Self {
        Self { shown, content: Content::of(declared, shown) }
    }
}

/// The record, and what the reader has answered, as they lay there at one look. Each may be half written: an observer
/// asks nobody.
pub(super) struct Content<'c> {
    fields: Fields<'c>,
    reply: Option<Fields<'c>>,
    shown: &'c Shown,
}

impl<'c> Content<'c> {
    /// `None`: nothing is declared, or it could not be looked at.
    pub(super) fn of(declared: Option<&'c Declared>, shown: &'c Shown) -> Option<Self> {
        let declared = declared.filter(|_| shown.looked_into)?;
        let reply = (!declared.reply().is_empty()).then(|| Fields::of_reply(declared));
        Some(Self { fields: Fields::of(declared), reply, shown })
    }

    /// A line a field.
    pub(super) fn in_words(&self) -> String {
        let list = |name: &str, fields: &Fields<'_>, record: &[u8]| {
            let fields = fields.each(record);
            let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            let lines = fields.iter().map(|(name, value)| format!("  {name:<width$}  {}\n", short(value)));
            lines.fold(format!("{name}\n"), |text, line| text + &line)
        };
        let fields = list("fields", &self.fields, &self.shown.text);
        match &self.reply {
            Some(reply) => fields + &list("reply", reply, &self.shown.reply),
            None => fields,
        }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("fields", &self.fields.show(&self.shown.text))?;
        if let Some(reply) = &self.reply {
            map.serialize_entry("reply", &reply.show(&self.shown.reply))?;
        }
        map.end()
    }
}

/// JSON for a line of a terminal, which whoever wrote the text must not steer.
fn short(json: &str) -> String {
    let json = json.replace(char::is_control, "?");
    match json.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}... ({} characters; all of it: --json)", &json[..at], json.chars().count()),
        None => json,
    }
}
