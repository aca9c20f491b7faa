//! This program once more, as another process, or as one that does one test alone.

use crate::place::{Layout, Place};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// Set in the other process.
const CHILD: &str = "SHM_HANDOFF_ASYNC_CHILD";

fn this_program(test: &str, what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, what);
    command
}

/// Runs this test once more in a process of its own.
pub(crate) fn alone(test: &str, work: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return work();
    }
    let output = this_program(test, "").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // A name that no test has is no failure to the harness.
    assert!(said.contains("test result: ok. 1 passed;"), "the process for {test} ran no test: {said}");
}

/// A process that holds a seat until it is killed.
pub(crate) struct Peer(Child);

impl Peer {
    /// A writer there, which has sent `hello`.
    pub(crate) fn writer(layout: Layout, place: &Place) -> Self {
        let mut child = this_program("peer::other_process", &format!("{layout:?} {}", place.key()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().ends_with("seated")), "the other process has no seat");
        Self(child)
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test, but what the other process does.
#[test]
fn other_process() {
    let Ok(what) = std::env::var(CHILD) else { return };
    let (layout, key) = what.split_once(' ').unwrap();
    let layout = crate::place::LAYOUTS.into_iter().find(|which| format!("{which:?}") == layout).unwrap();
    let options = Place::at(layout, key.parse().unwrap());
    let mut writer = shm_handoff::Writer::<shm_handoff::backend::sysv::SysV>::open(&options).unwrap();
    println!("seated");
    writer.send(b"00000000").unwrap();
    // Until it is killed, or its parent is gone.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
