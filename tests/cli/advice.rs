//! What doctor, `rm` and the hints say to do, done in the state in which they say it: it ends, nobody is
//! harmed by it, and it helps.
//!
//! | said by | state | advice |
//! | --- | --- | --- |
//! | doctor `key` | no channel, or a broken one; nobody attached / somebody | `rm --force` / `who` |
//! | doctor `key` | own segments of other modes | `rm`, `rm --force` |
//! | doctor `key` | a foreign set, ours / another user's | `ipcrm -S` / none |
//! | doctor `key` | another user's channel | none |
//! | doctor `stale` | empty, full, ended, without a segment | `rm`, `shmread --count` |
//! | doctor `modes` | unused, full, in use | `rm`, `shmread --count`, `who` |
//! | doctor `stopped`, `orphans`, `namespace`, `limits` | each | `kill -CONT`, `who --id`, `nsenter`, `sysctl` |
//! | exit 4 | no channel, another layout | as doctor |
//! | exit 4 | a foreign set | `ipcrm -S` |
//! | exit 1 | own segments of other modes; a limit | as doctor; `sysctl` |
//! | exit 124 | nobody came | `doctor` |
//! | `rm` | in use, full | `who`, `shmread --count` |
//!
//! Not here: what needs systemd (`removal`) or a kernel without System V objects (`kernel`).

use crate::support::{
    Channel, Ended, Run, SHM_HANDOFF, SHMREAD, SHMWRITE, eventually, for_everybody, ipc, is_root, skipped,
};
use serde_json::Value;
use shm_handoff::Role;
use shm_handoff::backend::memory::offsets::ring;
use shm_handoff::backend::sysv::{Observer, Segment};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// `nobody`, or any user that is not root.
const STRANGER: u32 = 65534;

const RELAXED: std::sync::atomic::Ordering = std::sync::atomic::Ordering::Relaxed;

/// A user that is refused things: `nobody`, played by root, or else this user; and where the programs are.
struct Somebody {
    user: Option<u32>,
    programs: tempfile::TempDir,
}

impl Somebody {
    /// As this user.
    fn me() -> Self {
        let programs = for_everybody(&[SHM_HANDOFF, SHMREAD, SHMWRITE].map(Path::new));
        // Root needs none.
        let sudo = programs.path().join("sudo");
        std::fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n").unwrap();
        std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { user: None, programs }
    }

    /// As one that is not root.
    fn ordinary() -> Self {
        Self { user: is_root().then_some(STRANGER), ..Self::me() }
    }

    fn run(&self, command: &str) -> Run {
        let mut shell = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        shell.args(["-c", command]).env("PATH", format!("{}:{path}", self.programs.path().display()));
        if let Some(user) = self.user {
            shell.uid(user).gid(user);
        }
        Run::new(shell)
    }

    /// Follows an advice.
    #[track_caller]
    fn follow(&self, advice: &str) -> Ended {
        let ended = self.run(advice).end();
        ended.code(0);
        ended
    }

    /// What doctor finds about this channel in a check: level, and what to do.
    #[track_caller]
    fn diagnose(&self, channel: &Channel, check: &str) -> (String, Option<String>) {
        let key = channel.key().number();
        let this = format!("key {key} ");
        let look = || {
            let ended = self.run(&format!("shm-handoff doctor --json {key}")).end();
            let report: Value =
                serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended}"));
            let findings = report["findings"].as_array().unwrap();
            let is_it =
                |finding: &&Value| finding["check"] == check && finding["what"].as_str().unwrap().contains(&this);
            findings.iter().find(is_it).cloned()
        };
        // What is not unused just now is not found: another test's `ls` can be there without a mark.
        let found = eventually("a finding", look);
        (found["level"].as_str().unwrap().to_owned(), found["command"].as_str().map(str::to_owned))
    }

    /// As [`diagnose`](Self::diagnose): this advice.
    #[track_caller]
    fn is_advised(&self, channel: &Channel, (check, level): (&str, &str), advice: &str) {
        let expected = (level.to_owned(), Some(with_key(channel, advice)));
        assert_eq!(self.diagnose(channel, check), expected, "{check}");
    }

    /// As [`is_advised`](Self::is_advised), in the end. Where there are no seats a tool that looks can't mark
    /// itself, so another test's `ls` is taken for somebody who uses what is there.
    #[track_caller]
    fn is_soon_advised(&self, channel: &Channel, (check, level): (&str, &str), advice: &str) {
        let expected = (level.to_owned(), Some(with_key(channel, advice)));
        let mut last = None;
        let started = std::time::Instant::now();
        while last.as_ref() != Some(&expected) {
            assert!(started.elapsed() < crate::support::DEADLINE, "{check}: {last:?} instead of {expected:?}");
            last = Some(self.diagnose(channel, check));
        }
    }
}

