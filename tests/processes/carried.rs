//! A writer that carries another ring's messages on, killed again and again at any instruction, with other writers in
//! between: each message comes once, in order.

use crate::support::{Channel, DEADLINE};
use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, RecvError, Ring, WaitPolicy, Writer};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Set in the process that carries: the key.
const CARRIES: &str = "SHM_HANDOFF_CARRIES";
const STREAM: u64 = 7;
const BETWEEN: &[u8] = b"of another writer";
const KILLS: u32 = 120;

/// Message `number`, which is at position `number` of the other ring.
fn message(number: u64) -> Vec<u8> {
    number.to_ne_bytes().repeat(1 + usize::try_from(number % 40).unwrap())
}

/// Carries messages on until it is killed.
fn carry(key: Key) {
    let mut writer = Writer::<SysV, Ring>::open(&Options::any_ring(key)).unwrap();
    let mut at = writer.carried().map_or(0, |carried| carried.position);
    loop {
        let texts: Vec<_> = (at..at + 1 + at % 7).map(message).collect();
        let batch: Vec<_> = (at + 1..).zip(texts.iter().map(Vec::as_slice)).collect();
        // The reader may be slow: then the ring is full, and the next one goes on.
        at += writer.carry(STREAM, at, &batch, &mut WaitPolicy::forever()).unwrap() as u64;
    }
}

#[test]
fn carried_once_by_writers_that_are_killed() {
    if let Ok(key) = std::env::var(CARRIES) {
        return carry(Key::new(key.parse().unwrap()).unwrap());
    }
    let channel = Channel::new();
    let mut reader = Reader::<SysV, Ring>::open(&Options::ring(channel.key(), 64 << 10).unwrap()).unwrap();
    let (mut next, mut between) = (0, 0);
    let mut read = |for_so_long: Duration, between: &mut u32| {
        let started = Instant::now();
        while started.elapsed() < for_so_long {
            match reader.peek_with(&mut WaitPolicy::timeout(Duration::from_millis(1))) {
                Ok(found) if found.text() == BETWEEN => {
                    *between += 1;
                    found.release();
                }
                Ok(found) => {
                    assert!(found.text() == message(next), "message {next} is not what came");
                    next += 1;
                    found.release();
                }
                Err(RecvError::TimedOut) => {}
                Err(RecvError::WriterGone) => reader.await_next_writer().unwrap(),
                Err(error) => panic!("{error}"),
            }
        }
        next
    };
    for kill in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "carried::carried_once_by_writers_that_are_killed"])
            .env(CARRIES, channel.key().number().to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Every other one while it comes, at another instruction each time; the others at work.
        let before = read(Duration::ZERO, &mut between);
        if kill % 2 == 0 {
            read(Duration::from_micros(u64::from(kill) * 97 % 5000), &mut between);
        } else {
            let started = Instant::now();
            while read(Duration::from_micros(u64::from(kill) * 37 % 1000), &mut between) == before {
                assert!(started.elapsed() < DEADLINE, "nothing came");
            }
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        if kill % 3 == 0 {
            let mut other = Writer::<SysV, Ring>::open(&Options::any_ring(channel.key())).unwrap();
            // What the dead one left may fill the ring.
            while let Err(error) = other.try_send(BETWEEN) {
                assert_eq!(error, shm_handoff::SendError::WouldBlock);
                read(Duration::from_millis(1), &mut between);
            }
            other.close().unwrap();
        }
    }
    let carried = Writer::<SysV, Ring>::open(&Options::any_ring(channel.key())).unwrap().carried().unwrap();
    let mut came = 0;
    while came < carried.position {
        came = read(Duration::from_millis(10), &mut between);
    }
    assert_eq!((carried.stream, came, between), (STREAM, carried.position, KILLS.div_ceil(3)), "once each");
    println!("{KILLS} kills, {came} messages");
}
