//! What `/proc` tells everybody of System V objects, and of who has them: proc(5),
//! `/proc/sysvipc` and `/proc/PID/maps`.

pub(crate) use crate::backend::sysv::kernel::rows::{Life, SegmentRow, SetRow};
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A table with a heading: its rows, each by column name.
fn table(text: &str) -> impl Iterator<Item = HashMap<&str, &str>> {
    let mut lines = text.lines();
    let heading: Vec<_> = lines.next().unwrap_or("").split_whitespace().collect();
    lines.map(move |line| heading.iter().copied().zip(line.split_whitespace()).collect())
}

fn number<T: std::str::FromStr>(row: &HashMap<&str, &str>, column: &str) -> Option<T> {
    row.get(column)?.parse().ok()
}

/// A key is printed as a signed number.
fn key(row: &HashMap<&str, &str>) -> Option<u32> {
    number::<i32>(row, "key").map(i32::cast_unsigned)
}

fn mode(row: &HashMap<&str, &str>) -> Option<u32> {
    u32::from_str_radix(row.get("perms")?, 8).ok()
}

/// All segments of this IPC namespace.
pub(crate) fn segments() -> io::Result<Vec<SegmentRow>> {
    let row = |row: HashMap<&str, &str>| {
        Some(SegmentRow {
            key: key(&row)?,
            id: number(&row, "shmid")?,
            mode: mode(&row)?,
            size: number(&row, "size")?,
            creator_pid: number(&row, "cpid")?,
            attached: number(&row, "nattch")?,
            uid: number(&row, "uid")?,
            creator_uid: number(&row, "cuid")?,
        })
    };
    Ok(table(&std::fs::read_to_string("/proc/sysvipc/shm")?).filter_map(row).collect())
}

/// The segment at a key, also to those who may not look at it.
pub(crate) fn segment_at(key: u32) -> io::Result<Option<SegmentRow>> {
    Ok(segments()?.into_iter().find(|row| row.key == key && !row.is_removed()))
}

/// Whether anybody has attached the segment with this id since it was made: else it is all zero.
pub(crate) fn was_attached(id: i32) -> io::Result<bool> {
    let text = std::fs::read_to_string("/proc/sysvipc/shm")?;
    let row = table(&text).find(|row| number(row, "shmid") == Some(id));
    Ok(row.and_then(|row| number(&row, "atime")) != Some(0_u64))
}

/// All semaphore sets of this IPC namespace.
pub(crate) fn sets() -> io::Result<Vec<SetRow>> {
    let row = |row: HashMap<&str, &str>| {
        Some(SetRow {
            key: key(&row)?,
            mode: mode(&row)?,
            semaphores: number(&row, "nsems")?,
            uid: number(&row, "uid")?,
        })
    };
    Ok(table(&std::fs::read_to_string("/proc/sysvipc/sem")?).filter_map(row).collect())
}

/// Looks at the process with this pid; 0: of another pid namespace.
pub(crate) fn life(pid: u32) -> Life {
    let Some(signed) = i32::try_from(pid).ok().filter(|pid| *pid != 0) else { return Life::Hidden };
    if nix::sys::signal::kill(nix::unistd::Pid::from_raw(signed), None) == Err(nix::errno::Errno::ESRCH) {
        return Life::Over;
    }
    let read = |file: &str| text(format!("/proc/{pid}/{file}"));
    let Ok(stat) = read("stat") else { return Life::Hidden };
    match life_in(&stat) {
        Life::Goes | Life::Stopped if is_killed(&read("status").unwrap_or_default()) => Life::Ending,
        life => life,
    }
}

/// By `/proc/PID/stat`; a zombie is ending, and one with `PF_EXITING`.
fn life_in(stat: &str) -> Life {
    const EXITING: u32 = 0x4;
    // Behind the name, which is in parentheses and can hold anything.
    let mut words = stat.rsplit(") ").next().unwrap_or("").split_whitespace();
    let state = words.next().unwrap_or("");
    let flags = words.nth(5).and_then(|flags| flags.parse::<u32>().ok()).unwrap_or(0);
    match state {
        "Z" | "X" => Life::Ending,
        _ if flags & EXITING != 0 => Life::Ending,
        "T" | "t" => Life::Stopped,
        _ => Life::Goes,
    }
}

/// By `/proc/PID/status`: SIGKILL waits for it, so it runs no more of its program.
fn is_killed(status: &str) -> bool {
    let pending = status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    let mut masks = pending.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    masks.any(|mask| mask & 1 << (libc::SIGKILL - 1) != 0)
}

/// A file with a name in it that somebody gave, in whatever encoding: what is no UTF-8 is replaced.
pub(crate) fn text(file: impl AsRef<Path>) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
}

/// Whether `/proc` does not show other users' processes: process 1 is always there.
pub(crate) fn hides_others() -> bool {
    Path::new("/proc/self").exists() && !Path::new("/proc/1").exists()
}

