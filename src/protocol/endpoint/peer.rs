//! What the peer is, and when it is gone.
//!
//! A peer of ours is judged by its seat alone. A C program has no seat; it is
//! *seen* when the attach count says at two looks in a row that somebody
//! without a seat is there, and *gone* when we are alone again. That needs no
//! pid, so it holds across pid namespaces, and it falls at once on SIGKILL.
//!
//! A tool of ours that only looks is attached for a moment, too. It says so before, so
//! a status check knows how many of those attached can be tools. Where the count could mean
//! either, nothing is concluded from it, and what was known before stays.

use crate::backend::PeerStatus;
use std::time::{Duration, Instant};

/// Two looks farther apart than this are not "in a row".
const IN_A_ROW: Duration = Duration::from_millis(50);

/// How long a C program must have been there before a writer trusts it to have
/// made its first step, which wipes the flag (defect D4).
const SETTLED: Duration = Duration::from_millis(50);

/// How long one of ours must have been seated for it to be here, where a tool beside us keeps the count from
/// telling: one that is on removed memory comes over at its next tick.
const HERE: Duration = Duration::from_millis(500);

/// What is known of the other side.
///
/// ```
/// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*; let start = Instant::now();
/// let mut watch = PeerWatch::new();
/// assert_eq!(watch.peer(), Peer::Unseen);
/// watch.observe(PeerStatus { peer_seated: true, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false, ended: false }, start);
/// assert_eq!(watch.peer(), Peer::Ours);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Nobody was seen since this memory was opened.
    Unseen,
    /// One of ours, in its seat.
    Ours,
    /// A program without a seat.
    Foreign,
}

/// What a look told.
///
/// ```
/// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*; let start = Instant::now(); let at = |ms| start + Duration::from_millis(ms);
/// let seated = PeerStatus { peer_seated: true, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false, ended: false };
/// let mut watch = PeerWatch::new();
/// assert_eq!(watch.observe(seated, at(0)), Verdict::Present);
/// assert_eq!(watch.observe(PeerStatus { peer_seated: false, attached: 1, ..seated }, at(20)), Verdict::Gone);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nobody is known to be there, and nobody to have gone.
    Unseen,
    /// The peer is there.
    Present,
    /// The peer was there and is not any more.
    Gone,
}

/// Follows the peer from look to look.
///
/// ```
/// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*;
/// let (alone, two) = (
///     PeerStatus { peer_seated: false, writer_failed: false, attached: 1, observers: 0, removed: false, reseated: false, ended: false },
///     PeerStatus { peer_seated: false, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false, ended: false },
/// );
/// let start = Instant::now();
/// let at = |ms| start + Duration::from_millis(ms);
/// let mut watch = PeerWatch::new();
/// assert_eq!(watch.observe(two, at(0)), Verdict::Unseen, "once could be a tool that looks in");
/// assert_eq!(watch.observe(two, at(10)), Verdict::Present);
/// assert_eq!(watch.peer(), Peer::Foreign);
/// assert_eq!(watch.observe(alone, at(20)), Verdict::Gone);
/// ```
#[derive(Debug, Clone)]
pub struct PeerWatch {
    /// Programs without a seat count.
    strangers: bool,
    peer: Peer,
    /// Our own seat was taken anew, and the peer has not shown itself in its own since: it may not
    /// have noticed yet.
    unsettled: bool,
    /// Since when, without a gap, somebody without a seat has been there, and
    /// when that was seen last.
    stranger: Option<(Instant, Instant)>,
    /// Somebody beside us is attached, by the last look.
    accompanied: bool,
    /// Since when one of ours has been seated while the count could not tell, and when that was seen last.
    untold: Option<(Instant, Instant)>,
}

