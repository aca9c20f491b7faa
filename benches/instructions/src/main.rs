//! So many messages of so many bytes, sent and received one after the other in one thread: what a
//! message costs the processor where neither side has to wait. `ci/instructions.sh` counts.

use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
use shm_handoff::{Core, Either, Reader, Ring, Slot, Writer};
use std::hint::black_box;
use std::num::NonZeroUsize;

/// Bytes that begin a cache line wherever the stack begins: a copy takes the same way in every run.
#[repr(align(64))]
struct Aligned<const N: usize>([u8; N]);

/// A writer and a reader of this layout, at these options.
#[inline(never)]
fn pair<L: Core>(options: &Options, row: &Row) {
    let mut reader = Reader::<SysV, L>::open(options).expect("reader");
    let mut writer = Writer::<SysV, L>::open(options).expect("writer");
    let (text, mut into) = (Aligned([b'x'; 2048]), Aligned([0; 2048]));
    let (text, into) = (&text.0[..row.size], &mut into.0);
    if row.peek {
        for _ in 0..row.count {
            writer.send(black_box(text)).expect("sent");
            let message = reader.peek().expect("peeked");
            black_box(message.text());
            message.release();
        }
    } else {
        for _ in 0..row.count {
            writer.send(black_box(text)).expect("sent");
            black_box(reader.recv(black_box(into)).expect("received"));
        }
    }
    writer.close().expect("left");
    reader.close().expect("left");
    Segment::open(key()).and_then(|segment| segment.remove()).expect("removed");
}

/// A ring of values of one size.
fn values<const N: usize>(count: u64) {
    let options = Options::ring(key(), 2 << 20).expect("a capacity");
    let mut reader = Reader::<SysV, Ring>::open(&options).expect("reader");
    let mut writer = Writer::<SysV, Ring>::open(&options).expect("writer");
    let (value, mut into) = (Aligned([b'x'; N]), Aligned([0; N]));
    for _ in 0..count {
        writer.send_value(black_box(&value.0)).expect("sent");
        *black_box(&mut into.0) = reader.recv_value().expect("received").expect("no end was sent");
    }
    writer.close().expect("left");
    reader.close().expect("left");
    Segment::open(key()).and_then(|segment| segment.remove()).expect("removed");
}

/// What is counted.
struct Row {
    peek: bool,
    size: usize,
    count: u64,
}

/// A key of this process alone.
fn key() -> Key {
    Key::new(0x5C00_0000 | std::process::id()).expect("it is not 0")
}

fn main() {
    let args: Vec<_> = std::env::args().collect();
    let [_, name, size, count] = &args[..] else { panic!("ROW SIZE COUNT") };
    let plain = name.trim_end_matches("-peek");
    let row = Row { peek: plain != name, size: size.parse().expect("SIZE"), count: count.parse().expect("COUNT") };
    let classic = || Options::slot(key());
    let ring = || Options::ring(key(), 2 << 20).expect("a capacity");
    match plain {
        "ring" => pair::<Ring>(&ring(), &row),
        "classic" => pair::<Slot>(&classic(), &row),
        "either-ring" => pair::<Either>(&ring(), &row),
        "either-classic" => pair::<Either>(&classic(), &row),
        "ring-value" => match row.size {
            8 => values::<8>(row.count),
            64 => values::<64>(row.count),
            256 => values::<256>(row.count),
            _ => values::<2048>(row.count),
        },
        "rtrb" | "shaq" => match row.size {
            8 => other::<8>(plain, row.count),
            64 => other::<64>(plain, row.count),
            256 => other::<256>(plain, row.count),
            _ => other::<2048>(plain, row.count),
        },
        other => panic!("no such row: {other}"),
    }
}

/// Rings of values of one size, by the calls of theirs that cost least.
fn other<const N: usize>(name: &str, count: u64) {
    let (text, mut into) = (Aligned([b'x'; N]), Aligned([0; N]));
    if name == "rtrb" {
        let (mut writer, mut reader) = rtrb::RingBuffer::<[u8; N]>::new(64);
        for _ in 0..count {
            // `push` and `pop` move a value several times, and the calls for slices do more beside the copy.
            if N < 256 {
                writer.push(*black_box(&text.0)).expect("pushed");
                *black_box(&mut into.0) = reader.pop().expect("popped");
            } else {
                writer.push_entire_slice(std::slice::from_ref(black_box(&text.0))).expect("pushed");
                reader.pop_entire_slice(std::slice::from_mut(black_box(&mut into.0))).expect("popped");
            }
            black_box(&into.0);
        }
    } else {
        let (mut writer, mut reader) = shaq::spsc::pair::<[u8; N]>(64).expect("a pair");
        for _ in 0..count {
            let mut batch = writer.write_batch();
            // SAFETY: what is reserved is written at once.
            let place = unsafe { batch.try_as_mut() }.expect("reserved").as_mut_ptr();
            // SAFETY: the place is that of one value, and the batch's alone.
            unsafe { place.copy_from_nonoverlapping(black_box(&raw const text.0), 1) };
            drop(batch);
            let batch = reader.try_reserve_read_batch(NonZeroUsize::MIN).expect("read");
            black_box(&mut into.0).copy_from_slice(&batch[0]);
            drop(batch);
            black_box(&into.0);
        }
    }
}