/// The command behind the last colon of a hint.
#[track_caller]
fn hint(ended: &Ended) -> String {
    let hint = ended.stderr.lines().find_map(|line| line.trim().strip_prefix("hint: "));
    let hint = hint.unwrap_or_else(|| panic!("no hint\n{ended}"));
    hint.rsplit_once(": ").unwrap_or_else(|| panic!("no command in {hint:?}")).1.to_owned()
}

fn with_key(channel: &Channel, command: &str) -> String {
    command.replace("KEY", &channel.key().number().to_string())
}

/// Both programs give this advice.
#[track_caller]
fn both_advise(runs: impl Fn() -> [Run; 2], code: i32, advice: &str) {
    for run in runs() {
        assert_eq!(hint(run.end().code(code)), advice);
    }
}

/// As [`both_advise`], in the end, where there are no seats.
#[track_caller]
fn both_soon_advise(runs: impl Fn() -> [Run; 2], code: i32, advice: &str) {
    eventually(advice, || runs().into_iter().all(|run| hint(run.end().code(code)) == advice).then_some(()));
}

/// Nobody can follow advice that would be refused, or harm whoever is attached.
#[test]
fn what_is_no_channel_is_removed_unless_somebody_has_it() {
    let me = Somebody::me();
    for size in [1028, 5000, ring::size(64 << 10)] {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), size, 0o600).unwrap());
        let held = ipc::Attached::at(channel.key().number()).unwrap();
        // A ring that is all zero would be one whose maker died.
        held.words()[9].store(7, RELAXED);
        let who = with_key(&channel, "shm-handoff who KEY");
        me.is_soon_advised(&channel, ("key", "problem"), &who);
        let each = || [channel.reader([""; 0]), channel.writer(["x"])];
        both_soon_advise(each, 4, &who);
        assert!(String::from_utf8_lossy(&me.follow(&who).stdout).contains(&std::process::id().to_string()));
        assert!(channel.attached() >= 1, "nobody was harmed");
        drop(held);
        let rm = with_key(&channel, "shm-handoff rm --force KEY");
        // What may be another struct's is looked at first: a message can lie in it.
        let look = with_key(&channel, "shm-handoff stat --layout 'text[1024]' KEY");
        let is_like_a_struct = size == 1028;
        me.is_soon_advised(&channel, ("key", "problem"), if is_like_a_struct { &look } else { &rm });
        if is_like_a_struct {
            me.follow(&look);
            assert!(channel.stat().is_some(), "a look removes nothing");
        }
        both_soon_advise(each, 4, &rm);
        me.follow(&rm);
        channel.assert_nothing_left();
    }
}

#[test]
fn a_corrupt_ring_is_removed_unless_somebody_has_it() {
    let me = Somebody::me();
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one"]).end().code(0);
    let held = ipc::Attached::at(channel.key().number()).unwrap();
    held.words()[ring::RECORDS_AT / 4].store(u32::MAX - 7, RELAXED);
    me.is_soon_advised(&channel, ("key", "problem"), "shm-handoff who KEY");
    me.follow(&with_key(&channel, "shm-handoff who KEY"));
    drop(held);
    me.is_soon_advised(&channel, ("key", "problem"), "shm-handoff rm --force KEY");
    me.is_soon_advised(&channel, ("stale", "note"), "shm-handoff rm --force KEY");
    me.follow(&with_key(&channel, "shm-handoff rm --force KEY"));
    channel.assert_nothing_left();
}

