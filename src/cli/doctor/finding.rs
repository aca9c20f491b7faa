//! What a check finds.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Note,
    Problem,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) level: Level,
    pub(super) what: String,
    /// What mends it, or shows what would; none: it is somebody else's.
    pub(super) command: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, what: what.into(), command: None }
    }

    pub(super) fn note(check: &'static str, what: impl Into<String>) -> Self {
        Self { level: Level::Note, ..Self::ok(check, what) }
    }

    pub(super) fn problem(check: &'static str, what: impl Into<String>, command: Option<String>) -> Self {
        Self { level: Level::Problem, command, ..Self::ok(check, what) }
    }

    pub(super) fn with(self, command: impl Into<String>) -> Self {
        Self { command: Some(command.into()), ..self }
    }
}
