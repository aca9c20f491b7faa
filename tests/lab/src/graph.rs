//! The whole graph of an exercise: every state that its sides can come to, and every step from each.

use crate::exercise::{Exercise, Outcome, Seen};
use crate::run::{Key, Run};
use crate::stage::{Move, Said, Side, Status, Step};
use std::collections::{HashMap, VecDeque};

/// A side, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SideShown {
    pub(crate) status: Status,
    pub(crate) line: Option<String>,
    pub(crate) saw: Option<u64>,
    pub(crate) copy: Vec<u64>,
    pub(crate) said: Vec<Said>,
}

/// A state, as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) sides: Vec<SideShown>,
    /// For each word, the newest value, and what each side could see; a side that is over sees the newest.
    pub(crate) words: Vec<Word>,
    pub(crate) raced: bool,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) steps: Vec<(usize, Step, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) name: (&'static str, usize, usize),
    pub(crate) newest: u64,
    pub(crate) seen_by: Vec<Vec<u64>>,
}

impl State {
    fn shows_as(&self, other: &Self) -> bool {
        (&self.sides, &self.words, self.raced) == (&other.sides, &other.words, other.raced)
    }
}

/// All states; the first one is the beginning.
pub(crate) struct Graph {
    pub(crate) states: Vec<State>,
    /// Ways to a state that was there already, each of which was seen to lead on as the first one does.
    pub(crate) agreed: usize,
}

/// More states than this are not for a person to play with, and most likely a wait that is not recognised as one.
const MOST: usize = 60_000;

/// How far a second way to a state is followed.
const FURTHER: usize = 64;

pub(crate) fn explore(exercise: &Exercise) -> Graph {
    let start = || Run::new(exercise.sides, exercise.plain_text, exercise.cast);
    let to = |path: &[Move]| {
        let mut run = start();
        for way in path {
            run.make(*way);
        }
        run
    };
    let mut numbers: HashMap<Key, usize> = HashMap::new();
    let mut states = Vec::new();
    let mut queue = VecDeque::new();
    let first = start();
    numbers.insert(first.key(), 0);
    states.push(shown(&first));
    drop(first);
    queue.push_back((0, Vec::new()));
    let mut again = Vec::new();
    while let Some((at, path)) = queue.pop_front() {
        let moves = to(&path).moves(exercise.mortal);
        for way in moves {
            let mut run = to(&path);
            let step = run.make(way);
            let key = run.key();
            let mut path = path.clone();
            path.push(way);
            let next = states.len();
            let target = *numbers.entry(key).or_insert(next);
            if target == next {
                states.push(shown(&run));
                assert!(states.len() <= MOST, "{}: more than {MOST} states", exercise.id);
                queue.push_back((target, path));
            } else {
                again.push((target, path));
            }
            states[at].steps.push((way.0, step, target));
        }
    }
    let agreed = again.len();
    for (walk, (state, path)) in again.into_iter().enumerate() {
        leads_on_alike(exercise, &states, &numbers, state, walk, || to(&path));
    }
    let mut graph = Graph { states, agreed };
    judge(exercise, &mut graph);
    graph
}

/// States are told apart by what their sides know. Two ways to one state have to show the same and to lead on alike: in every
/// next step, and further along one walk, for what a key leaves out may show some steps later.
fn leads_on_alike(
    exercise: &Exercise,
    states: &[State],
    numbers: &HashMap<Key, usize>,
    state: usize,
    walk: usize,
    to: impl Fn() -> Run,
) {
    let (shows, moves) = {
        let run = to();
        (shown(&run), run.moves(exercise.mortal))
    };
    assert!(states[state].shows_as(&shows), "{}: two ways to state {state} show different things", exercise.id);
    let steps: Vec<_> = moves
        .into_iter()
        .map(|way| {
            let mut run = to();
            let step = run.make(way);
            (way.0, step, numbers.get(&run.key()).copied())
        })
        .collect();
    let known = &states[state].steps;
    let alike = steps.len() == known.len()
        && steps.iter().zip(known).all(|(one, other)| one.0 == other.0 && one.1 == other.1 && one.2 == Some(other.2));
    assert!(alike, "{}: two ways to state {state} lead on differently:\n{steps:?}\n{known:?}", exercise.id);
    // The same walk each time, another one for each way.
    let (mut on, mut at) = (to(), state);
    for turn in 0..FURTHER {
        let moves = on.moves(exercise.mortal);
        if moves.is_empty() {
            break;
        }
        let choice = walk.wrapping_mul(0x9e37_79b9).wrapping_add(turn.wrapping_mul(0x85eb_ca6b)) >> 7;
        let choice = choice % moves.len();
        let step = on.make(moves[choice]);
        let (side, expected, target) = &states[at].steps[choice];
        let alike = moves.len() == states[at].steps.len()
            && (moves[choice].0, &step) == (*side, expected)
            && numbers.get(&on.key()) == Some(target);
        assert!(alike, "{}: {} steps behind a second way to state {state} something differs", exercise.id, turn + 1);
        at = *target;
    }
}

