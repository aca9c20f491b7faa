//! Every function, struct, enum, union, trait and macro of the public API holds an example that asserts.

use public_api::PublicApi;
use rustdoc_types::{Crate, Item, ItemEnum};
use std::collections::BTreeSet;

/// What needs no example of its own, and why. One that has become superfluous is a failure.
const EXCEPT: &[(&str, &str)] = &[];

/// Whether all is shown; prints what isn't.
pub(crate) fn on_all_of(api: &PublicApi, krate: &Crate) -> bool {
    let written_by_impls = methods_of_trait_impls(krate);
    let (mut wanting, mut seen, mut unused) = (Vec::new(), BTreeSet::new(), EXCEPT.to_vec());
    for listed in api.items() {
        let id = listed.id();
        // What a trait's method does is said, and shown, at the trait.
        let Some(item) = krate.index.get(&id).filter(|_| !written_by_impls.contains(&id)) else { continue };
        if !needs_one(item) || !seen.insert(id) || item.docs.as_deref().is_some_and(asserts) {
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
        eprintln!("{place}: no example that asserts: {name}");
    }
    for (name, _) in &unused {
        eprintln!("tests/api/src/examples.rs: excused, but not wanting: {name}");
    }
    println!("api: {} items have to have an example that asserts, {} have none", seen.len(), wanting.len());
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

/// Whether a code block that rustdoc compiles and runs holds an assertion.
fn asserts(docs: &str) -> bool {
    let mut block = None;
    docs.lines().map(str::trim).any(|line| {
        if let Some(words) = line.strip_prefix("```") {
            block = match block {
                Some(_) => None,
                None => Some(runs(words)),
            };
            return false;
        }
        block == Some(true) && line.contains("assert")
    })
}

fn runs(words: &str) -> bool {
    words.split(',').map(str::trim).all(|word| word.is_empty() || word == "rust")
}

fn place(item: &Item) -> String {
    item.span.as_ref().map_or_else(String::new, |span| format!("{}:{}", span.filename.display(), span.begin.0))
}

#[cfg(test)]
mod tests {
    use super::asserts;

    #[test]
    fn an_assertion_counts_where_it_is_run() {
        assert!(asserts("One.\n\n```\nassert!(true);\n```\nMore."));
        assert!(asserts("```text\nassert\n```\n```rust\nassert_eq!(1, 1);\n```"));
        for docs in ["assert!(true);", "```no_run\nassert!(true);\n```", "```\n1 + 1;\n```\nassert!(true);"] {
            assert!(!asserts(docs), "{docs}");
        }
    }
}
