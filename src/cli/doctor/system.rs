//! What of the machine matters to every channel.

use super::finding::Finding;
use crate::backend::memory::offsets::ring;
use crate::backend::sysv::{Key, MOST_STEPS, SEMAPHORES, features, proc};
use crate::cli::args::{ReadArgs, WriteArgs};
use crate::error::plural;
use clap::Parser;
use nix::errno::Errno;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub(super) fn look(key: Key) -> Vec<Finding> {
    let mut findings = kernel();
    findings.extend(limits());
    findings.push(last_attachment());
    findings.push(removal());
    findings.extend(namespace(key));
    findings
}

fn kernel() -> Vec<Finding> {
    let needed = |what: &str, tried: Result<(), Errno>| match tried {
        Ok(()) => Finding::ok("kernel", format!("{what} work")),
        Err(errno) => Finding::problem(
            "kernel",
            format!("{what} are not available: {} ({errno:?}); a limit or a sandbox forbids them", errno.desc()),
            Some("ipcs -l; grep Seccomp /proc/self/status".to_owned()),
        ),
    };
    let mut findings = vec![
        needed("segments", features::segments()),
        needed("semaphores with SEM_UNDO", features::seats()),
        needed("futexes", features::futex()),
    ];
    findings.push(if features::membarrier() {
        Finding::ok("kernel", "membarrier works: a send in a ring needs no fence")
    } else {
        Finding::note(
            "kernel",
            "no membarrier (before Linux 4.16, or forbidden): a send in a ring has a fence, some 10 ns",
        )
    });
    findings
}

fn number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// How many segments, and how many semaphore sets, a kernel allows that was started without `ipcmni_extend`.
const IPCMNI: u64 = 32_768;

/// What a limit that has to hold so many can be raised to; `None`: it is as high as it can be.
fn raised(name: &str, most: u64, needed: u64) -> Option<u64> {
    let ceiling = if name.contains("MNI") { IPCMNI } else { u64::MAX };
    Some(most.max(needed).saturating_mul(2).min(ceiling)).filter(|raised| *raised > most && *raised >= needed)
}

fn limits() -> Vec<Finding> {
    let (segments, sets) = match (proc::segments(), proc::sets()) {
        (Ok(segments), Ok(sets)) => (segments, sets),
        (Err(error), _) | (_, Err(error)) => {
            let what = format!("their use is unknown: /proc/sysvipc can't be read ({error})");
            return vec![Finding::note("limits", what)];
        }
    };
    let sem = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap_or_default();
    let sem: Vec<u64> = sem.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let pages: u64 = segments.iter().map(|row| row.size.div_ceil(4096) as u64).sum();
    let semaphores: u64 = sets.iter().map(|row| row.semaphores as u64).sum();
    let mut findings = Vec::new();
    let mut check = |name: &str, used: u64, most: Option<u64>, needed: u64, more: &dyn Fn(u64) -> String| {
        let Some(most) = most else {
            let what = format!("{name}: the limit is unknown, because /proc/sys/kernel can't be read");
            return findings.push(Finding::note("limits", what));
        };
        let way = raised(name, most, used + needed).map_or_else(|| "shm-handoff ls --all".to_owned(), more);
        if most.saturating_sub(used) < needed {
            let what = format!("{name}: {used} of {most} used, and a channel takes {needed} more");
            findings.push(Finding::problem("limits", what, Some(way)));
        } else if used > most / 10 * 9 {
            findings.push(Finding::note("limits", format!("{name}: {used} of {most} used")).with(way));
        }
    };
    let sysctl = |name: &'static str| move |value: u64| format!("sudo sysctl -w kernel.{name}={value}");
    check("segments (SHMMNI)", segments.len() as u64, number("/proc/sys/kernel/shmmni"), 1, &sysctl("shmmni"));
    let default = ring::size(ring::DEFAULT) as u64;
    check("bytes of a segment (SHMMAX)", 0, number("/proc/sys/kernel/shmmax"), default, &sysctl("shmmax"));
    check("pages of segments (SHMALL)", pages, number("/proc/sys/kernel/shmall"), default / 4096, &sysctl("shmall"));
    // semmsl, semmns, semopm, semmni; written all at once.
    let with = |at: usize| {
        let sem = sem.clone();
        move |value: u64| {
            let mut sem = sem.clone();
            sem[at] = value;
            let all: Vec<_> = sem.iter().map(u64::to_string).collect();
            format!("sudo sysctl -w kernel.sem=\"{}\"", all.join(" "))
        }
    };
    check("semaphores of a set (SEMMSL)", 0, sem.first().copied(), SEMAPHORES.into(), &with(0));
    check("semaphores (SEMMNS)", semaphores, sem.get(1).copied(), SEMAPHORES.into(), &with(1));
    check("operations at once (SEMOPM)", 0, sem.get(2).copied(), MOST_STEPS as u64, &with(2));
    check("semaphore sets (SEMMNI)", sets.len() as u64, sem.get(3).copied(), 1, &with(3));
    if findings.is_empty() {
        findings.push(Finding::ok(
            "limits",
            format!(
                "{} segment{} and {} semaphore set{}: far from theirs",
                segments.len(),
                plural(segments.len()),
                sets.len(),
                plural(sets.len())
            ),
        ));
    }
    findings
}

