//! What is open to whom.

use crate::support::{Ended, Hosts, Peer, bridge, eventually, numbers};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::path::Path;
use zenoh::Wait;

/// The local addresses of the sockets that a process has, of a table of /proc/net, where it listens (TCP) or hears (UDP).
fn addresses(peer: &Peer, table: &str) -> Vec<String> {
    let folder = format!("/proc/{}/fd", peer.pid());
    let links = std::fs::read_dir(folder).unwrap().filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    let inodes: Vec<String> =
        links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect();
    let text = std::fs::read_to_string(format!("/proc/{}/net/{table}", peer.pid())).unwrap_or_default();
    let rows = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    // 0A is LISTEN.
    let here =
        rows.filter(|row| inodes.iter().any(|inode| inode == row[9]) && (table.starts_with("udp") || row[3] == "0A"));
    here.map(|row| row[1].to_owned()).collect()
}

/// 127.0.0.1, as /proc/net shows it.
const LOOPBACK: &str = "0100007F:";

#[test]
fn nothing_is_open_to_the_world_by_default() {
    let hosts = Hosts::new();
    let key = hosts.here.number();
    let mut alone = bridge(&["send", "--ring", "-k", &key, "--to", "a"]).start();
    alone.until_says("listening on tcp/127.0.0.1:");
    let listens = addresses(&alone, "tcp");
    assert!(listens.len() == 1 && listens[0].starts_with(LOOPBACK), "{listens:?}");
    let mut connects = hosts.receive(&["--ring", "-v"]).start();
    connects.until_says("Memory attached");
    connects.stays("");
    for (peer, tables) in [(&alone, &["tcp6", "udp", "udp6"][..]), (&connects, &["tcp", "tcp6", "udp", "udp6"])] {
        for table in tables {
            let open = addresses(peer, table);
            assert!(open.is_empty(), "{table}: {open:?}");
        }
    }
}

/// A session of the test's own, with one endpoint.
fn session(mode: &str, key: &str, endpoint: &str) -> zenoh::Session {
    let mut config = zenoh::Config::default();
    let endpoints = format!("[{endpoint:?}]");
    for (key, value) in [("mode", &*format!("{mode:?}")), (key, &endpoints), ("scouting/multicast/enabled", "false")] {
        config.insert_json5(key, value).unwrap();
    }
    zenoh::open(config).wait().unwrap()
}

/// Anybody who may publish there can do this. It is counted, and nothing else comes of it.
#[test]
fn what_no_bridge_sends_is_ignored() {
    let hosts = Hosts::new();
    let (sender, receiver) = hosts.bridges(&["--ring", "--json"], &["--ring", "--json"]);
    let mut reader = hosts.there.reader(&["--ring"]).start();
    let mut writer = hosts.here.writer(&["--ring"]).open_input().start();
    writer.type_in("one\n");
    reader.until_prints("one\n");
    let stranger = session("client", "connect/endpoints", hosts.endpoint());
    for kind in 0..=20 {
        for len in [0, 1, 7, 16, 33, 64, 4096] {
            for topic in ["up", "down"] {
                let frame = [&b"shmb\x01"[..], &[kind], &vec![0xA5; len]].concat();
                stranger.put(format!("{}/{topic}", hosts.topic()), frame).wait().unwrap();
            }
        }
    }
    stranger.close().wait().unwrap();
    writer.type_in("two\n");
    writer.close_input();
    reader.end().code(0).prints("one\ntwo\n");
    let sender = sender.end();
    let last: serde_json::Value = serde_json::from_str(sender.code(0).stderr.lines().last().unwrap()).unwrap();
    assert!(last["foreign"].as_u64().is_some_and(|foreign| foreign > 50), "{sender}");
    receiver.end().code(0);
}

#[test]
fn a_bridge_of_another_version_is_named() {
    let hosts = Hosts::new();
    let mut sender = hosts.send(&["--ring", "-v"]).start();
    sender.until_says("listening on");
    let other = session("client", "connect/endpoints", hosts.endpoint());
    // The link may come up a little later.
    let key = format!("{}/up", hosts.topic());
    eventually("the sender's end", || {
        other.put(&key, *b"shmb\x09\x00").wait().unwrap();
        sender.has_ended().then_some(())
    });
    sender.end().code(4).says(&["speaks version 9 and this one version 1: update the older one"]);
}

