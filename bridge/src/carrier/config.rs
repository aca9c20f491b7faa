//! Where the session connects and listens. By default nothing is open to the world: no scouting, no gossip, and if it listens at all, on
//! the loopback.

use super::Failed;
use super::trouble::plain;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use zenoh::Config;
use zenoh::config::EndPoint;
use zenoh::key_expr::OwnedKeyExpr;

/// Where it listens if nothing says otherwise and it connects nowhere.
const LOOPBACK: &str = r#"["tcp/127.0.0.1:0"]"#;

/// What differs from zenoh's own defaults, unless the file says otherwise.
const DEFAULTS: [(&str, &str); 5] = [
    ("scouting/multicast/enabled", "false"),
    ("scouting/gossip/enabled", "false"),
    // A link is waited for, as one that breaks is.
    ("connect/timeout_ms", "-1"),
    ("connect/exit_on_failure", "false"),
    ("open/return_conditions/connect_scouted", "false"),
];

/// What the command line says of the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Endpoints of zenoh to connect to.
    pub connect: Vec<EndPoint>,
    /// Endpoints to listen on.
    pub listen: Vec<EndPoint>,
    /// A file in zenoh's format.
    pub config: Option<PathBuf>,
    /// Keys of that format, and their values.
    pub set: Vec<(String, String)>,
}

impl Network {
    /// What zenoh is opened with.
    ///
    /// # Errors
    /// [`Failed::Usage`].
    pub fn config(&self) -> Result<Config, Failed> {
        let (mut config, said) = self.file()?;
        let says = |key: &str| key.split('/').try_fold(&said, |value, part| value.get(part)).is_some();
        for (key, value) in DEFAULTS.iter().filter(|(key, _)| !says(key)) {
            insert(&mut config, key, value)?;
        }
        let connects = !self.connect.is_empty() || says("connect/endpoints");
        match &self.listen[..] {
            [] if says("listen/endpoints") => {}
            [] if connects => {
                // Between peers a router hands nothing on. To a client it does, and so does a peer.
                if !says("mode") {
                    insert(&mut config, "mode", r#""client""#)?;
                }
                insert(&mut config, "listen/endpoints", "[]")?;
            }
            [] => insert(&mut config, "listen/endpoints", LOOPBACK)?,
            listen => insert(&mut config, "listen/endpoints", &list(listen))?,
        }
        if !self.connect.is_empty() {
            insert(&mut config, "connect/endpoints", &list(&self.connect))?;
        }
        for (key, value) in &self.set {
            // As on zenohd's command line, a word need not have quotes.
            config
                .insert_json5(key, value)
                .or_else(|error| config.insert_json5(key, &quoted(value)).map_err(|_| error))
                .map_err(|error| Failed::Usage(format!("--set {key}={value}: {}", plain(&error.to_string()))))?;
        }
        // With time for each of them, a client would stay with the first one for as long as nobody answers there. (A peer would not, and
        // without that time would try each of them once.)
        let is_client = config.get_json("mode").is_ok_and(|mode| mode == quoted("client"));
        let is_said = says("connect/timeout_ms")
            || self.set.iter().any(|(key, _)| ["connect", "connect/timeout_ms"].contains(&&**key));
        if self.connect.len() > 1 && is_client && !is_said {
            insert(&mut config, "connect/timeout_ms", "0")?;
        }
        Ok(config)
    }

    /// The file's configuration, and what stands in the file.
    fn file(&self) -> Result<(Config, serde_json::Value), Failed> {
        let Some(path) = &self.config else { return Ok((Config::default(), serde_json::Value::Null)) };
        let failed =
            |error: &dyn std::fmt::Display| Failed::Usage(format!("{}: {}", path.display(), plain(&error.to_string())));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        let said = json5::from_str(&text).map_err(|error| failed(&error))?;
        Ok((Config::from_json5(&text).map_err(|error| failed(&error))?, said))
    }
}

fn insert(config: &mut Config, key: &str, value: &str) -> Result<(), Failed> {
    config
        .insert_json5(key, value)
        .map_err(|error| Failed::Usage(format!("{key} {value}: {}", plain(&error.to_string()))))
}

fn quoted(word: &str) -> String {
    serde_json::Value::from(word).to_string()
}

fn list(endpoints: &[EndPoint]) -> String {
    endpoints.iter().map(ToString::to_string).collect::<serde_json::Value>().to_string()
}

/// The key of zenoh under which the two bridges meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic(OwnedKeyExpr);

impl Topic {
    /// Where the sender publishes.
    pub(super) fn down(&self) -> OwnedKeyExpr {
        self.below("down")
    }

    /// Where the receiver publishes.
    pub(super) fn up(&self) -> OwnedKeyExpr {
        self.below("up")
    }

    fn below(&self, name: &str) -> OwnedKeyExpr {
        OwnedKeyExpr::new(format!("{}/{name}", self.0)).expect("a key and a word are a key")
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let key = OwnedKeyExpr::new(given).map_err(|_| "not a key of zenoh, such as plant/line1".to_owned())?;
        if key.is_wild() {
            return Err("a wildcard can't stand here: one sender and one receiver meet at one key".to_owned());
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    /// The time to connect that zenoh is given, for so many endpoints, a setting, and with `--listen`.
    fn time(endpoints: usize, set: &[(&str, &str)], listens: bool) -> String {
        let endpoint = |port| format!("tcp/127.0.0.1:{port}").parse().expect("an endpoint");
        let network = Network {
            connect: (1..=endpoints).map(endpoint).collect(),
            listen: listens.then(|| endpoint(9)).into_iter().collect(),
            config: None,
            set: set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        network.config().expect("it makes sense").get_json("connect/timeout_ms").expect("it is there")
    }

    #[test]
    fn a_client_alone_leaves_an_endpoint_where_nobody_answers() {
        assert_eq!(time(2, &[], false), "0");
        // One endpoint is waited for, and a peer tries all of them at the same time, for as long as it takes.
        assert_eq!(time(1, &[], false), "-1");
        assert_eq!(time(2, &[], true), "-1");
        assert_eq!(time(2, &[("mode", "peer")], false), "-1");
        assert_eq!(time(2, &[("connect/timeout_ms", "5000")], false), "5000");
        assert_eq!(time(2, &[("connect/retry", "{period_init_ms: 50}")], false), "0");
    }
}