/// A setting that some containers have.
fn last_attachment() -> Finding {
    if let Err(error) = std::fs::read(features::LAST_ATTACHMENT) {
        let what = format!(
            "it is unknown whether memory outlives its last attachment: {}: {error}",
            features::LAST_ATTACHMENT
        );
        return Finding::note("removal", what);
    }
    if !features::removes_unattached() {
        return Finding::ok("removal", "the kernel keeps segments without attachments");
    }
    Finding::problem(
        "removal",
        "the kernel removes a segment with its last attachment (kernel.shm_rmid_forced=1): a writer waits until \
         its messages are received, and what a process that is killed leaves unread can be lost",
        Some("sudo sysctl -w kernel.shm_rmid_forced=0".to_owned()),
    )
}

/// systemd-logind, unless told otherwise, removes what a user who has logged out for good has left.
fn removal() -> Finding {
    if !Path::new("/run/systemd/system").is_dir() {
        return Finding::ok("removal", "no systemd here that could remove segments at a logout");
    }
    let me = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    let (uid, name) = me.map_or((0, String::new()), |user| (user.uid.as_raw(), user.name));
    if uid < 1000 {
        return Finding::ok("removal", "systemd-logind leaves the segments of system users alone");
    }
    if Path::new("/var/lib/systemd/linger").join(&name).exists() {
        return Finding::ok("removal", format!("{name} lingers: systemd-logind leaves its segments alone"));
    }
    let texts: Vec<_> = logind_files().iter().filter_map(|file| proc::text(file).ok()).collect();
    if !removes_ipc(&texts) {
        return Finding::ok("removal", "systemd-logind is told to leave segments alone (RemoveIPC=no)");
    }
    Finding::problem(
        "removal",
        format!("systemd-logind removes all segments of {name} when the last session of {name} ends (RemoveIPC)"),
        Some(format!("sudo loginctl enable-linger {name}")),
    )
}

/// In the order in which they count, later ones more: logind.conf(5).
fn logind_files() -> Vec<PathBuf> {
    let mut drop_ins: Vec<PathBuf> = ["/usr/lib", "/usr/local/lib", "/run", "/etc"]
        .iter()
        .filter_map(|root| std::fs::read_dir(format!("{root}/systemd/logind.conf.d")).ok())
        .flat_map(|files| files.filter_map(|file| file.ok().map(|file| file.path())))
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    drop_ins.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    let mut files = vec!["/usr/lib/systemd/logind.conf".into(), "/etc/systemd/logind.conf".into()];
    files.append(&mut drop_ins);
    files
}

/// What the last word on `RemoveIPC` is; without any it is yes.
fn removes_ipc(texts: &[String]) -> bool {
    let mut said = texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.trim().strip_prefix("RemoveIPC="));
    said.next_back()
        .is_none_or(|value| !matches!(value.trim().to_ascii_lowercase().as_str(), "no" | "false" | "off" | "0"))
}

fn namespace_of(pid: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/ipc")).ok()
}

fn namespace(key: Key) -> Vec<Finding> {
    let Some(own) = namespace_of("self") else {
        return vec![Finding::note("namespace", "the IPC namespace is unknown: /proc/self/ns/ipc can't be read")];
    };
    let mut findings = vec![match namespace_of("1") {
        Some(first) if first != own => Finding::note(
            "namespace",
            format!("an IPC namespace of its own ({}): only peers in it are met", own.display()),
        ),
        Some(_) => Finding::ok("namespace", format!("that of process 1 ({})", own.display())),
        None => Finding::ok(
            "namespace",
            format!("{} (it is unknown whether process 1 shares it: /proc/1/ns/ipc may not be read)", own.display()),
        ),
    }];
    if proc::hides_others() {
        let what = "processes of other users are hidden (hidepid): a peer of theirs in another namespace is not seen";
        findings.push(Finding::note("namespace", what));
    }
    for (pid, program) in peers_elsewhere(key, &own) {
        let what = format!("pid {pid} {program} is at {key} in another IPC namespace, and is not met here");
        findings.push(Finding::problem(
            "namespace",
            what,
            Some(format!("sudo nsenter --ipc --target {pid} shm-handoff stat {}", key.number())),
        ));
    }
    findings
}

/// `shmread` and `shmwrite` at this key in other IPC namespaces, by their command lines.
fn peers_elsewhere(key: Key, own: &Path) -> Vec<(u32, &'static str)> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<_> = processes
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let pid = name.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let words: Vec<OsString> =
                line.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
            let words = words.split_last()?.1;
            let program = Path::new(words.first()?).file_name()?;
            let (program, spec) = if program == "shmread" {
                ("shmread", ReadArgs::try_parse_from(words).ok()?.common.key)
            } else if program == "shmwrite" {
                ("shmwrite", WriteArgs::try_parse_from(words).ok()?.common.key)
            } else {
                return None;
            };
            (spec.resolve().ok()? == key && namespace_of(&name)? != own).then_some((pid, program))
        })
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_removal_counts() {
        let says = |texts: &[&str]| removes_ipc(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert!(says(&[]) && says(&["[Login]\n#RemoveIPC=no\n"]));
        assert!(!says(&["[Login]\nRemoveIPC=no\n"]) && !says(&["RemoveIPC=yes", " RemoveIPC=Off \n"]));
        assert!(says(&["RemoveIPC=no", "RemoveIPC=yes"]));
    }

    #[test]
    fn a_limit_is_raised_to_what_the_kernel_takes() {
        assert_eq!(raised("semaphore sets (SEMMNI)", 32_000, 29_501), Some(32_768));
        assert_eq!(raised("segments (SHMMNI)", 32_768, 32_769), None);
        assert_eq!(raised("segments (SHMMNI)", 4096, 4097), Some(8194));
        assert_eq!(raised("pages of segments (SHMALL)", 100, 513), Some(1026));
    }
}