/// Also behind one of this version that was killed, and so has not left in order: an update may be why.
#[test]
fn a_bridge_of_another_version_is_named_when_the_one_before_is_silent() {
    let hosts = Hosts::new();
    let (mut sender, receiver) = hosts.bridges(&["--ring", "-v"], &["--ring"]);
    sender.until_says("met the other bridge");
    let other = session("client", "connect/endpoints", hosts.endpoint());
    let key = format!("{}/up", hosts.topic());
    // Beside one that lives anybody can say so.
    for _ in 0..10 {
        other.put(&key, *b"shmb\x09\x00").wait().unwrap();
    }
    sender.stays("");
    receiver.kill();
    eventually("the sender's end", || {
        other.put(&key, *b"shmb\x09\x00").wait().unwrap();
        sender.has_ended().then_some(())
    });
    sender.end().code(4).says(&["speaks version 9 and this one version 1"]);
}

/// An endpoint where nobody listens.
fn nobody() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("tcp/{}", socket.local_addr().unwrap())
}

#[test]
fn the_first_endpoint_that_answers_is_connected_to() {
    let (hosts, dead) = (Hosts::new(), nobody());
    let (here, there) = (hosts.here.number(), hosts.there.number());
    let mut sender =
        bridge(&["send", "-k", &here, "--ring", "--to", hosts.topic(), "--listen", hosts.endpoint()]).start();
    let receive = ["receive", "-k", &there, "--ring", "--from", hosts.topic()];
    let receiver = bridge(&[&receive[..], &["--connect", &dead, "--connect", hosts.endpoint()]].concat()).start();
    let reader = hosts.there.reader(&["--ring"]).start();
    sender.until_says("listening on");
    hosts.here.writer(&["--ring"]).input(numbers(0..10)).end().code(0);
    reader.end().code(0).prints(numbers(0..10));
    sender.end().code(0);
    receiver.end().code(0).says(&[&format!("no link to {dead}: ")]);
}

/// However often it is tried again.
#[test]
fn a_reason_is_told_once_for_each_endpoint() {
    let hosts = Hosts::new();
    let there = hosts.there.number();
    for dead in [vec![nobody()], vec![nobody(), nobody()]] {
        let receive = ["receive", "-k", &there, "--ring", "--from", hosts.topic(), "--timeout", "4s"];
        let connect = dead.iter().flat_map(|dead| ["--connect", dead]);
        let ended = bridge(&receive.into_iter().chain(connect).collect::<Vec<_>>()).end();
        ended.code(124).says(&["there is no link to the other bridge"]);
        for dead in &dead {
            assert_eq!(ended.stderr.matches(&format!("no link to {dead}: ")).count(), 1, "{ended}");
        }
    }
}

/// Neither bridge listens, and neither needs multicast or gossip: a router between them is enough.
#[test]
fn both_bridges_connect_to_a_router() {
    let hosts = Hosts::new();
    let router = session("router", "listen/endpoints", hosts.endpoint());
    let key = hosts.here.number();
    let sender = bridge(&["send", "-k", &key, "--ring", "--to", hosts.topic(), "--connect", hosts.endpoint()]).start();
    let receiver = hosts.receive(&["--ring"]).start();
    let reader = hosts.there.reader(&["--ring"]).start();
    hosts.here.writer(&["--ring"]).input(numbers(0..100_000)).end().code(0);
    reader.end().code(0).prints(numbers(0..100_000));
    sender.end().code(0);
    receiver.end().code(0);
    router.close().wait().unwrap();
}

