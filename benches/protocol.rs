//! What one handoff costs where nobody has to be waited for: `cargo bench --bench protocol`.
//!
//! Writer and reader take turns in one thread, so the lines never leave the
//! core: this is the protocol's own work, not the way between two cores, which
//! `benches/roundtrip.rs` measures.

fn main() {
    #[cfg(not(model))]
    bench::main();
}

#[cfg(not(model))]
mod bench {
    use criterion::{BenchmarkId, Criterion, Throughput};
    use shm_handoff::backend::inproc::{Channel, InProc};
    use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
    use shm_handoff::backend::{Backend, Payload};
    use shm_handoff::protocol::layout::SLOT;
    use shm_handoff::sync::AtomicU32;
    use shm_handoff::{Reader, Writer};
    use std::hint::black_box;

    /// Message sizes in bytes. The third is the longest that fits: 2048 with
    /// its NUL.
    const SIZES: [usize; 3] = [8, 64, 2047];

    pub(crate) fn main() {
        // `cargo bench` says so; `cargo test --benches` does not.
        if !std::env::args().any(|arg| arg == "--bench") {
            return;
        }
        let mut criterion = Criterion::default().configure_from_args();
        handoff::<InProc>(&mut criterion, "inproc", &Channel::new(SLOT.text_len));
        let key = Key::new(0x4000_0000 | std::process::id()).expect("not 0");
        handoff::<SysV>(&mut criterion, "sysv", &Options::slot(key));
        let segment = Segment::open(key).expect("the handoff made it");
        segment.remove().expect("it is ours");
        payload(&mut criterion);
        criterion.final_summary();
    }

    fn handoff<B: Backend>(criterion: &mut Criterion, name: &str, address: &B::Address) {
        let mut reader = Reader::<B>::open(address).expect("the seat is free");
        let mut writer = Writer::<B>::open(address).expect("the seat is free");
        let mut group = criterion.benchmark_group(format!("send+recv/{name}"));
        for size in SIZES {
            let text = vec![b'x'; size];
            let mut out = vec![0; reader.capacity()];
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    writer.send(black_box(&text)).expect("the slot is empty");
                    let len = reader.recv(&mut out).expect("a message is there");
                    assert_eq!(len, size);
                    black_box(&out);
                });
            });
            assert_eq!(out[..size], text);
        }
        group.finish();
        writer.close().expect("leaving");
        reader.close().expect("leaving");
    }

    fn payload(criterion: &mut Criterion) {
        let words: Vec<AtomicU32> = (0..SLOT.text_len / 4).map(|_| AtomicU32::new(0)).collect();
        let payload = Payload::from_words(&words);
        let mut group = criterion.benchmark_group("payload");
        for size in SIZES {
            let text = vec![b'x'; size];
            let mut out = vec![0; payload.len()];
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("write", size), |bencher| {
                bencher.iter(|| payload.write_text(black_box(&text)));
            });
            payload.write_text(&text);
            group.bench_function(BenchmarkId::new("read", size), |bencher| {
                bencher.iter(|| black_box(payload.read_text(black_box(&mut out))));
            });
            assert_eq!(out[..size], text);
        }
        group.finish();
    }
}
