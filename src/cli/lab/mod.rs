//! `shm-handoff lab`: the lab's two pages, served to this machine alone.

mod answer;
mod serve;

use super::exit::{self, Exit, Failure};
use super::signals::Signals;
use super::stdio::{self, say};
use clap::{Args, ValueEnum};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

/// The tutorial's key, as a port.
const PORT: u16 = 1234;

const HELP: &str = "\
The page is one file that loads nothing: docs/lab/index.html opens from a checkout as
well. This command is for a machine without one. It listens on 127.0.0.1 alone and serves
the two pages and nothing else. A request that names another host is refused.

Examples:
  shm-handoff lab                  prints the address to open; Ctrl-C ends it
  shm-handoff lab --lang zh        begins with the Chinese page
  shm-handoff lab --port 8000      at another port";

/// What its exit codes stand for.
const EXIT: [(&str, &str); 3] = [("1", "; or the port is in use"), ("2", ""), ("128+n", ", Ctrl-C among them")];

/// Serves the lab, a page to be the scheduler in, to a browser on this machine
///
/// Two programs share a piece of memory, and each click lets one of them take a step.
/// The exercises are the tutorial's races, and our own protocol, where they can't happen.
#[derive(Debug, Args)]
#[command(after_long_help = exit::help(HELP, &EXIT))]
pub(super) struct Lab {
    /// Language of the page whose address is printed; each page has a link to the other
    #[arg(long, value_name = "LANG", value_enum, default_value = "en")]
    lang: Lang,

    /// Port on 127.0.0.1; 0 takes any free one [default: 1234, or a free one if that is in
    /// use]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

/// A page's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English
    En,
    /// Chinese
    Zh,
}

impl Lang {
    fn path(self) -> &'static str {
        match self {
            Self::En => "/",
            Self::Zh => answer::CHINESE,
        }
    }
}

pub(super) fn run(args: &Lab) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let listener = listen(args.port)?;
    let failed = |error: std::io::Error| Failure::new(Exit::System, format!("the listening socket: {error}"));
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    stdio::show(&format!("http://{address}{}\n", args.lang.path()))?;
    say!("open this address in a browser on this machine; Ctrl-C ends the server");
    serve::run(&listener, &signals)
}

fn listen(port: Option<u16>) -> Result<TcpListener, Failure> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let bound = match (port, bind(port.unwrap_or(PORT))) {
        (None, Err(error)) if error.kind() == ErrorKind::AddrInUse => bind(0),
        (_, bound) => bound,
    };
    bound.map_err(|error| {
        let failure =
            Failure::new(Exit::System, format!("127.0.0.1:{} can't be listened on: {error}", port.unwrap_or(PORT)));
        match error.kind() {
            ErrorKind::AddrInUse => failure.hint("another program has this port; --port 0 takes a free one"),
            ErrorKind::PermissionDenied => failure.hint("ports below 1024 are for root; --port 0 takes a free one"),
            _ => failure,
        }
    })
}
