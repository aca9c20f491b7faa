//! The command line.

use crate::carrier::{Network, Topic};
use clap::{Args, Parser, Subcommand, ValueEnum};
use shm_handoff::cli::kit::{self, Common};
use std::path::PathBuf;
use zenoh::config::EndPoint;

const EXAMPLES: &str = "\
Examples:
  on machine B, 192.0.2.7, where a program reads the channel 1234:
    shm-bridge receive --from plant/line1 -k 1234 --listen tcp/192.0.2.7:7447
  on machine A, where a program writes it:
    shm-bridge send -k 1234 --to plant/line1 --connect tcp/192.0.2.7:7447

From ring to ring (--ring on both) each message arrives once, whichever bridge is
killed and started again. docs/bridge.md says what happens when which part dies.";

const SEND_EXAMPLES: &str = "\
Examples:
  shm-bridge send -k 1234 --to plant/line1 --connect tcp/192.0.2.7:7447
  shm-bridge send -k 0x77 --ring --follow --to plant/line1 --connect tls/hub.example:7447 \\
      --config tls.json5";

const RECEIVE_EXAMPLES: &str = "\
Examples:
  shm-bridge receive --from plant/line1 -k 1234 --listen tcp/192.0.2.7:7447
  shm-bridge receive --from plant/line1 -k 0x77 --ring --follow --ack received \\
      --listen tls/192.0.2.7:7447 --config tls.json5";

/// What both sides say of the network, the logs and the environment.
const BOTH: &str = "\
Network:
  Without --connect, --listen and --config a bridge listens on the loopback, at a port
  that it says. With --connect alone it does not listen. It is a client of zenoh then,
  with one link, to the first endpoint that answers: a bridge, or a router (zenohd) to
  which both connect. Unless the file says so, it neither scouts nor gossips.
  The command line replaces what the file says in the same place. TLS, and mutual TLS,
  are what the file says below transport/link/tls.

