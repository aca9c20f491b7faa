//! What counts as gone wrong, by what the sides have said.

use super::{AAA, BBB, END, Outcome, Seen};
use crate::stage::Said;

/// What is printed is what was sent, in this order.
pub(super) fn in_order(seen: &Seen<'_>, lines: &[&str]) -> Option<Outcome> {
    for (at, printed) in seen.printed().into_iter().enumerate() {
        if lines.get(at) == Some(&printed) {
            continue;
        }
        let is_old = printed.is_empty() || lines[..at.min(lines.len())].contains(&printed);
        return Some(if is_old { Outcome::Stale } else { Outcome::Torn });
    }
    None
}

/// Nothing that was sent is missing when all is over, and nobody waits forever.
pub(super) fn complete(seen: &Seen<'_>) -> Option<Outcome> {
    let printed = seen.printed();
    let lost = seen.settled && seen.sent().iter().any(|line| !printed.contains(line));
    lost.then_some(Outcome::Lost).or_else(|| ends(seen))
}

/// The same; but what was sent to a reader that was killed waits for the next one.
pub(super) fn complete_for_a_living_reader(seen: &Seen<'_>) -> Option<Outcome> {
    let reader_died = *seen.died.last().expect("the reader is the last side");
    if reader_died { ends(seen) } else { complete(seen) }
}

pub(super) fn ends(seen: &Seen<'_>) -> Option<Outcome> {
    (seen.settled && seen.stuck).then_some(Outcome::Hang)
}

pub(super) fn two_messages(seen: &Seen<'_>) -> Option<Outcome> {
    in_order(seen, &[AAA, BBB]).or_else(|| complete(seen))
}

pub(super) fn judged_rightly(seen: &Seen<'_>) -> Option<Outcome> {
    let said: Vec<&Said> = seen.all().collect();
    said.windows(2).find_map(|pair| match pair {
        [Said::Printed(line), Said::GoesOn] if line == END => Some(Outcome::MissedEnd),
        [Said::Printed(line), Said::Ends] if line != END => Some(Outcome::FalseEnd),
        _ => None,
    })
}

pub(super) fn no_line_mixed(seen: &Seen<'_>) -> Option<Outcome> {
    let printed = seen.printed();
    let count = |lines: &[&str], line: &str| lines.iter().filter(|other| **other == line).count();
    if printed.iter().any(|line| ![AAA, BBB, END].contains(line)) {
        return Some(Outcome::Mixed);
    }
    if printed.iter().any(|line| count(&printed, line) > count(&seen.sent(), line).max(1)) {
        return Some(Outcome::Doubled);
    }
    complete(seen)
}