/// Programs that leave the mode out, and modes that keep their owner out.
#[test]
fn own_segments_of_other_modes_can_be_removed() {
    let somebody = Somebody::ordinary();
    for mode in [0, 0o060, 0o006, 0o200, 0o400, 0o444, 0o040] {
        for size in [2052, 5000, ring::size(64 << 10)] {
            let case = format!("mode {mode:03o}, {size} bytes");
            let channel = Channel::new();
            let make = || ipc::make_segment_as(somebody.user, channel.key().number(), size, mode);
            make();
            let removes = |advice: &str| advice.starts_with("shm-handoff rm ");
            // Where it may be read, it is a seat that can't be had.
            eventually(&case, || {
                let ended = somebody.run(&with_key(&channel, "shmread -k KEY")).end();
                assert!(matches!(ended.status.code(), Some(1 | 4)), "{case}: {ended}");
                (mode & 0o400 != 0 || removes(&hint(&ended))).then_some(())
            });
            channel.remove_seats();
            eventually(&case, || {
                let (level, advice) = somebody.diagnose(&channel, "key");
                assert_eq!(level, "problem", "{case}");
                let advice = advice.filter(|advice| removes(advice))?;
                // It takes force once somebody has been in it, and tests that root runs look into everything.
                somebody.run(&advice).end().status.success().then_some(())
            });
            channel.assert_nothing_left();
            // What ipcrm can remove, rm can.
            make();
            somebody.follow(&with_key(&channel, "shm-handoff rm --dry-run --force KEY"));
            assert!(ipc::find_segment(channel.key().number()).is_some(), "{case}");
            somebody.follow(&with_key(&channel, "shm-handoff rm --force KEY"));
            channel.assert_nothing_left();
        }
    }
}

/// It is all zero, so nothing is lost. In a namespace of its own: a test that is run by root could look into it.
#[test]
fn an_unreadable_slot_that_was_never_used_needs_no_force() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let me = Somebody::me();
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    let script = "ipcmk -M 2052 -p 0 >&2 || exit 77; key=$(shm-handoff ls --no-headings -o key); \
                  shm-handoff doctor $key | sed -n \"s/^ *\\$ //p\"; shm-handoff rm $key";
    let ended = me.run(&format!("unshare --ipc {nobody} sh -c '{script}'")).end();
    if ended.status.code() == Some(77) || ended.stderr.starts_with("unshare:") {
        return skipped(&ended.stderr);
    }
    let shown = String::from_utf8_lossy(&ended.code(0).stdout).into_owned();
    assert!(shown.starts_with("shm-handoff rm ") && !shown.contains("--force"), "{ended}");
    assert!(shown.contains("removed segment") && shown.contains("(2052 bytes, mode 000)"), "{ended}");
}

/// Who may not read it can't tell whether a message lies there: it goes by force alone.
#[test]
fn an_unreadable_segment_that_was_used_is_removed_by_force_alone() {
    if !is_root() {
        return skipped("only root gets into such a segment");
    }
    let somebody = Somebody::ordinary();
    let channel = Channel::new();
    ipc::make_segment_as(somebody.user, channel.key().number(), 2052, 0o200);
    let held = ipc::Attached::at(channel.key().number()).unwrap();
    held.words()[0].store(1, RELAXED);
    somebody.is_soon_advised(&channel, ("key", "problem"), "shm-handoff who KEY");
    somebody.run(&with_key(&channel, "shm-handoff rm --force KEY")).end().code(1).says(&["in use: 1 attachment"]);
    drop(held);
    let refused = somebody.run(&with_key(&channel, "shm-handoff rm KEY")).end();
    refused.code(1).says(&["mode 200", "whether messages lie in it", "--force"]);
    somebody.is_soon_advised(&channel, ("key", "problem"), "shm-handoff rm --force KEY");
    somebody.follow(&with_key(&channel, "shm-handoff rm --force KEY"));
    channel.assert_nothing_left();
}

#[test]
fn a_foreign_set_is_removed_by_whoever_may() {
    let me = Somebody::me();
    let channel = Channel::new();
    let seats = channel.key().seats();
    let make = || ipc::set_value(ipc::make_set(seats, 5), 0, 7);
    make();
    let (level, advice) = me.diagnose(&channel, "key");
    assert_eq!(level, "problem");
    me.follow(&advice.unwrap());
    assert!(ipc::find_set(seats).is_none());
    make();
    let advice = hint(channel.reader([""; 0]).end().code(4));
    me.follow(&advice);
    channel.reader(["--timeout=1ms"]).end().code(124);
    if is_root() {
        // Root's: nobody else can do anything about it.
        let channel = Channel::new();
        ipc::set_value(ipc::make_set(channel.key().seats(), 5), 0, 7);
        assert_eq!(Somebody::ordinary().diagnose(&channel, "key"), ("problem".to_owned(), None));
    }
}