/// A process that has a segment attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    /// How often it has it attached.
    pub(crate) times: usize,
    /// Whether it can write through any of these.
    pub(crate) writes: bool,
}

/// The processes that are seen to have the segment with this id and key attached (key 0: removed, so that its
/// key is not known any more), and how many processes there are into which we may not look.
pub(crate) fn attached(id: i32, key: u32) -> io::Result<(Vec<Attached>, usize)> {
    let (mut found, mut hidden) = (Vec::new(), 0);
    // Another IPC namespace has segments with the same ids.
    let namespace = std::fs::read_link("/proc/self/ns/ipc").ok();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let maps = match text(entry.path().join("maps")) {
            Ok(maps) => maps,
            // A process that has ended meanwhile has nothing attached.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                hidden += 1;
                continue;
            }
            Err(_) => continue,
        };
        let (times, writes) = attachments(&maps, id, key);
        let theirs = || std::fs::read_link(entry.path().join("ns/ipc")).ok();
        // (A process that did `unshare` keeps what it had attached: no more than a rarity that is missed.)
        if times > 0 && theirs().zip(namespace.as_ref()).is_none_or(|(theirs, ours)| theirs == *ours) {
            let uid = entry.metadata().map_or(u32::MAX, |meta| meta.uid());
            found.push(Attached { pid, uid, times, writes });
        }
    }
    found.sort_by_key(|process| process.pid);
    Ok((found, hidden))
}

/// How often a process with these maps has the segment attached, and whether for writing: the inode
/// of such a mapping is the segment's id, its name `/SYSV` and the key.
fn attachments(maps: &str, id: i32, key: u32) -> (usize, bool) {
    let named = format!("/SYSV{key:08x}");
    let (mut times, mut writes) = (0, false);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(_), Some(access), Some(offset), Some(_), Some(inode), Some(name)) =
            (words.next(), words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let is_named = if key == 0 { name.starts_with("/SYSV") } else { name == named };
        if is_named && inode.parse() == Ok(id) {
            // One that was protected in part shows as several, of which one begins at 0.
            times += usize::from(offset.bytes().all(|digit| digit == b'0'));
            writes |= access.contains('w');
        }
    }
    (times, writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_an_attachment_if_its_inode_is_the_id() {
        let maps = "\
7f0000000000-7f0000001000 rw-s 00000000 00:01 32768                      /SYSV000004d2 (deleted)
7f0000002000-7f0000003000 r--s 00000000 00:01 32768                      /SYSV000004d2 (deleted)
7f0000004000-7f0000005000 rw-s 00000000 00:01 7                          /SYSV00000007 (deleted)
7f0000006000-7f0000007000 rw-p 00000000 08:01 32768                      /usr/lib/libc.so.6
7f0000008000-7f0000009000 rw-p 00000000 00:00 0
";
        assert_eq!([32768, 7, 1].map(|id| attachments(maps, id, 0)), [(2, true), (1, true), (0, false)]);
        // The same number in another namespace, at another key.
        assert_eq!([0x4d2, 0x4d3].map(|key| attachments(maps, 32768, key)), [(2, true), (0, false)]);
    }

    #[test]
    fn a_process_that_ends_is_told_from_one_that_goes_on() {
        let stat = |state: &str, flags: u32| format!("7 (a) b) {state} 1 7 7 0 -1 {flags} 100 0 0\n");
        assert_eq!(
            [("S", 0x40_0000), ("S", 0x40_0004), ("Z", 0), ("R", 3), ("T", 0), ("t", 0), ("T", 4)]
                .map(|(state, flags)| life_in(&stat(state, flags))),
            [Life::Goes, Life::Ending, Life::Ending, Life::Goes, Life::Stopped, Life::Stopped, Life::Ending]
        );
        let status = |pending: &str, shared: &str| format!("Name:\ta\nSigPnd:\t{pending}\nShdPnd:\t{shared}\n");
        let (none, kill, term) = ("0000000000000000", "0000000000000100", "0000000000004000");
        assert_eq!(
            [(none, none), (kill, none), (none, kill), (term, term)]
                .map(|(own, shared)| is_killed(&status(own, shared))),
            [false, true, true, false]
        );
        assert_eq!([life(std::process::id()), life(0)], [Life::Goes, Life::Hidden]);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(life(child.id()), Life::Over);
    }

    #[test]
    fn a_table_is_read_by_its_heading() {
        let text = "  key shmid perms\n -5  12  1600\n";
        let row = table(text).next().unwrap();
        assert_eq!((key(&row), number::<i32>(&row, "shmid"), mode(&row)), (Some(0xFFFF_FFFB), Some(12), Some(0o1600)));
        assert_eq!(number::<usize>(&row, "size"), None);
    }
}
