//! What a litmus test is: threads of a few steps each, every step of them with the line of the source
//! that it stands for, and the outcome that must not be.

use shm_handoff::orders::weakened::{self, Weaker};
use std::sync::atomic::Ordering;

/// What a step does. Words are named; all hold 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// Calls the function of the next steps.
    Call,
    Store(&'static str, u32),
    Load(&'static str),
    /// A fence of the table: the entry that was named last on the way to it.
    Fence,
    /// The same for the compiler alone.
    Light,
    /// All that follows is done only if the last load saw this.
    Only(u32),
}

/// Where a step stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// File in `src`, function, line.
    Source(&'static str, &'static str, &'static str),
    /// What the kernel does, with the order that its contract gives.
    Kernel(&'static str, Ordering),
}

pub(crate) type Step = (Op, At);

#[derive(Debug, Clone)]
pub(crate) struct Thread {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// What comes out: what a load of a thread saw, or what a word holds in the end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen {
    /// By the thread of this name, by its load of this word.
    By(&'static str, &'static str, u32),
    AtLast(&'static str, u32),
}

#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// `A1`.
    pub(crate) claim: &'static str,
    pub(crate) name: &'static str,
    /// What holds, or what is shown.
    pub(crate) what: &'static str,
    /// The table's entries that it is there for. (Others that its steps name have tests of their own.)
    pub(crate) of: &'static [&'static str],
    /// A fence of the kernel's that a twin leaves out: no entry of the table weakens it.
    pub(crate) kernels_fence: Option<&'static str>,
    pub(crate) threads: Vec<Thread>,
    /// What words hold at first, where it isn't 0.
    pub(crate) at_first: &'static [(&'static str, u32)],
    /// What must not be: all of the first list, and one of the second if there are any.
    pub(crate) bad: (&'static [Seen], &'static [Seen]),
    /// A defect that is shown, with these orders and no other ones, and what it is shown with.
    pub(crate) shown: Option<(Orders, &'static str)>,
}

/// The orders of a test.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Orders {
    Shipped,
    Weaker(Weaker),
    /// As shipped, without the fence that the kernel makes there.
    Without(&'static str),
    /// `UNORDERED`, which the tutorial's programs have.
    Unordered,
    /// The same, and the flag is a plain variable.
    Plain,
}

/// How a word is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A word of a text, or of a record's bytes.
    Text,
    /// A plain variable.
    Plain,
    Atomic(Ordering),
}

/// What a thread does, in these orders: a step that is no call, with its access or the order of its
/// fence, and the line of the source. A fence that is left out isn't there.
pub(crate) type Does = (Op, Access, At);

/// The table's entry that a line of the source names.
pub(crate) fn entry(line: &str) -> Option<&str> {
    let name = line.split("orders().").nth(1)?;
    Some(name.split(|next: char| !next.is_alphanumeric() && next != '_').next().unwrap_or(name))
}

impl Orders {
    /// The order of an entry; `None`: a fence that is left out.
    fn of(self, entry: &str) -> Option<Ordering> {
        let shipped = weakened::each().into_iter().find(|weaker| weaker.entry == entry);
        let shipped = shipped.unwrap_or_else(|| panic!("`{entry}` is no entry of the table")).from;
        match self {
            Self::Weaker(weaker) if weaker.entry == entry => weaker.to,
            Self::Unordered | Self::Plain => Some(Ordering::Relaxed),
            Self::Weaker(_) | Self::Without(_) | Self::Shipped => Some(shipped),
        }
    }
}

