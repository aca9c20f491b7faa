//! So many messages of so many bytes, sent and received one after the other in one thread: what a
//! message costs the processor where neither side has to wait. `ci/instructions.sh` counts.

use shm_handoff::backend::sysv::{Key, Options, SysV};
use shm_handoff::{Reader, Writer, any, ring};
use std::hint::black_box;

/// A segment's key of this process alone.
fn key() -> Key {
    Key::new(std::process::id() << 12 | 0xA5).expect("it is not 0")
}

/// The longest message of all.
const ROOM: usize = 2048;

fn main() {
    let args: Vec<_> = std::env::args().collect();
    let [_, peer, size, count] = &args[..] else { panic!("PEER SIZE COUNT") };
    let (size, count): (usize, u64) = (size.parse().expect("SIZE"), count.parse().expect("COUNT"));
    let text = vec![b'x'; size];
    let mut into = [0; ROOM];
    match &peer[..] {
        "ring" | "ring-peek" => {
            let options = Options::ring(key(), 2 << 20).expect("a capacity");
            let mut reader = ring::Reader::<SysV>::open(&options).expect("reader");
            let mut writer = ring::Writer::<SysV>::open(&options).expect("writer");
            reader.backend().segment().remove().expect("removed");
            for _ in 0..count {
                writer.send(black_box(&text)).expect("sent");
                if peer == "ring" {
                    black_box(reader.recv(black_box(&mut into)).expect("received"));
                } else {
                    let message = reader.peek().expect("peeked");
                    black_box(message.text());
                    message.release();
                }
            }
        }
        "classic" | "classic-peek" => {
            let options = Options::slot(key());
            let mut reader = Reader::<SysV>::open(&options).expect("reader");
            let mut writer = Writer::<SysV>::open(&options).expect("writer");
            writer.send(b"met").expect("sent");
            reader.recv(&mut into).expect("received");
            reader.backend().segment().remove().expect("removed");
            for _ in 0..count {
                writer.send(black_box(&text)).expect("sent");
                if peer == "classic" {
                    black_box(reader.recv(black_box(&mut into)).expect("received"));
                } else {
                    let message = reader.peek().expect("peeked");
                    black_box(message.text());
                    message.release();
                }
            }
        }
        "either-ring" | "either-classic" => {
            let options = if peer == "either-ring" {
                Options::ring(key(), 2 << 20).expect("a capacity")
            } else {
                Options::slot(key())
            };
            let mut reader = any::Reader::<SysV>::open(&options).expect("reader");
            let mut writer = any::Writer::<SysV>::open(&options).expect("writer");
            writer.send(b"met").expect("sent");
            reader.recv_with(&mut into, &mut shm_handoff::WaitPolicy::forever()).expect("received");
            reader.backend().segment().remove().expect("removed");
            for _ in 0..count {
                writer.send(black_box(&text)).expect("sent");
                let len = reader.recv_with(black_box(&mut into), &mut shm_handoff::WaitPolicy::forever());
                black_box(len.expect("received"));
            }
        }
        "rtrb" => match size {
            8 => rtrb::<8>(count),
            64 => rtrb::<64>(count),
            256 => rtrb::<256>(count),
            _ => rtrb::<2048>(count),
        },
        "shaq" => match size {
            8 => shaq::<8>(count),
            64 => shaq::<64>(count),
            256 => shaq::<256>(count),
            _ => shaq::<2048>(count),
        },
        other => panic!("no such peer: {other}"),
    }
}

fn rtrb<const N: usize>(count: u64) {
    let (mut writer, mut reader) = rtrb::RingBuffer::<[u8; N]>::new(64);
    let (text, mut into) = ([b'x'; N], [0; N]);
    for _ in 0..count {
        writer.push(*black_box(&text)).expect("pushed");
        *black_box(&mut into) = reader.pop().expect("popped");
        black_box(&into);
    }
}

fn shaq<const N: usize>(count: u64) {
    let (mut writer, mut reader) = shaq::spsc::pair::<[u8; N]>(64).expect("a pair");
    let (text, mut into) = ([b'x'; N], [0; N]);
    for _ in 0..count {
        writer.try_write(*black_box(&text)).expect("written");
        *black_box(&mut into) = reader.try_read().expect("read");
        black_box(&into);
    }
}
