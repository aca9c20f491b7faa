//! What a counterexample shows: who did what, what was ordered before what,
//! and which two accesses the trouble is between.

use crate::explore::Failure;
use shm_handoff::sync::Ordering;
use std::collections::{BTreeMap, HashSet};
use trace::{Action, Event, Place, Record};

/// For each thread, how many of its events are known.
type Clock = Vec<usize>;

/// One execution that went wrong.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) threads: Vec<String>,
    pub(crate) events: Vec<Event>,
    /// The two accesses that nothing orders, by their numbers.
    pub(crate) conflict: Option<(usize, usize)>,
    /// Which store gave an order to which load.
    pub(crate) edges: Vec<(usize, usize)>,
}

impl History {
    pub(crate) fn new(record: Record, failure: Failure) -> Self {
        // Of a race the last access is the one at which the checker stopped.
        let plain = if failure == Failure::WrongValue { sequentially_consistent(&record) } else { None };
        let Record { threads, events } = plain.unwrap_or(record);
        let (clocks, edges) = order(&threads, &events);
        let ordered = |first: usize, second: usize| {
            let thread = events[first].thread;
            clocks[second][thread] >= clocks[first][thread]
        };
        let conflict = match failure {
            Failure::WaitsForever => None,
            // The checker stopped at the second access.
            Failure::Race => last_access(&events).and_then(|second| {
                (0..second)
                    .rev()
                    .find(|first| conflicting(&events[*first], &events[second]))
                    .map(|first| (first, second))
            }),
            // What is read wrongly is what was written at the same time; then
            // two that wrote; then two of whom one wrote.
            Failure::WrongValue => {
                let pairs = || {
                    (0..events.len()).flat_map(|second| (0..second).rev().map(move |first| (first, second))).filter(
                        |(first, second)| conflicting(&events[*first], &events[*second]) && !ordered(*first, *second),
                    )
                };
                let text = |(first, _): &(usize, usize)| matches!(events[*first].place, Place::Text(..));
                let writes = |(first, second): &(usize, usize)| {
                    events[*first].action == Action::Store && events[*second].action == Action::Store
                };
                pairs().find(text).or_else(|| pairs().find(writes)).or_else(|| pairs().next())
            }
        };
        Self { threads, events, conflict, edges }
    }

    /// The place that the conflict is about.
    pub(crate) fn contested(&self) -> String {
        self.conflict.map_or("a place".to_owned(), |(first, _)| self.events[first].place.to_string())
    }

    /// Who sleeps forever and on which parked word, or else waits forever; and what it
    /// saw last.
    pub(crate) fn who_waits(&self) -> String {
        let Some(last) = self.events.last() else { return "nothing happened".to_owned() };
        let latest = |thread: usize| self.events.iter().rev().find(|event| event.thread == thread);
        let asleep: Vec<_> = (0..self.threads.len())
            .filter_map(|thread| latest(thread).filter(|event| event.action == Action::Sleep))
            .map(|event| {
                format!(
                    "`{}` sleeps forever on `{}`{}",
                    self.threads[event.thread],
                    event.place,
                    self.last_seen(event.thread)
                )
            })
            .collect();
        if asleep.is_empty() {
            return format!("`{}` waits forever{}", self.threads[last.thread], self.last_seen(last.thread));
        }
        asleep.join("; ")
    }

    fn last_seen(&self, thread: usize) -> String {
        match self.events.iter().rev().find(|event| event.thread == thread && event.action == Action::Load) {
            Some(Event { place, value: Some(value), .. }) => format!(": the last it saw was {place} = {value}"),
            _ => String::new(),
        }
    }
}

/// The same execution in an order in which each load sees the latest store, if
/// there is one: then anybody can follow it step by step, and no order of memory
/// would have prevented it. (The checker runs one thread for as long as it can,
/// and lets loads see older values instead.)
pub(crate) fn sequentially_consistent(record: &Record) -> Option<Record> {
    // As deep as the execution is long: too deep for the stack of a model's
    // thread, from which this may be asked.
    std::thread::scope(|scope| scope.spawn(|| linearise(record)).join().expect("it panics at nothing"))
}

fn linearise(record: &Record) -> Option<Record> {
    let mut lanes: Vec<Vec<usize>> = vec![Vec::new(); record.threads.len()];
    for (number, event) in record.events.iter().enumerate() {
        lanes[event.thread].push(number);
    }
    let mut dead_ends = HashSet::new();
    let mut path = Vec::new();
    extend(record, &lanes, &mut vec![0; lanes.len()], &BTreeMap::new(), &mut path, &mut dead_ends).then(|| Record {
        threads: record.threads.clone(),
        events: path.iter().map(|number| record.events[*number].clone()).collect(),
    })
}

