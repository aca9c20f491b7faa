//! The round trip between two processes on two cores: `cargo bench --bench roundtrip`.
//!
//! Beside the library's classic slot, one each way, runs the least that any
//! handoff can cost on this machine: a *bare* ping-pong of two words on two
//! cache lines of a segment. A virtual machine's host moves its cores about,
//! which changes every figure by up to eight times within seconds; so the bare
//! ping-pong is measured before and after each round, a round in which it
//! changed is dropped, and what counts is the ratio to it within a round.
//!
//! Every message is checked: each carries its number, the other process sends
//! back what it received, and the answer is compared whole.

fn main() {
    #[cfg(not(model))]
    bench::main();
}

#[cfg(not(model))]
mod bench {
    use shm_handoff::backend::sysv::{Key, Options, Segment, SysV};
    use shm_handoff::protocol::layout::SLOT;
    use shm_handoff::sync::{AtomicU32, Ordering, spin_loop};
    use shm_handoff::{Reader, Writer};
    use std::io::{BufRead, BufReader, Write};
    use std::mem::MaybeUninit;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::time::{Duration, Instant};

    /// The longest text of the classic layout: 2048 bytes with its NUL.
    const LONG: usize = 2047;
    const SHORT: usize = 8;

    /// Rounds to keep, and how many are too few to say anything.
    const ROUNDS: usize = 45;
    const FEWEST: usize = 9;
    const LIMIT: Duration = Duration::from_secs(20);

    /// A round is dropped if the bare ping-pong changed by more than this.
    const STEADY: f64 = 0.15;

    /// One figure is the median of this many chunks, so that a chunk in which
    /// something else got the core does not count.
    const CHUNKS: usize = 101;
    const TRIPS: u32 = 500;

    /// Marks the other process's command line.
    const CHILD: &str = "--echo";

    #[derive(Clone, Copy)]
    enum Kind {
        Bare,
        Classic(usize),
    }

    pub(crate) fn main() {
        let args: Vec<String> = std::env::args().collect();
        if let Some(at) = args.iter().position(|arg| arg == CHILD) {
            return send_back(args[at + 1].parse().expect("a key"), args[at + 2].parse().expect("a core"));
        }
        // `cargo bench` says so; `cargo test --benches` does not.
        if args.iter().any(|arg| arg == "--bench") {
            measure();
        }
    }

    fn measure() {
        let [here, there, ..] = cores()[..] else {
            println!("roundtrip: one core only, nothing to measure between two");
            return;
        };
        let first = 0x5000_0000 | (std::process::id() << 2);
        let channels = Channels::make(first);
        pin(here);
        let mut peer = Peer::start(first, there);
        let mut near = Near {
            to: Writer::open(&options(first + 1)).expect("private key"),
            from: Reader::open(&options(first + 2)).expect("private key"),
            bare: &channels.bare,
            sent: 0,
            text: [vec![b'x'; SHORT], vec![b'x'; LONG]],
            answer: vec![0; SLOT.text_len],
        };

        let started = Instant::now();
        let (mut kept, mut seen): (Vec<[f64; 3]>, usize) = (Vec::new(), 0);
        while kept.len() < ROUNDS && started.elapsed() < LIMIT {
            let mut run = |kind| {
                peer.begin(kind);
                near.median(kind)
            };
            let before = run(Kind::Bare);
            let (short, long) = if seen.is_multiple_of(2) {
                let short = run(Kind::Classic(SHORT));
                (short, run(Kind::Classic(LONG)))
            } else {
                let long = run(Kind::Classic(LONG));
                (run(Kind::Classic(SHORT)), long)
            };
            let after = run(Kind::Bare);
            seen += 1;
            if (after - before).abs() <= STEADY * before.min(after) {
                kept.push([f64::midpoint(before, after), short, long]);
            }
        }
        let Near { to, from, .. } = near;
        peer.stop();
        to.close().expect("leaving");
        from.close().expect("leaving");
        report(&kept, seen, [here, there]);
    }