/// Keys and certificates of an authority, of a host at 127.0.0.1 and of a stranger's authority, as PEM files.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        for (authority, host) in [("ca", "host"), ("stranger-ca", "stranger")] {
            let (ca_key, host_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            this.keep(authority, "pem", &params.self_signed(&ca_key).unwrap().pem());
            let issuer = Issuer::new(params, ca_key);
            let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            this.keep(host, "pem", &params.signed_by(&host_key, &issuer).unwrap().pem());
            this.keep(host, "key", &host_key.serialize_pem());
        }
        this
    }

    fn path(&self, name: &str, kind: &str) -> String {
        self.folder.path().join(format!("{name}.{kind}")).to_str().unwrap().to_owned()
    }

    fn keep(&self, name: &str, kind: &str, text: &str) {
        std::fs::write(self.path(name, kind), text).unwrap();
    }

    /// A configuration of zenoh for a host that listens, and for one that connects, with a certificate of its own or without.
    fn config(&self, name: &str, tls: &str) -> String {
        self.keep(name, "json5", &format!("{{ transport: {{ link: {{ tls: {{ {tls} }} }} }} }}"));
        self.path(name, "json5")
    }

    fn listens(&self, mutual: bool) -> String {
        let (ca, pem, key) = (self.path("ca", "pem"), self.path("host", "pem"), self.path("host", "key"));
        self.config(
            "listens",
            &format!(
                "root_ca_certificate: {ca:?}, listen_certificate: {pem:?}, listen_private_key: {key:?}, enable_mtls: {mutual}"
            ),
        )
    }

    fn connects(&self, name: Option<&str>) -> String {
        let own = name.map_or_else(String::new, |name| {
            let (pem, key) = (self.path(name, "pem"), self.path(name, "key"));
            format!("enable_mtls: true, connect_certificate: {pem:?}, connect_private_key: {key:?},")
        });
        self.config("connects", &format!("{own} root_ca_certificate: {:?}", self.path("ca", "pem")))
    }
}

/// A session over TLS with these two configurations.
fn over_tls(listens: &str, connects: &str) {
    let hosts = Hosts::speaking("tls");
    let (sender, receiver) = hosts.bridges(&["--ring", "--config", listens], &["--ring", "--config", connects]);
    let reader = hosts.there.reader(&["--ring"]).start();
    hosts.here.writer(&["--ring"]).input(numbers(0..1000)).end().code(0);
    reader.end().code(0).prints(numbers(0..1000));
    sender.end().code(0);
    receiver.end().code(0);
}

/// The receiver with this configuration never meets the sender.
fn is_refused(listens: &str, connects: &str) -> Ended {
    let hosts = Hosts::speaking("tls");
    let mut sender = hosts.send(&["--ring", "-v", "--config", listens]).start();
    let receiver = hosts.receive(&["--ring", "-v", "--config", connects, "--timeout", "1s"]).start();
    let ended = receiver.end();
    ended.code(124);
    for said in [sender.said(), ended.stderr.clone()] {
        assert!(!said.contains("met the other bridge") && !said.contains("linked to"), "{said}");
    }
    ended
}

#[test]
fn tls_and_mutual_tls_by_zenohs_configuration() {
    let certificates = Certificates::new();
    over_tls(&certificates.listens(false), &certificates.connects(None));
    over_tls(&certificates.listens(true), &certificates.connects(Some("host")));
}

#[test]
fn a_bridge_without_a_certificate_is_refused() {
    let certificates = Certificates::new();
    is_refused(&certificates.listens(true), &certificates.connects(None));
}

#[test]
fn a_bridge_with_a_strangers_certificate_is_refused() {
    let certificates = Certificates::new();
    is_refused(&certificates.listens(true), &certificates.connects(Some("stranger")));
}

#[test]
fn a_host_that_the_authority_does_not_know_is_refused() {
    let certificates = Certificates::new();
    std::fs::copy(certificates.path("stranger", "pem"), certificates.path("host", "pem")).unwrap();
    std::fs::copy(certificates.path("stranger", "key"), certificates.path("host", "key")).unwrap();
    assert!(Path::new(&certificates.path("ca", "pem")).exists());
    is_refused(&certificates.listens(false), &certificates.connects(None));
}

#[test]
fn the_command_line_goes_before_the_file() {
    let hosts = Hosts::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zenoh.json5");
    // A file alone says where it listens; --listen says otherwise.
    std::fs::write(&file, r#"{ listen: { endpoints: ["tcp/127.0.0.2:0"] } }"#).unwrap();
    let (key, file) = (hosts.here.number(), file.to_str().unwrap());
    let args = ["send", "--ring", "-k", &key, "--to", "a", "--config", file];
    let mut by_file = bridge(&args).start();
    by_file.until_says("listening on tcp/127.0.0.2:");
    by_file.kill();
    let mut by_line = bridge(&[&args[..], &["--listen", "tcp/127.0.0.3:0"]].concat()).start();
    by_line.until_says("listening on tcp/127.0.0.3:");
    by_line.kill();
    let mut by_setting = bridge(&[&args[..], &["--set", r#"listen/endpoints=["tcp/127.0.0.4:0"]"#]].concat()).start();
    by_setting.until_says("listening on tcp/127.0.0.4:");
}