Logs:
  --json prints an object a line, each with `time` (RFC 3339) and `event`:
    opened    role, topic, key, layout, zenoh (this process's id there), listens
    trouble   endpoint, reason: there is no link to it; said again when the reason changes
    link      peer (its id), up (false: the link broke)
    session   number: a bridge at the other end was met, or met again
    says      text: whatever else there is to say
    ended     exit, message and hint (null where it went well), messages, bytes,
              sessions, again, probes, duplicates, gaps, dropped, foreign
  Counts: sessions with the other bridge; sent again, and probes for an acknowledgement
  (send); duplicates that were dropped, gaps in front of a batch (receive); dropped
  here for lack of room; foreign frames.
  What is wrong with the command line itself is said in words.

Signals:
  SIGHUP, SIGINT, SIGTERM  leave at once, in order: what was not acknowledged stays in
                           the channel for the next one, and the other bridge waits
  SIGKILL                  the next bridge goes on where this one was

Environment:
  RUST_LOG        what else zenoh says is printed, such as zenoh=debug";

/// What the exit codes stand for.
const EXIT: [(&str, &str); 9] = [
    ("0", ": the stream ended, and everything was acknowledged"),
    ("1", "; or zenoh can't listen where it is to"),
    ("2", ""),
    ("3", ", on whichever machine"),
    ("4", ", or the positions of the two rings do not fit together, or the other bridge has another version"),
    ("5", ""),
    ("6", "; send: the channel over there has another stream"),
    ("124", ""),
    ("128+n", ""),
];

fn help(examples: &str) -> String {
    // What the other programs say of their environment goes on here.
    let environment = kit::ENVIRONMENT.split_once('\n').map_or("", |(_, rest)| rest);
    format!("{}\n\n{BOTH}\n{environment}", kit::help(examples, &EXIT))
}

/// Carries a channel of this machine to a channel of another machine, over zenoh.
///
/// `send` reads a channel here, `receive` writes one there. What was not acknowledged is not
/// released, so nothing is lost where the network loses; a link that breaks is waited for.
#[derive(Debug, Parser)]
#[command(name = super::PROGRAM, version, arg_required_else_help = true, after_help = EXAMPLES, after_long_help = help(EXAMPLES))]
pub(super) struct Bridge {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Send(Send),
    Receive(Receive),
    /// Makes the manual page and the completions in DIR, such as ~/.local/share
    Generate {
        /// Where to put them
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
}

/// Reads a channel here, and sends what is there
///
/// It is the channel's reader. A message is released only after the receiving bridge has
/// acknowledged it. The end of the session is carried; the death of the writer is told to the
/// reader over there.
#[derive(Debug, Args)]
#[command(after_help = SEND_EXAMPLES, after_long_help = help(SEND_EXAMPLES))]
pub(super) struct Send {
    #[command(flatten)]
    pub(super) side: Side,

    /// Key of zenoh under which the two bridges meet, such as plant/line1
    #[arg(long, value_name = "KEYEXPR")]
    pub(super) to: Topic,

    /// When the writer here dies, tell nobody, and wait for the next one
    #[arg(long)]
    pub(super) follow: bool,
}

/// Writes into a channel here what arrives
///
/// It is the channel's writer. A message that this channel can't carry, because it is too long for
/// it or is no text, ends both bridges.
#[derive(Debug, Args)]
#[command(after_help = RECEIVE_EXAMPLES, after_long_help = help(RECEIVE_EXAMPLES))]
pub(super) struct Receive {
    #[command(flatten)]
    pub(super) side: Side,

    /// Key of zenoh under which the two bridges meet, such as plant/line1
    #[arg(long, value_name = "KEYEXPR")]
    pub(super) from: Topic,

    /// When the reader here leaves or dies, tell nobody, and wait for the next one
    #[arg(long)]
    pub(super) follow: bool,

    /// What is acknowledged to the sender, which releases it then
    #[arg(long, value_name = "WHEN", value_enum, default_value = "ring")]
    pub(super) ack: Ack,

    /// Take the next stream once the sender of the last one is gone and the reader here has read everything
    ///
    /// Without this option, a stream that has not ended keeps the ring. The option is for a sending machine that was
    /// restarted: its ring is another one then, and so is the stream.
    #[arg(long)]
    pub(super) next_stream: bool,
}

/// When a message counts as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Ack {
    /// It lies in the channel here: either bridge may die
    Ring,
    /// The reader here has released it: this whole machine may die
    Received,
}

/// What both sides take.
#[derive(Debug, Args)]
#[command(
    mut_arg("raw", |arg| arg.hide(true)),
    mut_arg("timeout", |arg| arg.help("Longest wait without progress, such as 500ms or 5s [default: forever]")),
    mut_arg("progress", |arg| arg.help(
        "Show messages, bytes, rate and time on stderr: `auto` on a terminal, `always` elsewhere too, as a line a second"
    ))
)]
pub(super) struct Side {
    #[command(flatten)]
    pub(super) channel: Common,

    /// Endpoint to connect to, such as tcp/192.0.2.7:7447 or tls/hub.example:7447; can be repeated
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    connect: Vec<EndPoint>,

    /// Endpoint to listen on; can be repeated
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    listen: Vec<EndPoint>,

    /// Configuration of zenoh, in its own JSON5 format
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A setting of that format, such as transport/link/tx/lease=2000; can be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,

    /// Print on stderr an object of JSON a line
    #[arg(long)]
    pub(super) json: bool,
}

impl Side {
    pub(super) fn network(&self) -> Network {
        let Self { connect, listen, config, set, .. } = self;
        Network { connect: connect.clone(), listen: listen.clone(), config: config.clone(), set: set.clone() }
    }
}

fn endpoint(given: &str) -> Result<EndPoint, String> {
    let endpoint = given.parse::<EndPoint>().map_err(|_| "not an endpoint, such as tcp/192.0.2.7:7447".to_owned())?;
    let has_port = endpoint.address().as_str().rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match endpoint.protocol().as_str() {
        "tcp" | "tls" if has_port => Ok(endpoint),
        "tcp" | "tls" => Err(format!("a port is missing, as in {given}:7447")),
        other => Err(format!("`{other}` is not built in: tcp and tls are")),
    }
}

fn setting(given: &str) -> Result<(String, String), String> {
    let (key, value) = given.split_once('=').ok_or("no KEY=VALUE, such as transport/link/tx/lease=2000")?;
    Ok((key.to_owned(), value.to_owned()))
}
