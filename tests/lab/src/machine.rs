//! The memory of an exercise, as C's and Rust's rules have it (those that loom explores, too): a load sees any store that
//! nothing it has seen comes after; an Acquire load takes over what the Release store that it sees had seen; a fence does
//! so for the accesses around it.
//!
//! Two things that these rules allow are left out, as in loom: no load sees a store that is made later, and the stores to one
//! word take effect in the order in which they are made. Loads and stores that are `SeqCst` are refused: the protocol has none.

use shm_handoff::sync::Ordering;

/// For each word, the number of the oldest store that can still be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct View(Vec<usize>);

impl View {
    fn of(&self, place: usize) -> usize {
        self.0.get(place).copied().unwrap_or(0)
    }

    fn raise(&mut self, place: usize, to: usize) {
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = self.0[place].max(to);
    }

    fn join(&mut self, other: &Self) {
        other.0.iter().enumerate().for_each(|(place, to)| self.raise(place, *to));
    }
}

#[derive(Debug, Clone)]
struct Store {
    value: u64,
    /// What an Acquire load takes over from it.
    gives: View,
    knows: Clock,
}

/// How far each side's steps are known to come before.
type Clock = View;

/// A side's last plain access of a kind to a word, by its time.
#[derive(Debug, Clone)]
struct Access {
    place: usize,
    side: usize,
    stores: bool,
    time: usize,
}

#[derive(Debug, Clone, Default)]
struct Side {
    sees: View,
    /// What a fence would make it see.
    pending: View,
    /// What its stores give since its last fence.
    gives: View,
    /// The same three of what comes before.
    knows: Clock,
    pending_knows: Clock,
    gives_knows: Clock,
}

/// All words, and what each side can see of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    places: Vec<Vec<Store>>,
    /// Plain accesses, each side's last of each kind to each word.
    plain: Vec<Access>,
    sides: Vec<Side>,
    fences: View,
    fences_know: Clock,
    /// By address, in the order in which they were first taken.
    locks: Vec<(usize, View, Clock)>,
}

fn acquires(order: Option<Ordering>) -> bool {
    matches!(order, Some(Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst))
}

fn releases(order: Option<Ordering>) -> bool {
    matches!(order, Some(Ordering::Release | Ordering::AcqRel | Ordering::SeqCst))
}

impl Machine {
    pub(crate) fn new(sides: usize) -> Self {
        Self { sides: vec![Side::default(); sides], ..Self::default() }
    }

    pub(crate) fn place(&mut self, value: u64) -> usize {
        self.places.push(vec![Store { value, gives: View::default(), knows: Clock::default() }]);
        self.places.len() - 1
    }

    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn newest(&self, place: usize) -> u64 {
        self.places[place].last().expect("a word has a value").value
    }

    /// Before the sides begin everybody sees everything.
    pub(crate) fn set(&mut self, place: usize, value: u64) {
        self.places[place] = vec![Store { value, gives: View::default(), knows: Clock::default() }];
    }

    /// The values that a load of `side` can see, the oldest first.
    pub(crate) fn visible(&self, side: usize, place: usize) -> Vec<u64> {
        self.places[place][self.sides[side].sees.of(place)..].iter().map(|store| store.value).collect()
    }

    /// Takes the value number `choice` of those; with whether it is an old one.
    pub(crate) fn load(&mut self, side: usize, place: usize, choice: usize, order: Option<Ordering>) -> (u64, bool) {
        assert_ne!(order, Some(Ordering::SeqCst), "no access has a place in the one order of SeqCst here");
        let at = self.sides[side].sees.of(place) + choice;
        let Store { value, gives, knows } = self.places[place][at].clone();
        let side = &mut self.sides[side];
        side.sees.raise(place, at);
        side.pending.join(&gives);
        side.pending_knows.join(&knows);
        if acquires(order) {
            side.sees.join(&gives);
            side.knows.join(&knows);
        }
        (value, at + 1 < self.places[place].len())
    }

    pub(crate) fn store(&mut self, side: usize, place: usize, value: u64, order: Option<Ordering>) {
        assert_ne!(order, Some(Ordering::SeqCst), "no access has a place in the one order of SeqCst here");
        let at = self.places[place].len();
        let side = &mut self.sides[side];
        side.sees.raise(place, at);
        let (mut gives, knows) = if releases(order) {
            (side.sees.clone(), side.knows.clone())
        } else {
            (side.gives.clone(), side.gives_knows.clone())
        };
        gives.raise(place, at);
        self.places[place].push(Store { value, gives, knows });
    }