    fn report(kept: &[[f64; 3]], seen: usize, [here, there]: [usize; 2]) {
        println!(
            "round trip between core {here} and core {there}: {} of {seen} rounds kept, {CHUNKS} x {TRIPS} trips a figure",
            kept.len()
        );
        if kept.len() < FEWEST {
            println!("too few steady rounds to say anything: is the machine busy? Run again.");
        }
        if kept.is_empty() {
            return;
        }
        println!("{:<28} {:>10} {:>24}", "", "median ns", "ratio to bare (min..max)");
        for (at, name) in
            ["bare ping-pong, two lines", "classic slots, 8 bytes", "classic slots, 2047 bytes"].iter().enumerate()
        {
            let ns = sorted(kept.iter().map(|round| round[at]));
            let ratio = sorted(kept.iter().map(|round| round[at] / round[0]));
            let (least, most) = (ratio[0], ratio[ratio.len() - 1]);
            let ratio = if at == 0 { String::new() } else { format!("{:.2} ({least:.2}..{most:.2})", middle(&ratio)) };
            println!("{name:<28} {:>10.1} {ratio:>24}", middle(&ns));
        }
    }

    fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn middle(sorted: &[f64]) -> f64 {
        sorted[sorted.len() / 2]
    }

    fn options(key: u32) -> Options {
        Options::slot(Key::new(key).expect("not 0"))
    }

    /// The segments of a run; dropping removes them.
    struct Channels {
        bare: Segment,
        first: u32,
    }

    impl Channels {
        fn make(first: u32) -> Self {
            let bare = Segment::create_new(Key::new(first).expect("not 0"), 4096, 0o600).expect("private key");
            Self { bare, first }
        }
    }

    impl Drop for Channels {
        fn drop(&mut self) {
            for key in self.first..self.first + 3 {
                if let Ok(segment) = Segment::open(Key::new(key).expect("not 0")) {
                    let _ = segment.remove();
                }
            }
        }
    }

    /// The two words of the bare ping-pong, on lines of their own.
    fn words(bare: &Segment) -> (&AtomicU32, &AtomicU32) {
        (bare.word(0), bare.word(1024))
    }

    /// Spins until `word` is `value`, as the bare ping-pong does.
    #[inline]
    fn until(word: &AtomicU32, value: u32) {
        for _ in 0..1_000_000_000_u32 {
            if word.load(Ordering::Acquire) == value {
                return;
            }
            spin_loop();
        }
        panic!("the other process does not answer");
    }

