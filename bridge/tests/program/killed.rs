//! The bridges themselves are killed, and started again: from ring to ring, nothing is lost and nothing comes twice.

use crate::support::{DEADLINE, Hosts, numbers};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{SendError, WaitPolicy, Writer};

const KILLS: u32 = 8;
const CAPACITY: usize = 64 << 10;
const RING: &[&str] = &["--ring=64K", "--follow"];

/// Writes lines to the ring's end. One that meets no reader waits for the next one, which `shmwrite` does not.
fn write(options: &Options, lines: &str) -> Result<(), SendError> {
    let mut writer = Writer::<SysV>::open(options)?;
    // So that a test that fails ends.
    let mut policy = WaitPolicy::timeout(DEADLINE);
    for line in lines.split_inclusive('\n') {
        while let Err(error) = writer.send_with(line.as_bytes(), &mut policy) {
            next_reader(&mut writer, error, &mut policy)?;
        }
    }
    while let Err(error) = writer.end_with(&mut policy) {
        next_reader(&mut writer, error, &mut policy)?;
    }
    writer.close()
}

fn next_reader(writer: &mut Writer<SysV>, error: SendError, policy: &mut WaitPolicy<'_>) -> Result<(), SendError> {
    if error == SendError::ReaderGone { writer.await_reader(policy) } else { Err(error) }
}

#[test]
fn by_sigkill_from_ring_to_ring() {
    in_turn(RING);
}

#[test]
fn by_sigkill_while_the_reader_there_acknowledges() {
    in_turn(&["--ring=64K", "--follow", "--ack", "received"]);
}

fn in_turn(receive: &[&str]) {
    let hosts = Hosts::new();
    let options = Options::ring(hosts.here.key(), CAPACITY).unwrap();
    let (mut sender, mut receiver) = hosts.bridges(RING, receive);
    let mut reader = hosts.there.reader(RING).start();
    let lines = numbers(0..1_000_000);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&options, &lines));
        for kill in 0..KILLS {
            let before = reader.printed().len();
            reader.until("more lines", |reader| reader.printed().len() > before + 50_000);
            if kill % 2 == 0 {
                sender.kill();
                sender = hosts.send(RING).start();
            } else {
                receiver.kill();
                receiver = hosts.receive(receive).start();
            }
        }
        let reader = reader.end();
        assert!(reader.code(0).stdout == lines.as_bytes(), "{} bytes came of {}", reader.stdout.len(), lines.len());
        writer.join().expect("it does not panic").expect("the end is answered");
        sender.end().code(0);
        receiver.end().code(0);
    });
    hosts.assert_nothing_left();
}