/// One of version 1 that nobody uses is no obstacle; who uses it can be looked at.
#[test]
fn a_set_of_another_version_is_shown_with_whoever_uses_it() {
    let me = Somebody::me();
    let channel = Channel::new();
    let id = ipc::make_set(channel.key().seats(), 5);
    ipc::set_value(id, 0, 0x5368);
    assert_eq!(me.diagnose(&channel, "key"), ("note".to_owned(), None));
    assert!(ipc::change(id, &[(2, 1)], true), "a writer");
    let advice = format!("ps -p {}", std::process::id());
    me.is_advised(&channel, ("key", "problem"), &advice);
    me.follow(&advice);
    assert!(ipc::change(id, &[(2, -1)], true), "it left");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    channel.assert_nothing_left();
}

/// Also sets that their owner may not read, or not alter.
#[test]
fn own_sets_of_other_modes_are_removed_with_what_they_belong_to() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let somebody = Somebody::ordinary();
    for mode in [0, 0o060, 0o200, 0o400, 0o444] {
        let channel = Channel::new();
        let make = || {
            ipc::make_set_as(STRANGER, channel.key().seats(), 14, mode);
            ipc::set_value(ipc::find_set(channel.key().seats()).unwrap(), 0, 0x5332);
        };
        make();
        somebody.follow(&with_key(&channel, "shm-handoff rm KEY"));
        channel.assert_nothing_left();
        make();
        ipc::make_segment_as(somebody.user, channel.key().number(), 2052, 0o600);
        somebody.follow(&with_key(&channel, "shm-handoff rm KEY"));
        channel.assert_nothing_left();
    }
}

/// Root removes anybody's: there is no option that would have it trust the owner.
#[test]
fn another_user_s_channel_is_root_s_to_remove() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let (somebody, me) = (Somebody::ordinary(), Somebody::me());
    let channel = Channel::new();
    somebody.run(&with_key(&channel, "shmread -k KEY --timeout 1ms")).end().code(124);
    ipc::make_set_as(STRANGER, channel.key().seats(), 14, 0o600);
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    channel.assert_nothing_left();
}

#[test]
fn of_another_user_s_channel_nothing_is_advised_that_takes_its_messages() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let somebody = Somebody::ordinary();
    let channel = Channel::new();
    channel.writer(["--ring=64K", "--mode=666", "one"]).end().code(0);
    assert_eq!(somebody.diagnose(&channel, "key"), ("problem".to_owned(), None));
    let segment = Segment::open(channel.key()).unwrap();
    segment.remove().unwrap();
    // Nor of one that they may not read.
    drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    assert_eq!(somebody.diagnose(&channel, "key"), ("problem".to_owned(), None));
    let ended = somebody.run(&with_key(&channel, "shmread -k KEY")).end();
    ended.code(1).says(&["run as that user"]);
}

/// A channel that idles is well: a health check can go by the exit status.
#[test]
fn what_nobody_is_at_is_no_problem_and_can_be_read_or_removed() {
    let me = Somebody::me();
    let channel = Channel::new();
    channel.seated_reader(&[]).kill();
    me.is_advised(&channel, ("stale", "note"), "shm-handoff rm KEY");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    channel.assert_nothing_left();
    // Seats alone.
    channel.seated_writer(&[]).kill();
    channel.remove_segment();
    me.is_advised(&channel, ("stale", "note"), "shm-handoff rm KEY");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    channel.assert_nothing_left();
    // A ring whose writer was killed: what it has sent, and then the end of the command.
    let mut writer = channel.writer(["--ring=64K"]).open_input().start();
    writer.type_in("one\ntwo\n");
    channel.await_seated(Role::Writer, &mut writer);
    let waiting = || ring_messages(&me, &channel) == 2;
    writer.until("two messages", |_| waiting());
    writer.kill();
    let advice = "shmread -k KEY --count 2";
    me.is_advised(&channel, ("stale", "note"), advice);
    assert_eq!(me.follow(&with_key(&channel, advice)).stdout, b"one\ntwo\n");
    me.is_soon_advised(&channel, ("stale", "note"), "shm-handoff rm KEY");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    // A stream that has ended, and an `end` in a slot.
    channel.writer(["--ring=64K"]).end().code(0);
    me.is_soon_advised(&channel, ("stale", "note"), "shm-handoff rm KEY");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    let mut writer = channel.writer(["end"]).start();
    channel.await_full(&mut writer);
    writer.end().code(0);
    reader.kill();
    me.is_advised(&channel, ("stale", "note"), "shmread -k KEY --count 1");
    me.follow(&with_key(&channel, "shmread -k KEY --count 1"));
    channel.assert_nothing_left();
}