    struct Near<'c> {
        to: Writer<SysV>,
        from: Reader<SysV>,
        bare: &'c Segment,
        sent: u64,
        text: [Vec<u8>; 2],
        answer: Vec<u8>,
    }

    impl Near<'_> {
        /// Nanoseconds of one round trip: the median of the chunks, after a
        /// chunk to warm up.
        fn median(&mut self, kind: Kind) -> f64 {
            self.chunk(kind);
            let chunks = sorted((0..CHUNKS).map(|_| {
                let started = Instant::now();
                self.chunk(kind);
                started.elapsed().as_secs_f64() * 1e9 / f64::from(TRIPS)
            }));
            if let Kind::Bare = kind {
                // The other side's sign to stop.
                words(self.bare).0.store(0, Ordering::Release);
            }
            middle(&chunks)
        }

        fn chunk(&mut self, kind: Kind) {
            match kind {
                Kind::Bare => {
                    let (ping, echo) = words(self.bare);
                    let from = echo.load(Ordering::Relaxed);
                    for turn in (from + 1)..=(from + TRIPS) {
                        ping.store(turn, Ordering::Release);
                        until(echo, turn);
                    }
                }
                Kind::Classic(len) => {
                    let text = &mut self.text[usize::from(len == LONG)];
                    for _ in 0..TRIPS {
                        self.sent += 1;
                        stamp(&mut text[len - SHORT..], self.sent);
                        self.to.send(text).expect("the other process reads");
                        let got = self.from.recv(&mut self.answer).expect("the other process answers");
                        assert!(self.answer[..got] == text[..], "the answer differs from the message");
                    }
                }
            }
        }
    }

    /// The number in bytes that are neither NUL nor a letter.
    #[inline]
    fn stamp(bytes: &mut [u8], number: u64) {
        let digits = [0, 7, 14, 21, 28, 35, 42, 49].map(|shift| (number >> shift).to_le_bytes()[0] | 0x80);
        bytes.copy_from_slice(&digits);
    }

    /// The other process, told over a pipe what comes next.
    struct Peer {
        child: Child,
        orders: ChildStdin,
        answers: BufReader<ChildStdout>,
    }

    impl Peer {
        fn start(first: u32, core: usize) -> Self {
            let mut child = Command::new(std::env::current_exe().expect("our own path"))
                .args([CHILD, &first.to_string(), &core.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("starting the other process");
            let orders = child.stdin.take().expect("piped");
            let answers = BufReader::new(child.stdout.take().expect("piped"));
            Self { child, orders, answers }
        }

        /// Says what comes, and waits until the other process is ready for it.
        fn begin(&mut self, kind: Kind) {
            let trips = match kind {
                Kind::Bare => 0,
                Kind::Classic(_) => TRIPS * (u32::try_from(CHUNKS).expect("small") + 1),
            };
            writeln!(self.orders, "{trips}").expect("the other process lives");
            let mut ready = String::new();
            self.answers.read_line(&mut ready).expect("the other process lives");
            assert_eq!(ready, "ready\n");
        }

        fn stop(self) {
            let Self { mut child, orders, .. } = self;
            drop(orders);
            assert!(child.wait().expect("our child").success(), "the other process failed");
        }
    }

    /// The other process: sends back what it receives.
    fn send_back(first: u32, core: usize) {
        pin(core);
        let bare = Segment::open(Key::new(first).expect("not 0")).expect("made before we were started");
        let (ping, echo) = words(&bare);
        let mut from = Reader::<SysV>::open(&options(first + 1)).expect("the seat is free");
        let mut to = Writer::<SysV>::open(&options(first + 2)).expect("the seat is free");
        let mut text = vec![0; SLOT.text_len];
        for order in std::io::stdin().lines() {
            let trips: u32 = order.expect("the pipe works").parse().expect("a number");
            echo.store(0, Ordering::Relaxed);
            println!("ready");
            if trips == 0 {
                let mut turn = 0;
                // One further by each turn, until 0 says that it is over.
                loop {
                    turn += 1;
                    if next(ping, turn) == 0 {
                        break;
                    }
                    echo.store(turn, Ordering::Release);
                }
            }
            for _ in 0..trips {
                let len = from.recv(&mut text).expect("a message");
                to.send(&text[..len]).expect("room");
            }
        }
        to.close().expect("leaving");
        from.close().expect("leaving");
    }

    /// Spins until the other side has made its next move: `turn`, or 0 after
    /// the first.
    #[inline]
    fn next(word: &AtomicU32, turn: u32) -> u32 {
        for _ in 0..1_000_000_000_u32 {
            let seen = word.load(Ordering::Acquire);
            if seen == turn || (seen == 0 && turn > 1) {
                return seen;
            }
            spin_loop();
        }
        panic!("the other process is gone");
    }

    /// The cores that this process may use.
    fn cores() -> Vec<usize> {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: the kernel writes one `cpu_set_t` at most, and there is room
        // for it; zeroed, it is valid whatever was written.
        let set = unsafe {
            libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr());
            set.assume_init()
        };
        let most = usize::try_from(libc::CPU_SETSIZE).expect("positive");
        // SAFETY: the index is below CPU_SETSIZE.
        (0..most).filter(|core| unsafe { libc::CPU_ISSET(*core, &set) }).collect()
    }

    /// Keeps this process on one core.
    fn pin(core: usize) {
        let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
        // SAFETY: all zero is a valid, empty `cpu_set_t`; `core` comes from
        // `cores`, so it is within it; the kernel only reads it.
        let done = unsafe {
            let set = set.assume_init_mut();
            libc::CPU_SET(core, set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set)
        };
        if done != 0 {
            eprintln!("roundtrip: can't stay on core {core}: {}", std::io::Error::last_os_error());
        }
    }
}