    pub(crate) fn fence(&mut self, side: usize, order: Ordering) {
        let side = &mut self.sides[side];
        if acquires(Some(order)) {
            side.sees.join(&side.pending);
            side.knows.join(&side.pending_knows);
        }
        if order == Ordering::SeqCst {
            side.sees.join(&self.fences);
            side.knows.join(&self.fences_know);
            self.fences = side.sees.clone();
            self.fences_know = side.knows.clone();
        }
        if releases(Some(order)) {
            side.gives = side.sees.clone();
            side.gives_knows = side.knows.clone();
        }
    }

    /// A lock is taken and given back; nothing is stored behind it. (`None`: before the sides begin.)
    pub(crate) fn lock(&mut self, side: Option<usize>, lock: usize) {
        let at = self.locks.iter().position(|(known, ..)| *known == lock).unwrap_or_else(|| {
            self.locks.push((lock, View::default(), Clock::default()));
            self.locks.len() - 1
        });
        let Some(side) = side.map(|side| &mut self.sides[side]) else { return };
        let (_, seen, known) = &mut self.locks[at];
        side.sees.join(seen);
        seen.join(&side.sees);
        side.knows.join(known);
        known.join(&side.knows);
    }

    /// Notes a plain access; whether nothing orders it and another side's to the same word, one of them a store.
    pub(crate) fn races(&mut self, at: usize, place: usize, stores: bool) -> bool {
        let side = &mut self.sides[at];
        let time = side.knows.of(at) + 1;
        side.knows.raise(at, time);
        let races = self.plain.iter().any(|other| {
            other.place == place
                && other.side != at
                && (stores || other.stores)
                && other.time > side.knows.of(other.side)
        });
        self.plain.retain(|other| (other.place, other.side, other.stores) != (place, at, stores));
        self.plain.push(Access { place, side: at, stores, time });
        races
    }

    /// What the rest of an exercise can depend on: stores that nobody can see any more are left out.
    pub(crate) fn key(&self, live: &[bool]) -> Vec<u64> {
        let mut key = Vec::new();
        let oldest: Vec<usize> = (0..self.places.len())
            .map(|place| {
                let sees = self.sides.iter().zip(live).filter(|(_, live)| **live).map(|(side, _)| side.sees.of(place));
                sees.min().unwrap_or(self.places[place].len() - 1)
            })
            .collect();
        // First what says how many numbers follow: so different states never come to one key.
        key.push(self.locks.len() as u64);
        for (place, stores) in self.places.iter().enumerate() {
            let left = &stores[oldest[place]..];
            key.push(left.len() as u64);
            key.extend(left.iter().map(|store| store.value));
        }
        let mut note = |view: &View| {
            for (place, oldest) in oldest.iter().enumerate() {
                // The newest store alone: a view of it says no more than none.
                key.push(view.of(place).saturating_sub(*oldest) as u64);
            }
        };
        for (side, live) in self.sides.iter().zip(live) {
            if *live {
                [&side.sees, &side.pending, &side.gives].into_iter().for_each(&mut note);
            }
        }
        note(&self.fences);
        self.locks.iter().for_each(|(_, view, _)| note(view));
        for (place, stores) in self.places.iter().enumerate() {
            for store in &stores[oldest[place]..] {
                note(&store.gives);
            }
        }
        let mut plain: Vec<&Access> = self.plain.iter().collect();
        plain.sort_unstable_by_key(|access| (access.place, access.side, access.stores));
        for Access { place, side, stores, time } in plain {
            // Known to whom, and to whom it will be.
            let known = |knows: &Clock| u64::from(knows.of(*side) >= *time);
            key.extend([*place as u64, *side as u64, u64::from(*stores)]);
            for other in &self.sides {
                key.extend([&other.knows, &other.pending_knows, &other.gives_knows].map(known));
            }
            key.push(known(&self.fences_know));
            key.extend(self.locks.iter().map(|(.., knows)| known(knows)));
            for (place, stores) in self.places.iter().enumerate() {
                key.extend(stores[oldest[place]..].iter().map(|store| known(&store.knows)));
            }
        }
        key
    }
}