fn ring_messages(me: &Somebody, channel: &Channel) -> u64 {
    let ended = me.run(&with_key(channel, "shm-handoff stat --json KEY")).end();
    let shown: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
    shown["messages"].as_u64().unwrap_or(0)
}

/// In a namespace of its own, where nothing else is.
#[test]
fn doctor_s_exit_status_is_that_of_a_health_check() {
    let me = Somebody::me();
    let script = "shmread -k 77 --timeout 1ms; shm-handoff doctor 77";
    let ended = me.run(&format!("unshare --ipc sh -c '{script}'")).end();
    if ended.stderr.starts_with("unshare:") {
        return skipped(&ended.stderr);
    }
    assert!(String::from_utf8_lossy(&ended.code(0).stdout).contains("$ shm-handoff rm 77"), "{ended}");
}

#[test]
fn an_open_mode_is_mended_when_nobody_is_there() {
    let me = Somebody::me();
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--mode=666"]);
    me.is_advised(&channel, ("modes", "note"), "shm-handoff who KEY");
    me.follow(&with_key(&channel, "shm-handoff who KEY"));
    reader.stop();
    channel.writer(["one"]).end().code(0);
    reader.kill();
    me.is_advised(&channel, ("modes", "note"), "shmread -k KEY --count 1");
    me.follow(&with_key(&channel, "shmread -k KEY --count 1"));
    me.is_soon_advised(&channel, ("modes", "note"), "shm-handoff rm KEY");
    me.follow(&with_key(&channel, "shm-handoff rm KEY"));
    channel.assert_nothing_left();
}

#[test]
fn an_orphan_and_a_stopped_side_are_shown() {
    let me = Somebody::me();
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--count=1"]);
    reader.stop();
    let (level, advice) = me.diagnose(&channel, "stopped");
    assert_eq!(level, "problem");
    // The shell's own `kill`.
    me.follow(&advice.unwrap());
    channel.writer(["hello"]).end().code(0);
    reader.end().code(0).prints("hello\n");
    let id = ipc::find_segment(channel.key().number()).unwrap();
    let held = ipc::Attached::at(channel.key().number()).unwrap();
    channel.remove_segment();
    let report = String::from_utf8(me.run("shm-handoff doctor --json").end().stdout).unwrap();
    let advice = format!("shm-handoff who --id {id}");
    assert!(report.contains(&advice), "{report}");
    let shown = me.follow(&advice).stdout;
    assert!(String::from_utf8_lossy(&shown).contains(&std::process::id().to_string()));
    drop(held);
}

#[test]
fn a_peer_in_another_namespace_can_be_looked_at() {
    let me = Somebody::me();
    let channel = Channel::new();
    let mut elsewhere = Command::new("unshare");
    elsewhere.args(["--ipc", SHMREAD, "-k", &channel.key().number().to_string()]);
    let Ok(mut peer) = Run::new(elsewhere).try_start() else { return skipped("there is no unshare") };
    let mut advice = None;
    peer.until("it is found", |_| {
        let ended = me.run(&with_key(&channel, "shm-handoff doctor --json KEY")).end();
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let found = findings.iter().find(|found| found["check"] == "namespace" && found["level"] == "problem");
        advice = found.map(|found| found["command"].as_str().unwrap().to_owned());
        // Where it has made what it waits at.
        advice.as_ref().is_some_and(|advice| me.run(advice).end().status.success())
    });
    let shown = me.follow(&advice.unwrap()).stdout;
    assert!(String::from_utf8_lossy(&shown).contains(&format!("pid {} shmread", peer.pid())));
}

