//! The grammar of `OpenMetrics`, as far as this program uses it, and what a reader of the Prometheus text format refuses.

use super::*;
use crate::backend::sysv::proc::SegmentRow;
use std::collections::HashSet;

fn shown(key: u32, owner: &str) -> Shown {
    let row = SegmentRow { key, id: 7, mode: 0o600, size: 2052, creator_pid: 1, attached: 2, uid: 0, creator_uid: 0 };
    Shown { owner: owner.to_owned(), messages: Some(1), bytes: Some(6), ..super::super::look::from_row(&row) }
}

/// The name, the labels and the value of a sample.
type Parsed<'t> = (&'t str, Vec<(&'t str, String)>, u64);

fn parsed(line: &str) -> Parsed<'_> {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.chars().all(|char| char.is_ascii_lowercase() || char == '_'), "{line}");
    let mut labels = Vec::new();
    if let Some(more) = rest.strip_prefix('{') {
        rest = more;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap();
            assert!(label.chars().all(|char| char.is_ascii_lowercase() || char == '_'), "{line}");
            let (mut text, mut chars) = (String::new(), value.char_indices());
            let end = loop {
                match chars.next().unwrap() {
                    (_, '\\') => match chars.next().unwrap().1 {
                        'n' => text.push('\n'),
                        other @ ('\\' | '"') => text.push(other),
                        other => panic!("\\{other} is no escape: {line}"),
                    },
                    (at, '"') => break at + 1,
                    (_, other) => text.push(other),
                }
            };
            labels.push((label, text));
            rest = &value[end..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap();
    }
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap();
    (name, labels, value)
}

/// Panics where the grammar is broken; all samples.
fn samples(text: &str) -> Vec<Parsed<'_>> {
    let text = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
    let (mut samples, mut seen, mut names) = (Vec::new(), HashSet::new(), HashSet::new());
    let mut family = ("", "");
    for line in text.lines() {
        if let Some(about) = line.strip_prefix("# ") {
            let [word, name, rest] = about.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            match word {
                "TYPE" => {
                    // What else there is, a reader of the Prometheus text format refuses.
                    assert!(["gauge", "counter"].contains(&rest), "{line}");
                    assert!(names.insert(name), "a second family {name}");
                    family = (name, rest);
                }
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                "HELP" => assert!(!rest.contains(['\\', '"']) && rest.ends_with('.'), "{line}"),
                _ => panic!("{line}"),
            }
            assert_eq!(name, family.0, "a family is in one piece");
            assert!(name.starts_with("shm_handoff_") && !name.ends_with("_total"), "{name}");
            continue;
        }
        let (name, labels, value) = parsed(line);
        let of = if family.1 == "counter" { name.strip_suffix("_total") } else { Some(name) };
        assert_eq!(of, Some(family.0), "{line}");
        assert!(seen.insert(line.rsplit_once(' ').unwrap().0), "twice: {line}");
        samples.push((name, labels, value));
    }
    samples
}

#[test]
fn it_keeps_the_grammar() {
    let rows = [shown(0x4d2, "Zoë \"the\\first\"\n\x1b[2J"), shown(0, "root"), Shown { id: 8, ..shown(0, "root") }];
    let text = text(&rows, true);
    assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "{text:?}");
    let samples = samples(&text);
    let find = |name: &str, label: (&str, &str)| {
        let has = |labels: &[(&str, String)]| labels.iter().any(|(name, value)| (*name, &value[..]) == label);
        samples.iter().find(|(found, labels, _)| *found == name && has(labels)).map(|(.., value)| *value)
    };
    assert_eq!(find("shm_handoff_segment_info", ("owner", "Zoë \"the\\first\"\n?[2J")), Some(1));
    assert_eq!(find("shm_handoff_waiting_bytes", ("key", "0x000004d2")), Some(6));
    assert_eq!(find("shm_handoff_status", ("status", "foreign")), Some(1));
    assert_eq!(find("shm_handoff_status", ("status", "used")), Some(0));
    assert_eq!(find("shm_handoff_seated", ("role", "reader")), None, "it is not ours to judge");
    assert!(samples.iter().any(|(name, _, value)| *name == "shm_handoff_channels" && *value == 3));
}

/// Whatever a channel's status is, one sample of it is 1.
#[test]
fn a_channel_has_one_status() {
    for status in [Status::Used, Status::Ended, Status::Unreadable] {
        let text = text(&[Shown { status, ..shown(0x4d2, "root") }], false);
        let samples = samples(&text);
        let is = |(name, _, value): &&Parsed<'_>| *name == "shm_handoff_status" && *value == 1;
        let [(_, labels, _)] = samples.iter().filter(is).collect::<Vec<_>>()[..] else { panic!("{status:?}: {text}") };
        assert!(labels.contains(&("status", status.name().to_owned())), "{status:?}: {text}");
    }
}

#[test]
fn nothing_at_all_is_a_scrape_too() {
    let samples = |all| samples(&text(&[], all)).len();
    assert_eq!([samples(true), samples(false)], [2, 1]);
}
