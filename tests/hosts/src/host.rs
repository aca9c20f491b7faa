//! A host: a network namespace and an IPC namespace of its own.

use crate::Unavailable;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

/// A host. What runs on it sees its network and its System V objects alone. It has a loopback device.
#[derive(Debug, Clone)]
pub struct Host {
    spaces: Arc<Spaces>,
}

#[derive(Debug)]
struct Spaces {
    net: OwnedFd,
    ipc: OwnedFd,
}

impl Host {
    /// Makes a host.
    ///
    /// # Errors
    /// This process may make no namespaces, or iproute2 is missing.
    pub fn new() -> Result<Self, Unavailable> {
        // A thread moves into the new namespaces, and the rest of the process stays where it is.
        let made = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC)
                    .map_err(|errno| Unavailable(format!("no namespaces can be made here: {errno}")))?;
                let open = |name: &str| {
                    File::open(format!("/proc/thread-self/ns/{name}"))
                        .map_err(|error| Unavailable(format!("/proc/thread-self/ns/{name}: {error}")))
                };
                Ok(Spaces { net: open("net")?.into(), ipc: open("ipc")?.into() })
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let host = Self { spaces: Arc::new(made?) };
        host.ip("link set lo up")?;
        Ok(host)
    }

    /// Runs `work` on a thread that lives on this host.
    ///
    /// # Panics
    /// As `work` does.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.spaces.enter().expect("the namespaces are open");
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A command for a program on this host, which dies with the thread that starts it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let (mut command, spaces) = (Command::new(program), Arc::clone(&self.spaces));
        let enter = move || {
            set_pdeathsig(Signal::SIGKILL)?;
            spaces.enter()
        };
        // SAFETY: the closure runs between fork and exec, and makes three system calls there; it allocates nothing.
        unsafe { command.pre_exec(enter) };
        command
    }

    /// Runs `ip` with these arguments here.
    ///
    /// # Errors
    /// iproute2 is missing, or refuses.
    pub fn ip(&self, arguments: &str) -> Result<(), Unavailable> {
        let ran = self.command("ip").args(arguments.split_whitespace()).output();
        let output = ran.map_err(|error| Unavailable(format!("ip (iproute2) can't be run: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        Err(Unavailable(format!("`ip {arguments}`: {}", String::from_utf8_lossy(&output.stderr).trim())))
    }

    /// Plugs a cable between two hosts: a pair of veth devices named `device` on both, with these addresses.
    ///
    /// # Errors
    /// As [`ip`](Self::ip).
    pub fn cable(&self, device: &str, address: &str, other: &Self, address_there: &str) -> Result<(), Unavailable> {
        // `ip` takes a path for the name of a namespace, and ours is one of this process.
        let there = format!("/proc/{}/fd/{}", std::process::id(), other.spaces.net.as_raw_fd());
        self.ip(&format!("link add name {device} type veth peer name {device} netns {there}"))?;
        for (host, address) in [(self, address), (other, address_there)] {
            host.ip(&format!("address add {address}/24 dev {device}"))?;
            host.ip(&format!("link set {device} up"))?;
        }
        Ok(())
    }
}

impl Spaces {
    /// Moves the calling thread here.
    fn enter(&self) -> std::io::Result<()> {
        setns(self.net.as_fd(), CloneFlags::CLONE_NEWNET)?;
        setns(self.ipc.as_fd(), CloneFlags::CLONE_NEWIPC)?;
        Ok(())
    }
}