fn shown(run: &Run) -> State {
    let is_over = |side: &Side| matches!(side.status, Status::Ended | Status::Dead);
    run.show(|sides, machine, names, raced| State {
        sides: sides
            .iter()
            .map(|side| SideShown {
                status: side.status,
                line: side.line.clone(),
                // What a process had for itself goes with it.
                saw: side.saw.filter(|_| side.status != Status::Dead),
                copy: if side.status == Status::Dead { Vec::new() } else { side.copy.clone() },
                said: side.said.clone(),
            })
            .collect(),
        words: (0..machine.places())
            .map(|place| Word {
                name: names[place],
                newest: machine.newest(place),
                seen_by: sides
                    .iter()
                    .enumerate()
                    .map(
                        |(at, side)| {
                            if is_over(side) { vec![machine.newest(place)] } else { machine.visible(at, place) }
                        },
                    )
                    .collect(),
            })
            .collect(),
        raced,
        outcome: None,
        steps: Vec::new(),
    })
}

/// Notes what has gone wrong where, and leaves out what comes after.
fn judge(exercise: &Exercise, graph: &mut Graph) {
    let states = &graph.states;
    let over = |state: &State| state.sides.iter().all(|side| matches!(side.status, Status::Ended | Status::Dead));
    // From where somebody can still come to the end, and from where somebody will still say something.
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); states.len()];
    for (at, state) in states.iter().enumerate() {
        for (_, step, target) in &state.steps {
            if !step.killed {
                before[*target].push(at);
            }
        }
    }
    let reaches = |ends: Vec<usize>| {
        let mut reached = vec![false; states.len()];
        let mut left = ends;
        while let Some(at) = left.pop() {
            if !std::mem::replace(&mut reached[at], true) {
                left.extend(&before[at]);
            }
        }
        reached
    };
    let ends = reaches((0..states.len()).filter(|at| over(&states[*at])).collect());
    let said = |at: usize| -> Vec<&[Said]> { states[at].sides.iter().map(|side| &*side.said).collect() };
    let speaks = reaches(
        (0..states.len())
            .filter(|at| states[*at].steps.iter().any(|(_, step, target)| !step.killed && said(*target) != said(*at)))
            .collect(),
    );
    let outcomes: Vec<Option<Outcome>> = (0..states.len())
        .map(|at| {
            let settled = !speaks[at];
            let died = states[at].sides.iter().map(|side| side.status == Status::Dead).collect();
            exercise.outcome(&Seen { said: said(at), died, raced: states[at].raced, settled, stuck: !ends[at] })
        })
        .collect();
    for (state, outcome) in graph.states.iter_mut().zip(outcomes) {
        state.outcome = outcome;
        if outcome.is_some() {
            state.steps.clear();
        }
    }
    keep_what_is_reached(graph);
}

fn keep_what_is_reached(graph: &mut Graph) {
    let mut numbers = vec![None; graph.states.len()];
    let mut order = vec![0];
    numbers[0] = Some(0);
    let mut at = 0;
    while let Some(state) = order.get(at).copied() {
        for (_, _, target) in &graph.states[state].steps {
            if numbers[*target].is_none() {
                numbers[*target] = Some(order.len());
                order.push(*target);
            }
        }
        at += 1;
    }
    let states = order.iter().map(|old| {
        let mut state = graph.states[*old].clone();
        for (_, _, target) in &mut state.steps {
            *target = numbers[*target].expect("it is reached");
        }
        state
    });
    graph.states = states.collect();
}

/// A shortest way to something that goes wrong: the steps, each with its side.
pub(crate) fn shortest(graph: &Graph, wanted: impl Fn(&State) -> bool) -> Option<Vec<(usize, Step)>> {
    let mut from: Vec<Option<(usize, usize)>> = vec![None; graph.states.len()];
    let mut queue = VecDeque::from([0]);
    let mut seen = vec![false; graph.states.len()];
    seen[0] = true;
    while let Some(at) = queue.pop_front() {
        if wanted(&graph.states[at]) {
            let mut steps = Vec::new();
            let mut here = at;
            while let Some((before, number)) = from[here] {
                let (side, step, _) = &graph.states[before].steps[number];
                steps.push((*side, step.clone()));
                here = before;
            }
            steps.reverse();
            return Some(steps);
        }
        for (number, (_, _, target)) in graph.states[at].steps.iter().enumerate() {
            if !std::mem::replace(&mut seen[*target], true) {
                from[*target] = Some((at, number));
                queue.push_back(*target);
            }
        }
    }
    None
}
