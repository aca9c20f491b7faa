//! What zenoh says of links that don't come up. It tries again in silence, and only its log has the reason.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;
use tracing_subscriber::{Layer, registry::LookupSpan};

/// Where zenoh says so, and how.
const TARGET: &str = "zenoh::net::runtime::orchestrator";
const SAYS: &str = "Unable to connect to ";
/// Where it tries again by itself.
const CONFIGURED: &str = "configured peer ";

/// What was handed on, by endpoint, since the last link came up.
static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A link has come up: whatever breaks it is new.
pub(super) fn is_over() {
    KNOWN.lock().clear();
}

/// Hands on why there is no link, when that is new: the endpoint, and the reason.
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(
    on_trouble: impl Fn(&str, &str) + Send + Sync + 'static,
) -> impl Layer<S> {
    Troubles { on_trouble }.with_filter(Targets::new().with_target(TARGET, LevelFilter::DEBUG))
}

struct Troubles<F> {
    on_trouble: F,
}

impl<S: Subscriber, F: Fn(&str, &str) + Send + Sync + 'static> Layer<S> for Troubles<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let Some((endpoint, reason)) = trouble(&message.0) else { return };
        let reason = plain(reason);
        // (Not within the call: what is said there may take its time.)
        let is_new = KNOWN.lock().insert(endpoint.to_owned(), reason.clone()).is_none_or(|known| known != reason);
        if is_new {
            (self.on_trouble)(endpoint, &reason);
        }
    }
}

/// The endpoint and the reason, in what zenoh says.
fn trouble(message: &str) -> Option<(&str, &str)> {
    let whom = message.strip_prefix(SAYS)?;
    let (endpoint, reason) = whom.strip_prefix(CONFIGURED).unwrap_or(whom).split_once("! ")?;
    // Of several it says so at the end, and of scouted ones nobody has asked.
    if endpoint.contains(' ') {
        return None;
    }
    let reason = reason.rsplit_once(". Retry in ").map_or(reason, |(reason, _)| reason);
    Some((endpoint, reason))
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// An error of zenoh's without the places in its source.
pub(super) fn plain(error: &str) -> String {
    let mut out = String::new();
    let mut rest = error;
    while let Some((before, behind)) = rest.split_once(" at /") {
        out += before;
        // A place ends with `.rs:LINE.`; anything else is no place.
        let end = behind.find(".rs:").map(|at| at + 4).filter(|at| !behind[..*at].contains(' '));
        if end.is_none() {
            out += " at /";
        }
        let digits = |digit: char| digit.is_ascii_digit();
        rest = end.map_or(behind, |end| behind[end..].trim_start_matches(digits).trim_start_matches('.'));
    }
    out += rest;
    out.trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{plain, trouble};

    #[test]
    fn the_reason_stands_alone() {
        let message = "Unable to connect to configured peer tcp/nosuch.example:7! failed to lookup address information: \
                       Name or service not known at /home/x/.cargo/registry/src/zenoh-link-commons-1.10.2/src/lib.rs:62.. \
                       Retry in 1s.";
        let (endpoint, reason) = trouble(message).unwrap();
        assert_eq!(endpoint, "tcp/nosuch.example:7");
        assert_eq!(plain(reason), "failed to lookup address information: Name or service not known");
        let refused = "Can not create a new TCP link bound to tcp/127.0.0.1:1: [127.0.0.1:1: Connection refused (os error 111) at \
                       /a/b/src/tcp.rs:10. => x at /a/b/src/unicast.rs:3.]";
        assert_eq!(
            plain(refused),
            "Can not create a new TCP link bound to tcp/127.0.0.1:1: [127.0.0.1:1: Connection refused (os error 111) => x]"
        );
        assert_eq!(plain("no route at /dev/null today"), "no route at /dev/null today");
        assert_eq!(trouble("Unable to connect to any locator"), None);
        assert_eq!(trouble("Unable to connect to any of [tcp/a:1, tcp/b:2]! "), None);
        assert_eq!(trouble("Unable to connect to tcp/127.0.0.1:1! refused"), Some(("tcp/127.0.0.1:1", "refused")));
    }
}
