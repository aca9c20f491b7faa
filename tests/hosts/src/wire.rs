//! A wire in user space between two hosts: it passes IP packets on as its weather says.
//!
//! Each host has a TUN device. A thread reads packets from one and writes them to the other; in between it loses, repeats,
//! delays and reorders them. A TUN device has no offloads, so the checksums are real. The kernel needs no netem for it.

use crate::Unavailable;
use crate::host::Host;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::stat::Mode;
use nix::sys::time::TimeSpec;
use nix::unistd::{read, write};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a wire treats packets. Chances are of each packet, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// The wire is cut: nothing passes.
    pub cut: bool,
    /// A packet is lost.
    pub loss: f64,
    /// A packet comes twice.
    pub duplicate: f64,
    /// A packet is held back for [`HELD_BACK`] at most, so that others overtake it.
    pub reorder: f64,
    /// Every packet takes so long.
    pub delay: Duration,
}

/// The longest that a packet is held back to be overtaken.
pub const HELD_BACK: Duration = Duration::from_millis(20);

/// What has happened on a wire.
#[derive(Debug, Default)]
pub struct Counts {
    /// Packets that were passed on, repeated ones too.
    pub passed: AtomicU64,
    /// Packets that were lost by chance.
    pub lost: AtomicU64,
    /// Packets that were lost because the wire was cut.
    pub cut: AtomicU64,
    /// Packets that were repeated.
    pub duplicated: AtomicU64,
    /// Packets that were held back.
    pub reordered: AtomicU64,
}

/// A wire. It is gone when this is dropped.
#[derive(Debug)]
pub struct Wire {
    weather: Arc<Mutex<Weather>>,
    counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Packets read from one device before the other one has its turn.
const TURN: usize = 64;
/// The longest packet: a host's MTU is 1500 here.
const LONGEST: usize = 2048;
/// The wire looks so often whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A packet on its way: when it is due, in which order it came, to which end, and its bytes.
type Packet = Reverse<(Instant, u64, usize, Vec<u8>)>;

impl Wire {
    /// Lays a wire between two hosts: a TUN device named `device` on both, with these addresses.
    ///
    /// # Errors
    /// `/dev/net/tun` is missing or may not be used, or as [`Host::ip`].
    pub fn lay(
        device: &str,
        (one, address): (&Host, &str),
        (other, address_there): (&Host, &str),
        seed: u64,
    ) -> Result<Self, Unavailable> {
        let ends = [tun(one, device, address)?, tun(other, device, address_there)?];
        let (weather, counts, stop) = <(Arc<Mutex<Weather>>, Arc<Counts>, Arc<AtomicBool>)>::default();
        let mut carrier = Carrier {
            ends,
            weather: Arc::clone(&weather),
            counts: Arc::clone(&counts),
            random: fastrand::Rng::with_seed(seed),
            under_way: BinaryHeap::new(),
            number: 0,
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                carrier.turn();
            }
        });
        Ok(Self { weather, counts, stop, thread: Some(thread) })
    }

    /// From now on this is the weather. What is under way arrives as it was to.
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// Cuts the wire, or mends it; the rest of the weather stays.
    pub fn cut(&self, cut: bool) {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner).cut = cut;
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Carrier {
    ends: [OwnedFd; 2],
    weather: Arc<Mutex<Weather>>,
    counts: Arc<Counts>,
    random: fastrand::Rng,
    under_way: BinaryHeap<Packet>,
    number: u64,
}

impl Carrier {
    /// Waits for packets or for one that is due, and deals with what there is.
    fn turn(&mut self) {
        let due = self.under_way.peek().map(|Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
        let mut files = [0, 1].map(|end| PollFd::new(self.ends[end].as_fd(), PollFlags::POLLIN));
        let _ = ppoll(&mut files, Some(TimeSpec::from(due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY))), None);
        let ready = files.map(|file| file.any().unwrap_or(true));
        for (from, ready) in ready.into_iter().enumerate() {
            let mut packet = [0; LONGEST];
            for _ in 0..if ready { TURN } else { 0 } {
                match read(&self.ends[from], &mut packet) {
                    Ok(len) => self.take(1 - from, &packet[..len]),
                    Err(Errno::EINTR) => {}
                    Err(_) => break,
                }
            }
        }
        let now = Instant::now();
        while self.under_way.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, _, to, packet))) = self.under_way.pop() else { break };
            self.deliver(to, &packet);
        }
    }

    /// A packet came, for the end `to`.
    fn take(&mut self, to: usize, packet: &[u8]) {
        let weather = *self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        if weather.cut {
            self.counts.cut.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.chance(weather.loss) {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut delay = weather.delay;
        if self.chance(weather.reorder) {
            delay += HELD_BACK.mul_f64(self.random.f64());
            self.counts.reordered.fetch_add(1, Ordering::Relaxed);
        }
        if self.chance(weather.duplicate) {
            self.counts.duplicated.fetch_add(1, Ordering::Relaxed);
            self.pass(to, packet, delay);
        }
        self.pass(to, packet, delay);
    }

    fn pass(&mut self, to: usize, packet: &[u8], delay: Duration) {
        if delay.is_zero() {
            return self.deliver(to, packet);
        }
        self.number += 1;
        self.under_way.push(Reverse((Instant::now() + delay, self.number, to, packet.to_vec())));
    }

    fn deliver(&self, to: usize, packet: &[u8]) {
        // A host that can't take it loses it, as a network card does.
        if write(&self.ends[to], packet).is_ok() {
            self.counts.passed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.random.f64() < chance
    }
}

/// A TUN device on this host.
fn tun(host: &Host, device: &str, address: &str) -> Result<OwnedFd, Unavailable> {
    let file = host.within(|| {
        let path = "/dev/net/tun";
        let file = open(path, OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK, Mode::empty())
            .map_err(|errno| Unavailable(format!("{path}: {errno}")))?;
        // SAFETY: all zeroes is a value of this struct of numbers.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(device.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_TUN | libc::IFF_NO_PI).expect("two low bits");
        // SAFETY: this call takes an ifreq, which lives as long as the call.
        if unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) } < 0 {
            return Err(Unavailable(format!("no TUN device can be made here: {}", Errno::last())));
        }
        Ok(file)
    })?;
    host.ip(&format!("address add {address}/24 dev {device}"))?;
    // A long queue: what is lost is what the weather says.
    host.ip(&format!("link set {device} up txqueuelen 10000"))?;
    Ok(file)
}
