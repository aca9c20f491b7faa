//! Every link to something of ours leads there.

use crate::documents;
use crate::markdown::{Document, Heading};
use crate::root;
use std::collections::HashMap;
use std::path::Path;

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut looked_at = 0;
    for document in documents() {
        for (line, link) in &document.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            looked_at += 1;
            if !leads_somewhere(&document, link) {
                broken.push(format!("{}:{line}: {link}", document.path.display()));
            }
        }
    }
    assert!(looked_at > 50, "only {looked_at} links are found");
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

fn leads_somewhere(from: &Document, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let folder = from.path.parent().unwrap();
    let target = if path.is_empty() { from.path.clone() } else { folder.join(path) };
    if !root().join(&target).exists() {
        return false;
    }
    // Behind a page of the lab stands an exercise, which is in that page's list.
    if target.extension().is_some_and(|extension| extension == "html") {
        let page = std::fs::read_to_string(root().join(&target)).unwrap().replace(' ', "");
        return anchor.is_none_or(|exercise| page.contains(&format!("\"id\":\"{exercise}\"")));
    }
    anchor.is_none_or(|anchor| anchors(&target).iter().any(|there| there == anchor))
}

/// As GitHub makes them from headings.
fn anchors(path: &Path) -> Vec<String> {
    let mut times = HashMap::new();
    let named = |Heading { text, .. }: &Heading| {
        let mut name = text.to_lowercase().replace(' ', "-");
        name.retain(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let before = times.entry(name.clone()).or_insert(0);
        *before += 1;
        if *before == 1 { name } else { format!("{name}-{}", *before - 1) }
    };
    Document::read(path).headings.iter().map(named).collect()
}