impl Default for PeerWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl PeerWatch {
    /// Nobody seen yet.
    ///
    /// ```
    /// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*;
    /// assert_eq!(PeerWatch::new().peer(), Peer::Unseen);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::of(true)
    }

    /// Nobody seen yet; `strangers`: a program without a seat can be the peer.
    pub(super) fn of(strangers: bool) -> Self {
        Self { strangers, peer: Peer::Unseen, unsettled: false, stranger: None, accompanied: false, untold: None }
    }

    /// On other memory, or for the next peer.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { unsettled: self.unsettled, ..Self::of(self.strangers) };
    }

    /// In memory of another layout; `strangers`: there, a program without a seat can be the peer.
    pub(super) fn follow(&mut self, strangers: bool) {
        self.strangers = strangers;
        self.begin_anew();
    }

    /// The peer has taken something, so it is there.
    pub(super) fn meet(&mut self) {
        if !self.unsettled {
            self.peer = Peer::Ours;
        }
    }

    /// Our own seat was taken anew, and the peer may not have noticed yet that its own has gone, too.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// What is known of the peer.
    ///
    /// ```
    /// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*; let start = Instant::now();
    /// let mut watch = PeerWatch::new();
    /// watch.observe(PeerStatus { peer_seated: true, writer_failed: false, attached: 2, observers: 0, removed: false, reseated: false, ended: false }, start);
    /// assert_eq!(watch.peer(), Peer::Ours);
    /// ```
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Takes in what `status` said at `now`.
    ///
    /// ```
    /// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*; let start = Instant::now(); let at = |ms| start + Duration::from_millis(ms);
    /// let alone = PeerStatus { peer_seated: false, writer_failed: false, attached: 1, observers: 0, removed: false, reseated: false, ended: false };
    /// let mut watch = PeerWatch::new();
    /// assert_eq!(watch.observe(alone, at(0)), Verdict::Unseen);
    /// assert_eq!(watch.observe(PeerStatus { peer_seated: true, attached: 2, ..alone }, at(20)), Verdict::Present);
    /// assert_eq!(watch.observe(alone, at(40)), Verdict::Gone);
    /// ```
    pub fn observe(&mut self, status: PeerStatus, now: Instant) -> Verdict {
        if status.reseated {
            self.begin_anew();
        }
        self.unsettled = !status.peer_seated && (self.unsettled || status.reseated);
        let (company, alone) = (status.has_company(), status.is_alone());
        self.accompanied = company || (self.accompanied && !alone);
        self.untold =
            (status.peer_seated && !company && !alone).then(|| (self.untold.map_or(now, |(since, _)| since), now));
        let before = self.stranger;
        self.stranger = match before {
            _ if status.peer_seated || alone => None,
            // A tool's attachment, or a stranger's beside it.
            before if !company => before,
            Some((since, last)) if now.duration_since(last) <= IN_A_ROW => Some((since, now)),
            _ => Some((now, now)),
        };
        if status.peer_seated {
            self.peer = Peer::Ours;
            return Verdict::Present;
        }
        match self.peer {
            Peer::Foreign if !alone => Verdict::Present,
            Peer::Ours | Peer::Foreign => Verdict::Gone,
            Peer::Unseen => match (before, self.stranger) {
                (Some((before, _)), Some((since, _))) if before == since && company && self.strangers => {
                    self.peer = Peer::Foreign;
                    Verdict::Present
                }
                _ => Verdict::Unseen,
            },
        }
    }

    /// Whether a writer may publish into memory that it has not written to
    /// before: a reader of ours is seated and attached
    /// here (else it is still on memory that was removed, and this memory would
    /// go with us), or a C program has been there for
    /// long enough to have wiped the flag already.
    ///
    /// ```
    /// # use shm_handoff::{backend::PeerStatus, inside::endpoint::*}; use std::time::*; let start = Instant::now(); let at = |ms| start + Duration::from_millis(ms);
    /// let elsewhere = PeerStatus { peer_seated: true, writer_failed: false, attached: 1, observers: 0, removed: false, reseated: false, ended: false };
    /// let mut watch = PeerWatch::new();
    /// watch.observe(elsewhere, at(0));
    /// assert!(!watch.may_publish_first(), "seated, and still on other memory");
    /// watch.observe(PeerStatus { attached: 2, ..elsewhere }, at(20));
    /// assert!(watch.may_publish_first());
    /// ```
    #[must_use]
    pub fn may_publish_first(&self) -> bool {
        match self.peer {
            Peer::Ours => {
                self.accompanied || self.untold.is_some_and(|(since, last)| last.duration_since(since) >= HERE)
            }
            Peer::Foreign => self.stranger.is_some_and(|(since, last)| last.duration_since(since) >= SETTLED),
            Peer::Unseen => false,
        }
    }
}
