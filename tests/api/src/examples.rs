//! Every function, struct, enum, union, trait and macro of the public API is used in an example that asserts: in
//! its own, or in that of a sister.

use public_api::PublicApi;
use rustdoc_types::{Crate, Item, ItemEnum};
use std::collections::BTreeSet;

/// What needs no example of its own, and why. One that has become superfluous is a failure.
const EXCEPT: &[(&str, &str)] = &[];

/// Whether all is shown; prints what isn't.
pub(crate) fn on_all_of(api: &PublicApi, krate: &Crate) -> bool {
    let written_by_impls = methods_of_trait_impls(krate);
    let used = krate.index.values().filter_map(|item| item.docs.as_deref()).flat_map(words).collect::<BTreeSet<_>>();
    let (mut wanting, mut seen, mut unused) = (Vec::new(), BTreeSet::new(), EXCEPT.to_vec());
    for listed in api.items() {
        let id = listed.id();
        // What a trait's method does is said, and shown, at the trait.
        let Some(item) = krate.index.get(&id).filter(|_| !written_by_impls.contains(&id)) else { continue };
        let is_used = item.name.as_deref().is_some_and(|name| used.contains(name))
            || item.docs.as_deref().is_some_and(|docs| !words(docs).is_empty());
        if !needs_one(item) || !seen.insert(id) || is_used {
            continue;
        }
        let name = listed.to_string();
        let excused = unused.iter().position(|(except, _)| name == *except);
        match excused {
            Some(at) => drop(unused.remove(at)),
            None => wanting.push((place(item), name)),
        }
    }
    for (place, name) in &wanting {
        eprintln!("{place}: in no example that asserts: {name}");
    }
    for (name, _) in &unused {
        eprintln!("tests/api/src/examples.rs: excused, but not wanting: {name}");
    }
    println!("api: {} items have to be in an example that asserts, {} are in none", seen.len(), wanting.len());
    wanting.is_empty() && unused.is_empty()
}

fn needs_one(item: &Item) -> bool {
    matches!(
        item.inner,
        ItemEnum::Function(_)
            | ItemEnum::Struct(_)
            | ItemEnum::Enum(_)
            | ItemEnum::Union(_)
            | ItemEnum::Trait(_)
            | ItemEnum::Macro(_)
            | ItemEnum::ProcMacro(_)
    )
}

fn methods_of_trait_impls(krate: &Crate) -> BTreeSet<rustdoc_types::Id> {
    let impls = krate.index.values().filter_map(|item| match &item.inner {
        ItemEnum::Impl(found) if found.trait_.is_some() => Some(&found.items),
        _ => None,
    });
    impls.flatten().copied().collect()
}

/// The words of those code blocks that rustdoc compiles and runs, and that assert.
fn words(docs: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in docs.lines().map(str::trim) {
        if let Some(attributes) = line.strip_prefix("```") {
            block = match block.take() {
                Some(words) => {
                    found.extend(if asserts(&words) { words } else { Vec::new() });
                    None
                }
                // (One that is not run is gone through, to find its end.)
                None => Some(if runs(attributes) { Vec::new() } else { vec![NOT_RUN] }),
            };
        } else if let Some(words) = block.as_mut().filter(|words| words.first() != Some(&NOT_RUN)) {
            let code = line.split("// ").next().unwrap_or_default();
            words.extend(code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()));
        }
    }
    found
}

const NOT_RUN: &str = "```";

fn asserts(words: &[&str]) -> bool {
    words.iter().any(|word| word.starts_with("assert"))
}

fn runs(words: &str) -> bool {
    words.split(',').map(str::trim).all(|word| word.is_empty() || word == "rust")
}

fn place(item: &Item) -> String {
    item.span.as_ref().map_or_else(String::new, |span| format!("{}:{}", span.filename.display(), span.begin.0))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_word_counts_where_it_is_run_and_something_is_asserted() {
        assert_eq!(words("One.\n\n```\nassert!(one.two());\n```\nMore."), ["assert", "one", "two"]);
        assert_eq!(words("```text\nassert\n```\n```rust\nassert_eq!(a_b, 1); // c\n```"), ["assert_eq", "a_b", "1"]);
        for docs in ["assert!(true);", "```no_run\nassert!(true);\n```", "```\n1 + 1;\n```\nassert!(true);"] {
            assert_eq!(words(docs), [""; 0], "{docs}");
        }
    }
}
