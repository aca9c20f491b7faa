//! The two cores, and what machine they are of.

use crate::cli::exit::{Exit, Failure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::Serialize;
use std::fs;
use std::str::FromStr;

/// The core of the near side, and that of the far one.
pub(super) type Cores = [usize; 2];

/// What is asked for by `--cores A,B`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked(Cores);

impl FromStr for Asked {
    type Err = &'static str;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let cores = given.split_once(',').and_then(|(near, far)| Some([near.parse().ok()?, far.parse().ok()?]));
        cores.map(Self).ok_or("two numbers, such as 0,1")
    }
}

/// Those that were asked for, or the first two that this process may use; if there is one
/// only, that one twice.
pub(super) fn choose(asked: Option<Asked>) -> Result<Cores, Failure> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(|errno| Failure::io("sched_getaffinity", errno))?;
    let allowed: Vec<_> = (0..CpuSet::count()).filter(|core| set.is_set(*core) == Ok(true)).collect();
    if let Some(Asked(cores)) = asked {
        if let Some(other) = cores.iter().find(|core| !allowed.contains(core)) {
            let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            return Err(Failure::new(Exit::Usage, format!("this process may not use core {other}"))
                .hint(format!("it may use {}", allowed.join(","))));
        }
        return Ok(cores);
    }
    match allowed[..] {
        [near, far, ..] => Ok([near, far]),
        [only] => Ok([only; 2]),
        [] => Err(Failure::new(Exit::System, "sched_getaffinity names no core").hint("name two: --cores 0,1")),
    }
}

/// Keeps this process on one core.
pub(super) fn pin(core: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|errno| Failure::io(&format!("sched_setaffinity to core {core}"), errno))
}

/// Where figures come from.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) kernel: String,
    pub(super) cores: Cores,
}

impl Machine {
    pub(super) fn of(cores: Cores) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        // Some processors' have no name there.
        let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_owned(),
            kernel: format!("Linux {}", kernel.trim()),
            cores,
        }
    }

    pub(super) fn in_words(&self) -> String {
        let Self { processor, kernel, cores: [near, far] } = self;
        let cores = if near == far { format!("core {near} for both") } else { format!("cores {near} and {far}") };
        format!("{processor}, {cores}, {kernel}")
    }
}
