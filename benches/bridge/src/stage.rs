//! One measurement: two hosts of its own, a link between them, and the programs on them.

use crate::carriers::{Carrier, HERE, THERE, nats, ring, text, zenoh};
use crate::side::Plan;
use crate::tally::Report;
use hosts::host::Host;
use hosts::wire::{Weather, Wire};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// What lies between the hosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Link {
    /// A pair of veth devices
    Veth,
    /// The wire in user space, with so many packets of a hundred lost
    Wire(u32),
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement<'a> {
    pub(crate) carrier: Carrier,
    pub(crate) link: Link,
    pub(crate) plan: Plan,
    /// The link is cut for so long, one second after the first message was sent.
    pub(crate) cut: Option<Duration>,
    /// Where the wire's chance begins.
    pub(crate) seed: u64,
    /// The folder of shm-bridge.
    pub(crate) bins: &'a Path,
}

/// No measurement takes longer.
const LIMIT: Duration = Duration::from_secs(90);
/// When a link is cut.
const CUT_AFTER: Duration = Duration::from_secs(1);

/// Set by a signal.
pub(crate) fn stopped() -> &'static Arc<AtomicBool> {
    static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    STOPPED.get_or_init(Arc::default)
}

impl Measurement<'_> {
    /// Measures.
    pub(crate) fn run(&self) -> Result<Report, String> {
        let (here, there) = (Host::new().map_err(text)?, Host::new().map_err(text)?);
        let wire = match self.link {
            Link::Veth => {
                here.cable("cable", HERE, &there, THERE).map_err(text)?;
                None
            }
            Link::Wire(loss) => {
                let wire = Wire::lay("wire", (&here, HERE), (&there, THERE), self.seed).map_err(text)?;
                wire.set(Weather { loss: f64::from(loss) / 100.0, ..Weather::default() });
                Some(wire)
            }
        };
        let until = Instant::now() + LIMIT;
        let folder = tempfile::tempdir().map_err(text)?;
        // What runs beside the two sides, until this returns.
        let mut beside = Vec::new();
        if self.carrier == Carrier::Nats {
            beside.push(Program::start(nats_server(&here, folder.path()))?);
            let begun = Instant::now();
            while here.within(|| TcpStream::connect((HERE, nats::PORT))).is_err() {
                if begun.elapsed() > Duration::from_secs(10) {
                    return Err("nats-server does not listen".into());
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        if self.carrier == Carrier::Bridge {
            beside.push(Program::start(self.bridge(&there, ["receive", "--from", "--listen"]))?);
            beside.push(Program::start(self.bridge(&here, ["send", "--to", "--connect"]))?);
        }
        let len = self.plan.len.to_string();
        // After a cut TCP tries again within as long as the cut took.
        let patience = (5 + 2 * self.cut.unwrap_or_default().as_secs()).to_string();
        let mut receiver = Program::start(self.side(&there, "receive", &["--len", &len, "--patience", &patience]))?;
        receiver.hear(until)?;
        let millis = self.plan.millis.to_string();
        let mut arguments = vec!["--len", &len, "--millis", &millis];
        let per_second = self.plan.per_second.map(|per_second| per_second.to_string());
        if let Some(per_second) = &per_second {
            arguments.extend(["--per-second", per_second]);
        }
        let mut sender = Program::start(self.side(&here, "send", &arguments))?;
        sender.hear(until)?;
        sender.say("go")?;
        if let Some(time) = self.cut {
            let wire = wire.as_ref().expect("a cut is of a wire");
            thread::sleep(CUT_AFTER);
            wire.cut(true);
            thread::sleep(time);
            wire.cut(false);
        }
        let sent = sender.hear(until)?;
        receiver.say(&sent)?;
        receiver.hear(until)?.parse()
    }

    fn side(&self, host: &Host, side: &str, arguments: &[&str]) -> Command {
        let mut command = host.command(std::env::current_exe().expect("this program has a path"));
        let carrier = clap::ValueEnum::to_possible_value(&self.carrier).expect("none is skipped");
        command.arg(side).arg(carrier.get_name()).args(arguments);
        command
    }

    fn bridge(&self, host: &Host, [side, topic, role]: [&str; 3]) -> Command {
        let mut command = host.command(self.bins.join("shm-bridge"));
        command.arg(side).args(["-k", &ring::KEY.to_string(), topic, zenoh::KEYEXPR]);
        command.args(["--quiet", role, &format!("tcp/{THERE}:{}", zenoh::PORT)]);
        command
    }
}

/// Where it comes from on Debian is not on every user's path.
pub(crate) const NATS_SERVERS: [&str; 2] = ["/usr/sbin/nats-server", "/usr/local/bin/nats-server"];

fn nats_server(host: &Host, folder: &Path) -> Command {
    let there = NATS_SERVERS.into_iter().find(|path| Path::new(path).exists());
    let mut command = host.command(there.unwrap_or("nats-server"));
    command.args(["-js", "-a", HERE, "-p", &nats::PORT.to_string()]).arg("-sd").arg(folder);
    command.stderr(Stdio::null());
    command
}

/// A program that is killed when this is dropped, and that talks in lines.
struct Program {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    name: String,
}

impl Program {
    fn start(mut command: Command) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (to, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = to.send(line);
            }
        });
        Ok(Self { child, input, lines, name })
    }

    fn say(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.input, "{line}").map_err(|error| format!("{}: {error}", self.name))
    }

    fn hear(&self, until: Instant) -> Result<String, String> {
        loop {
            match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("{} has ended", self.name)),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if stopped().load(Ordering::Relaxed) {
                return Err("interrupted".into());
            }
            if Instant::now() > until {
                return Err(format!("{} says nothing within {LIMIT:?}", self.name));
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