type Memory = BTreeMap<Place, u64>;

/// How far each thread has come, and what it finds, where nothing leads to the
/// end.
type DeadEnds = HashSet<(Vec<usize>, Memory)>;

/// Puts one more event after `path`, and another, until all are there.
fn extend(
    record: &Record,
    lanes: &[Vec<usize>],
    done: &mut Vec<usize>,
    memory: &Memory,
    path: &mut Vec<usize>,
    dead_ends: &mut DeadEnds,
) -> bool {
    if path.len() == record.events.len() {
        return true;
    }
    let state = (done.clone(), memory.clone());
    if dead_ends.contains(&state) {
        return false;
    }
    // The thread that ran last goes on if it can: fewer switches to follow.
    let last = path.last().map_or(0, |number: &usize| record.events[*number].thread);
    let spawned =
        |thread: usize| thread == 0 || path.iter().any(|number| record.events[*number].action == Action::Spawn(thread));
    let turns: Vec<usize> =
        (0..lanes.len()).map(|turn| (last + turn) % lanes.len()).filter(|thread| spawned(*thread)).collect();
    for thread in turns {
        let Some(number) = lanes[thread].get(done[thread]) else { continue };
        let event = &record.events[*number];
        let mut after = memory.clone();
        let possible = match (event.action, event.value) {
            (Action::Load, Some(seen)) => memory.get(&event.place).copied().unwrap_or(0) == seen,
            (Action::Store, Some(value)) => {
                after.insert(event.place, value);
                true
            }
            (Action::Join(child), _) => done[child] == lanes[child].len(),
            // Who takes a lock does so in the order in which it was taken.
            (Action::Lock, _) => {
                let earlier = |other: &usize| *other < *number && record.events[*other].place == event.place;
                let locks = record.events.iter().enumerate().filter(|(_, other)| other.action == Action::Lock);
                locks.map(|(other, _)| other).filter(earlier).all(|other| path.contains(&other))
            }
            _ => true,
        };
        if possible {
            done[thread] += 1;
            path.push(*number);
            if extend(record, lanes, done, &after, path, dead_ends) {
                return true;
            }
            path.pop();
            done[thread] -= 1;
        }
    }
    dead_ends.insert(state);
    false
}

fn last_access(events: &[Event]) -> Option<usize> {
    events.iter().rposition(|event| matches!(event.action, Action::Load | Action::Store))
}

/// Whether two accesses are of one place, by two threads, and one writes.
fn conflicting(first: &Event, second: &Event) -> bool {
    let accesses = |event: &Event| matches!(event.action, Action::Load | Action::Store);
    accesses(first)
        && accesses(second)
        && first.place == second.place
        && first.place != Place::Nowhere
        && first.thread != second.thread
        && (first.action == Action::Store || second.action == Action::Store)
}

/// What each event knows of the others, and the edges that made it so. A load
/// is taken to have read the latest store of the value that it saw.
fn order(threads: &[String], events: &[Event]) -> (Vec<Clock>, Vec<(usize, usize)>) {
    let mut now = vec![vec![0; threads.len()]; threads.len()];
    let mut clocks: Vec<Clock> = Vec::new();
    let mut locks: Vec<(Place, Clock)> = Vec::new();
    let mut edges = Vec::new();
    for (number, event) in events.iter().enumerate() {
        let me = event.thread;
        now[me][me] += 1;
        match event.action {
            Action::Load if gives_order(event.order) => {
                let wrote = |store: &usize| {
                    let store = &events[*store];
                    store.action == Action::Store && store.place == event.place && store.value == event.value
                };
                let store = (0..number).rev().find(wrote);
                if let Some(store) =
                    store.filter(|store| gives_order(events[*store].order) && events[*store].thread != me)
                {
                    join(&mut now[me], &clocks[store]);
                    edges.push((store, number));
                }
            }
            Action::Spawn(child) => {
                let parent = now[me].clone();
                join(&mut now[child], &parent);
            }
            Action::Join(child) => {
                let child = now[child].clone();
                join(&mut now[me], &child);
            }
            Action::Lock => {
                if let Some((_, clock)) = locks.iter().find(|(lock, _)| *lock == event.place) {
                    join(&mut now[me], clock);
                }
                locks.retain(|(lock, _)| *lock != event.place);
                locks.push((event.place, now[me].clone()));
            }
            Action::Load | Action::Store | Action::Fence | Action::Wait | Action::Sleep | Action::Note => {}
        }
        clocks.push(now[me].clone());
    }
    (clocks, edges)
}

fn gives_order(order: Option<Ordering>) -> bool {
    !matches!(order, None | Some(Ordering::Relaxed))
}

fn join(clock: &mut Clock, other: &Clock) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}
