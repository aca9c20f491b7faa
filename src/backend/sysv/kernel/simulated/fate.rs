//! What a test decides about each call of a process.

use nix::errno::Errno;
use std::sync::Arc;

/// What a test decides about a call before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is made.
    Goes,
    /// The process is killed instead.
    Dies,
    /// It fails with an errno of those that it can [meet](Call::meets).
    Fails(Errno),
    /// A signal ends it if it has to wait.
    Interrupted,
    /// The process stops before it, until other threads have had so many turns.
    Stops(usize),
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// Its name.
    pub name: &'static str,
    /// Of the process that makes it.
    pub pid: u32,
    /// How many the process has made before.
    pub number: usize,
    /// What can happen to it whatever the process did right: limits, and memory that the kernel has not got.
    pub meets: &'static [Errno],
}

pub(super) type Judge = Arc<dyn Fn(Call) -> Fate + Send + Sync>;