impl Thread {
    /// What it does in these orders. Without its light fence the compiler may swap what stands around that.
    pub(crate) fn does(&self, orders: Orders) -> Vec<Does> {
        let (mut fence, mut swapped) = (None, None);
        let mut does = Vec::new();
        for &(op, at) in &self.steps {
            let named = match at {
                At::Source(_, _, line) => entry(line),
                At::Kernel(..) => None,
            };
            fence = named.filter(|name| name.starts_with("fence_")).or(fence);
            let of_fence = || orders.of(fence.expect("an entry that names the fence"));
            let access = match (op, at) {
                (Op::Call, _) => continue,
                (Op::Fence, At::Kernel(what, _)) if matches!(orders, Orders::Without(left_out) if left_out == what) => {
                    continue;
                }
                (_, At::Kernel(_, order)) => Access::Atomic(order),
                (Op::Fence, _) => match of_fence() {
                    Some(order) => Access::Atomic(order),
                    None => continue,
                },
                (Op::Light, _) => {
                    if of_fence() != Some(Ordering::SeqCst) {
                        swapped = Some(does.len());
                    }
                    continue;
                }
                (_, At::Source(_, _, line)) => match named {
                    Some(_) if matches!(orders, Orders::Plain) => Access::Plain,
                    Some(entry) => Access::Atomic(orders.of(entry).expect("an access, no fence")),
                    None if line.contains("RELAXED") => Access::Atomic(Ordering::Relaxed),
                    None => Access::Text,
                },
            };
            does.push((op, access, at));
        }
        if let Some(light) = swapped {
            let is = |what: fn(&Op) -> bool| move |(op, ..): &Does| what(op);
            let before = does[..light].iter().rposition(is(|op| matches!(op, Op::Store(..)))).expect("a store");
            let behind = does.iter().rposition(is(|op| matches!(op, Op::Load(_)))).expect("a load");
            does.swap(before, behind);
        }
        does
    }
}

impl Test {
    /// The lines of the source that its steps stand for.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'static str> {
        self.threads.iter().flat_map(|thread| &thread.steps).filter_map(|(_, at)| match *at {
            At::Source(_, _, line) => Some(line),
            At::Kernel(..) => None,
        })
    }

    /// The orders that it is tried with; each with its name in the table of T (or `unfenced`), and what that says.
    pub(crate) fn variants(&self) -> Vec<(Orders, Option<String>, String)> {
        if let Some((orders, with)) = self.shown {
            return vec![(orders, None, with.to_owned())];
        }
        let mut all = vec![(Orders::Shipped, None, "as shipped".to_owned())];
        for (number, weaker) in weakened::each().into_iter().enumerate() {
            if self.of.contains(&weaker.entry) {
                let to = weaker.to.map_or("left out".to_owned(), |to| format!("{to:?}"));
                let what = format!("`{}`: {:?} → {to}", weaker.entry, weaker.from);
                all.push((Orders::Weaker(weaker), Some(format!("T{}", number + 1)), what));
            }
        }
        if let Some(what) = self.kernels_fence {
            all.push((Orders::Without(what), Some("unfenced".to_owned()), format!("{what}: SeqCst → left out")));
        }
        all
    }

    /// The words of a thread, in the order in which it comes to them.
    pub(crate) fn words(thread: &Thread) -> Vec<&'static str> {
        let mut words = Vec::new();
        for (op, _) in &thread.steps {
            if let Op::Store(word, _) | Op::Load(word) = *op
                && !words.contains(&word)
            {
                words.push(word);
            }
        }
        words
    }

    /// All words, and what they hold at first.
    pub(crate) fn all_words(&self) -> Vec<(&'static str, u32)> {
        let mut words: Vec<_> = self.threads.iter().flat_map(Self::words).collect();
        words.sort_unstable();
        words.dedup();
        let at_first = |word| self.at_first.iter().find(|(name, _)| *name == word).map_or(0, |(_, value)| *value);
        words.into_iter().map(|word| (word, at_first(word))).collect()
    }

    /// The condition, by what the load of a thread and a word are called.
    pub(crate) fn condition(
        &self,
        orders: Orders,
        load: impl Fn(usize, usize) -> String,
        word: impl Fn(&str) -> String,
    ) -> String {
        let one = |seen: &Seen| match *seen {
            Seen::By(name, of, value) => {
                let thread = self.threads.iter().position(|thread| thread.name == name).expect("a thread of the test");
                let does = self.threads[thread].does(orders);
                let mut loads = does.iter().filter(|(op, ..)| matches!(op, Op::Load(_)));
                let number = loads.position(|(op, ..)| *op == Op::Load(of)).expect("a load of the thread");
                format!("{}={value}", load(thread, number))
            }
            Seen::AtLast(name, value) => format!("{}={value}", word(name)),
        };
        let mut all: Vec<_> = self.bad.0.iter().map(one).collect();
        let any: Vec<_> = self.bad.1.iter().map(one).collect();
        if !any.is_empty() {
            all.push(format!("({})", any.join(" \\/ ")));
        }
        format!("exists ({})", all.join(" /\\ "))
    }
}