/// In a namespace of its own, with a limit that is too low.
#[test]
fn a_limit_is_raised_by_what_is_said() {
    if !is_root() {
        return skipped("only root can lower a limit");
    }
    let me = Somebody::me();
    for (file, low) in [("shmmni", "0"), ("shmmax", "2051"), ("shmall", "0"), ("sem", "250 32000 32 0")] {
        // The advice, and then what could not be done before.
        let script = format!(
            "echo {low} >/proc/sys/kernel/{file} || exit 77; shmread -k 77 --timeout 1ms; \
             shm-handoff doctor 77 | sed -n 's/^ *\\$ //p' >\"$1\"; sh -e \"$1\"; \
             shmread -k 77 --ring --timeout 1ms; test $? = 124; shm-handoff doctor 77 | grep limits"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        let ended =
            me.run(&format!("unshare --ipc sh -c '{}' sh {}", script.replace('\'', "'\\''"), file.path().display()));
        let ended = ended.end();
        if ended.status.code() == Some(77) || ended.stderr.starts_with("unshare:") {
            return skipped(&ended.stderr);
        }
        let shown = String::from_utf8_lossy(&ended.code(0).stdout).into_owned();
        assert!(!shown.lines().last().unwrap().contains("problem"), "{ended}");
        // The hint of the failure before it shows the limit.
        me.follow(&hint(&ended));
    }
}

/// With six operations at once everything works but a removal of the seats.
#[test]
fn a_limit_that_only_the_last_step_meets_is_found() {
    if !is_root() {
        return skipped("only root can lower a limit");
    }
    let script = "echo 250 32000 6 128 >/proc/sys/kernel/sem || exit 77; shm-handoff doctor 77";
    let ended = Somebody::me().run(&format!("unshare --ipc sh -c '{script}'")).end();
    if ended.status.code() == Some(77) || ended.stderr.starts_with("unshare:") {
        return skipped(&ended.stderr);
    }
    assert!(String::from_utf8_lossy(&ended.code(1).stdout).contains("(SEMOPM): 0 of 6 used"), "{ended}");
}

/// What `rm` and exit 4 say of another layout.
#[test]
fn what_is_of_another_layout_is_read_or_removed_unless_it_is_in_use() {
    let me = Somebody::me();
    let channel = Channel::new();
    let each = || [channel.reader(["--ring=128K"]), channel.writer(["--ring=128K", "x"])];
    let mut reader = channel.seated_reader(&["--ring=64K", "--count=9"]);
    let who = with_key(&channel, "shm-handoff who KEY");
    both_advise(each, 4, &who);
    me.follow(&who);
    reader.stop();
    channel.writer(["one", "two", "three"]).end().code(0);
    both_advise(each, 4, &who);
    reader.kill();
    let read = with_key(&channel, "shmread -k KEY --count 3");
    both_advise(each, 4, &read);
    let rm = || me.run(&with_key(&channel, "shm-handoff rm KEY"));
    both_advise(|| [rm(), rm()], 1, &read);
    assert_eq!(me.follow(&read).stdout, b"one\ntwo\nthree\n");
    let rm = with_key(&channel, "shm-handoff rm KEY");
    both_soon_advise(each, 4, &rm);
    me.follow(&rm);
    channel.assert_nothing_left();
}

/// A tool that looks uses nothing, and is gone in a moment.
#[test]
fn whoever_looks_is_not_taken_for_a_user() {
    let me = Somebody::me();
    let channel = Channel::new();
    channel.seated_reader(&["--ring=64K"]).kill();
    let observer = Observer::open(channel.key()).unwrap();
    let rm = with_key(&channel, "shm-handoff rm KEY");
    both_advise(|| [channel.reader(["--ring=128K"]), channel.writer(["--ring=128K", "x"])], 4, &rm);
    me.is_advised(&channel, ("stale", "note"), &rm);
    drop(observer);
    me.follow(&rm);
    channel.assert_nothing_left();
}

/// Made by one user and given to another: to that one, too, it is a channel that needs trust.
#[test]
fn what_another_user_has_made_is_read_by_trust() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let somebody = Somebody::ordinary();
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one"]).end().code(0);
    ipc::give_segment(ipc::find_segment(channel.key().number()).unwrap(), STRANGER);
    let read = with_key(&channel, "shmread -k KEY --count 1 --trust-owner");
    let rm = || somebody.run(&with_key(&channel, "shm-handoff rm KEY"));
    both_soon_advise(|| [rm(), rm()], 1, &read);
    assert_eq!(somebody.follow(&read).stdout, b"one\n");
}

#[test]
fn what_rm_says_of_a_bystander_and_a_wait_of_nobody_can_be_done() {
    let me = Somebody::me();
    let channel = Channel::new();
    let guest = channel.c_writer().open_input().start();
    channel.await_attached(1);
    for force in ["", "--force "] {
        let ended = me.run(&with_key(&channel, &format!("shm-handoff rm {force}KEY"))).end();
        let shown = me.follow(&hint(ended.code(1))).stdout;
        assert!(String::from_utf8_lossy(&shown).contains(&guest.pid().to_string()));
    }
    let channel = Channel::new();
    for run in [channel.reader(["--timeout=1ms"]), channel.writer(["--timeout=1ms", "x"])] {
        let ended = me.run(&hint(run.end().code(124))).end();
        assert!(matches!(ended.status.code(), Some(0 | 1)), "{ended}");
    }
}
