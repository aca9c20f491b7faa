//! Both sides asleep and awake, again and again: a lost wake-up costs a sleep's
//! bound at each turn, a lost message or a torn one is found.

use crate::support::{Channel, Peer};
use shm_handoff::Role;
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Received, Ring, WaitPolicy, Writer};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// On one core, so that neither gets on unless the other one sleeps or yields.
fn on_core(command: &mut Command, core: usize) {
    // SAFETY: async-signal-safe calls alone, between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let mut cores: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(core, &mut cores);
            // Where that core is not ours to use, it runs on another one.
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const cores);
            Ok(())
        });
    }
}

/// Lines of all lengths that a ring of 64 KiB carries, short ones most, `total` bytes
/// at least.
fn mixed(total: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut state = 1_u64;
    while text.len() < total {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = usize::try_from(state >> 40).unwrap();
        let len = match random % 16 {
            0 => random / 16 % 16_383,
            1..4 => random / 16 % 1000,
            _ => random / 16 % 60,
        };
        text.extend((0..len).map(|at| b'a' + u8::try_from((at + random) % 26).unwrap()));
        text.push(b'\n');
    }
    text
}

fn all_arrive(reader_args: &[&str], writer_args: &[&str], cores: Option<[usize; 2]>) {
    let sent = mixed(4 << 20);
    let channel = Channel::new();
    let pin = |command: &mut Command, side: usize| {
        if let Some(cores) = cores {
            on_core(command, cores[side]);
        }
    };
    let mut reader = channel.reader(reader_args).with(|command| pin(command, 0)).start();
    channel.await_seated(Role::Reader, &mut reader);
    let writer = channel.writer(writer_args).with(|command| pin(command, 1)).input(sent.clone()).start();
    writer.end_while(|_| reader.printed().len()).code(0);
    reader.end().code(0).prints(sent);
    channel.assert_nothing_left();
}

#[test]
fn lines_of_all_lengths_on_one_core_and_on_two() {
    for cores in [None, Some([0, 0]), Some([0, 1])] {
        all_arrive(&["--ring=64K"], &[], cores);
        all_arrive(&["--ring=64K", "--raw"], &["--raw"], cores);
    }
}

/// One message at a time, each answered before the next one: each is met by a reader
/// that sleeps, or is about to.
#[test]
fn one_by_one_wakes_the_reader_each_time() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["--ring=64K"]);
    let mut writer = channel.seated_writer(&[]);
    let mut sent = String::new();
    for number in 0..300 {
        let line = format!("{number}\n");
        writer.type_in(&line);
        sent += &line;
        if number % 3 == 0 {
            // Asleep, or not yet.
            std::thread::sleep(std::time::Duration::from_micros(number * 10));
        }
        reader.until_prints(&sent);
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(sent);
}

/// An output that takes a little at a time: the reader waits for it, then the writer
/// for the reader, then both go on.
#[test]
fn an_output_in_jerks_makes_both_sleep() {
    let channel = Channel::new();
    let sent = mixed(2 << 20);
    let mut reader: Peer = channel.reader(["--ring=64K"]).held_output().start();
    let writer = channel.writer(["--ring=64K"]).input(sent.clone()).start();
    let mut output = reader.take_output();
    let (mut got, mut block, mut turn) = (Vec::new(), vec![0; 100_000], 0_u64);
    loop {
        turn += 1;
        let most = block.len() >> (turn % 5);
        let len = output.read(&mut block[..most]).unwrap();
        if len == 0 {
            break;
        }
        got.extend_from_slice(&block[..len]);
        if turn.is_multiple_of(4) {
            // The pace of a slow reader of the output: nothing is waited for.
            std::thread::sleep(std::time::Duration::from_millis(turn % 3));
        }
    }
    assert!(got == sent, "{} bytes of {} came, or others", got.len(), sent.len());
    writer.end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

/// Set in the process that writes: the key, and how often it looks before it sleeps.
const WRITES: &str = "SHM_HANDOFF_STRESS_WRITES";

/// Two processes that sleep at once, or nearly: every full ring and every dry one is a
/// sleep, and each message a wake. (A ring between processes has 64 KiB at least; with
/// messages of up to a quarter it is full after four.)
#[test]
fn hardly_a_look_before_each_sleep() {
    let sent = mixed(2 << 20);
    let lines = || sent.split_inclusive(|byte| *byte == b'\n');
    if let Ok(told) = std::env::var(WRITES) {
        let (key, spins) = told.split_once(' ').unwrap();
        let key = Key::new(key.parse().unwrap()).unwrap();
        let mut writer = Writer::<SysV, Ring>::open(&Options::any_ring(key)).unwrap();
        let policy = &mut WaitPolicy::forever().spins(spins.parse().unwrap());
        lines().for_each(|line| writer.send_with(line, policy).unwrap());
        return writer.close().unwrap();
    }
    for spins in [0, 1, 20] {
        let channel = Channel::new();
        let options = Options::ring(channel.key(), 64 << 10).unwrap();
        let mut reader = Reader::<SysV, Ring>::open(&options).unwrap();
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "stress::hardly_a_look_before_each_sleep"])
            .env(WRITES, format!("{} {spins}", channel.key().number()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut text = vec![0; reader.capacity()];
        for (number, line) in lines().enumerate() {
            let received = reader.recv_with(&mut text, &mut WaitPolicy::forever().spins(spins)).unwrap();
            assert_eq!(received, Received::Message(line.len()), "message {number}");
            assert!(text[..line.len()] == *line, "message {number} is not what was sent");
        }
        assert!(writer.wait().unwrap().success());
        reader.close().unwrap();
    }
}
