//! The driving simulator: images one way, commands back before the flag is zeroed; each side in C++ and in Python.

use crate::programs::{attached, await_full, compile_simulator, flag, folder, run};
use crate::support::{Channel, Run, ipc};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

pub(crate) const SPEC: &str = "simulator.h,reply=control+pause+steer+throttle+brake";

/// How many images are shown.
pub(crate) const IMAGES: usize = 30;

/// One side's program: what it is written in, and how it is called.
pub(crate) struct Program {
    pub(crate) language: &'static str,
    path: PathBuf,
    before: Vec<String>,
}

/// Those that can be had here; which can't is said once, whether the test passes or not.
pub(crate) fn programs() -> &'static [Program] {
    static PROGRAMS: LazyLock<Vec<Program>> = LazyLock::new(|| {
        let not_checked = |language: &str, why: &str| {
            // Past what captures the output of tests.
            #[allow(clippy::explicit_write)]
            writeln!(std::io::stderr(), "layouts: NOT CHECKED: the simulator in {language}: {why}").unwrap();
        };
        let mut programs = Vec::new();
        match compile_simulator() {
            Ok(path) => programs.push(Program { language: "C++", path, before: Vec::new() }),
            Err(why) => not_checked("C++", &why),
        }
        match python() {
            Ok(path) => {
                let script = folder().join("simulator.py").to_str().expect("the checkout's path is UTF-8").to_owned();
                programs.push(Program { language: "Python", path, before: vec!["-I".to_owned(), script] });
            }
            Err(why) => not_checked("Python", &why),
        }
        programs
    });
    &PROGRAMS
}

/// A Python that has ctypes.
fn python() -> Result<PathBuf, String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("Python has no fences, and this processor would need them".to_owned());
    }
    // Which program it is, without what stands before it: that may start others.
    let asked = Command::new("python3").args(["-I", "-c", "import ctypes, sys; print(sys.executable)"]).output();
    match asked {
        Err(error) => Err(format!("`python3` does not start: {error} (Debian: apt install python3)")),
        Ok(asked) if !asked.status.success() => Err("`python3` has no ctypes".to_owned()),
        Ok(asked) => Ok(Path::new(String::from_utf8_lossy(&asked.stdout).trim()).to_owned()),
    }
}

impl Program {
    /// Either role with its numbers, and what else it is told; not started yet.
    pub(crate) fn run(&self, role: &str, channel: &Channel, args: &[&str]) -> Run {
        let before: Vec<_> = self.before.iter().map(|word| &word[..]).chain([role]).collect();
        run(&self.path, &before, channel, args)
    }

    /// The simulator, which shows images from this one to the last and awaits commands for each; not started yet.
    pub(crate) fn producer(&self, channel: &Channel, first: usize) -> Run {
        self.run("produce", channel, &[&first.to_string(), &IMAGES.to_string()])
    }

    /// What drives: it answers images up to the last one; not started yet.
    pub(crate) fn consumer(&self, channel: &Channel) -> Run {
        self.run("consume", channel, &[&IMAGES.to_string()])
    }

    /// A simulator that has shown four images, and was killed when it had painted half of the fifth.
    pub(crate) fn kill_producer(&self, channel: &Channel) {
        self.kill_producer_with(channel, "stop");
    }

    /// The same; `how` has `stop` in it.
    pub(crate) fn kill_producer_with(&self, channel: &Channel, how: &str) {
        let mut producer = self.run("produce", channel, &["1", "5", how]).start();
        producer.until("half an image", |peer| peer.has_stopped());
        producer.kill().prints(said("answer", 1..=4));
    }

    /// One that drives, has answered four images, and was killed with the fifth in its hands.
    pub(crate) fn kill_consumer(&self, channel: &Channel) {
        let mut consumer = self.run("consume", channel, &["5", "stop"]).start();
        consumer.until("an image without its answer", |peer| peer.has_stopped());
        consumer.kill().prints(said("image", 1..=5));
    }
}

/// A line for each of these images, as the programs say it.
pub(crate) fn said(word: &str, which: std::ops::RangeInclusive<usize>) -> String {
    which.fold(String::new(), |text, number| text + &format!("{word} {number}\n"))
}

/// For every pair of programs.
fn each_pair(test: impl Fn(&Program, &Program)) {
    for producer in programs() {
        for consumer in programs() {
            println!("from {} to {}", producer.language, consumer.language);
            test(producer, consumer);
        }
    }
}

#[test]
fn either_side_first() {
    each_pair(|producer, consumer| {
        for consumer_first in [true, false] {
            let channel = Channel::new();
            let (produce, consume) = (producer.producer(&channel, 1), consumer.consumer(&channel));
            let (producer, consumer) = if consumer_first {
                let consumer = attached(consume);
                (produce.start(), consumer)
            } else {
                let producer = attached(produce);
                (producer, consume.start())
            };
            producer.end().code(0).prints(said("answer", 1..=IMAGES));
            consumer.end().code(0).prints(said("image", 1..=IMAGES));
            channel.assert_nothing_left();
        }
    });
}

#[test]
fn the_consumer_is_killed_and_started_again() {
    each_pair(|producer, consumer| {
        let channel = Channel::new();
        let simulator = producer.producer(&channel, 1).start();
        consumer.kill_consumer(&channel);
        consumer.consumer(&channel).end().code(0).prints(said("image", 5..=IMAGES));
        simulator.end().code(0).prints(said("answer", 1..=IMAGES));
        channel.assert_nothing_left();
    });
}

#[test]
fn the_producer_is_killed_and_started_again() {
    each_pair(|producer, consumer| {
        let channel = Channel::new();
        let driver = consumer.consumer(&channel).start();
        producer.kill_producer(&channel);
        producer.producer(&channel, 5).end().code(0).prints(said("answer", 5..=IMAGES));
        driver.end().code(0).prints(said("image", 1..=IMAGES));
        channel.assert_nothing_left();
    });
}

/// One byte of another image, and commands that did not come: the programs notice both.
#[test]
fn what_is_torn_is_noticed() {
    for program in programs() {
        let channel = Channel::new();
        let simulator = attached(program.producer(&channel, 1));
        await_full(SPEC, &channel);
        ipc::scribble(channel.key().number(), 1000, &[255]);
        program.consumer(&channel).end().code(1).says(&["torn: the image 1"]);
        assert_eq!(flag(SPEC, &channel), Some(1));
        ipc::scribble(channel.key().number(), 0, &[0; 4]);
        simulator.end().code(1).says(&["torn: the commands for 1"]);
    }
}
