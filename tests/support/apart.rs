//! A channel in an IPC namespace of its own.

use super::{Channel, Peer, Run, SHM_HANDOFF, SHMREAD, SHMWRITE, eventually, skipped};
use std::process::Command;

/// The namespace lasts as long as this is there.
pub(crate) struct Apart {
    channel: Channel,
    holder: Peer,
}

impl Apart {
    /// After this command, run by a shell in there; `None`, and a word: it can't be had here.
    pub(crate) fn new(first: &str) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["--ipc", "sh", "-c", &format!("{first} && echo ready && exec cat")]);
        let mut holder = Run::new(command).open_input().start();
        let is_ready = eventually("a namespace, or none", || {
            let is_ready = holder.printed() == b"ready\n";
            (is_ready || holder.has_ended()).then_some(is_ready)
        });
        if !is_ready {
            skipped(&format!("no IPC namespace of our own in which `{first}` can be done: {}", holder.said()));
            return None;
        }
        Some(Self { channel: Channel::new(), holder })
    }

    /// What makes a command that runs a program in there.
    pub(crate) fn entrance(&self) -> impl Fn(&str) -> Command + Sync + use<> {
        let namespace = format!("--ipc=/proc/{}/ns/ipc", self.holder.pid());
        move |program| {
            let mut command = Command::new("nsenter");
            command.args([&namespace, program]);
            command
        }
    }

    /// This program in there; one but `shm-handoff` gets the channel's key.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Run {
        let mut command = self.entrance()(program);
        if program != SHM_HANDOFF {
            command.args(["-k", &self.key()]);
        }
        command.args(args);
        Run::new(command)
    }

    pub(crate) fn key(&self) -> String {
        self.channel.key().number().to_string()
    }

    pub(crate) fn reader(&self, args: &[&str]) -> Run {
        self.run(SHMREAD, args)
    }

    pub(crate) fn writer(&self, args: &[&str]) -> Run {
        self.run(SHMWRITE, args)
    }
}
