//! Puts the lab's two pages together: one static file each language, with everything in it.
//!
//! `docs/lab/page` has the sources. What they name in double braces is put in here; the graphs are packed by gzip,
//! which the browser unpacks by itself. The same sources and graphs give the same bytes.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

/// Where the pages lie; their sources are in `page` below it.
const FOLDER: &str = "docs/lab";

/// A page each: its language, its words, its file.
const PAGES: [(&str, &str, &str); 2] =
    [("en", "words.en.json", "index.html"), ("zh-CN", "words.zh-CN.json", "index.zh-CN.html")];

/// What a page may have at most.
const MOST: usize = 1 << 20;

/// Both pages: where each belongs below `root`, and its text. `graphs`: the id and the JSON of each exercise, in order.
///
/// # Errors
/// A source can't be read, words are missing, or a page is too large.
pub(crate) fn pages(root: &Path, graphs: &[(String, String)]) -> Result<Vec<(String, String)>> {
    let source = |name: &str| {
        let path = root.join(FOLDER).join("page").join(name);
        std::fs::read_to_string(&path).map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    let (template, css) = (source("page.html")?, source("page.css")?);
    let script = [source("graph.js")?, source("picture.js")?, source("page.js")?].concat();
    let packed = graphs.iter().map(|(id, json)| pack(id, json)).collect::<Result<Vec<_>>>()?.join("\n");
    let list = source("exercises.json")?;
    let exercises: serde_json::Value = serde_json::from_str(&list)?;
    let listed = exercises.as_array().ok_or_else(|| wrong("exercises.json is no list".to_owned()))?;
    let text = |exercise: &'_ serde_json::Value, key| exercise[key].as_str().map(str::to_owned);
    let ids: Vec<_> = listed.iter().filter_map(|exercise| text(exercise, "id")).collect();
    let walked: Vec<_> = listed.iter().filter_map(|one| text(one, "graph").or_else(|| text(one, "id"))).collect();
    if let Some(id) = walked.iter().find(|id| graphs.iter().all(|(graph, _)| graph != *id)) {
        return Err(wrong(format!("exercises.json: there is no graph {id}")));
    }
    if let Some((id, _)) = graphs.iter().find(|(id, _)| !walked.contains(id)) {
        return Err(wrong(format!("exercises.json: no exercise walks the graph {id}")));
    }
    let mut pages = Vec::new();
    for (language, name, file) in PAGES {
        let worded = source(name)?;
        let words: serde_json::Value =
            serde_json::from_str(&worded).map_err(|error| wrong(format!("{name}: {error}")))?;
        if let Some(id) = ids.iter().find(|id| words["exercises"][*id].is_null()) {
            return Err(wrong(format!("{file}: the exercise {id} has no words")));
        }
        if let Some(missing) = without_words(graphs, &words)? {
            return Err(wrong(format!("{file}: no words for {missing}")));
        }
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            hash(&script),
            hash(&css)
        );
        let parts = [
            ("lang", language),
            ("policy", &policy),
            ("css", &css),
            ("exercises", &inline(&list)),
            ("words", &inline(&worded)),
            ("graphs", &packed),
            ("js", &script),
        ];
        let text = fill(&template, &parts, &words).map_err(|missing| wrong(format!("{file}: no {missing}")))?;
        if text.len() > MOST {
            return Err(wrong(format!("{file} would have {} bytes, and {MOST} is the most", text.len())));
        }
        pages.push((format!("{FOLDER}/{file}"), text));
    }
    Ok(pages)
}

/// A call of the kernel, an answer of it or an outcome in a graph that has no words in a page.
fn without_words(graphs: &[(String, String)], words: &serde_json::Value) -> Result<Option<String>> {
    for (id, json) in graphs {
        let graph: serde_json::Value = serde_json::from_str(json)?;
        let calls = graph["steps"].as_array().into_iter().flatten().filter(|step| step["op"] == "kernel");
        let mut needed: Vec<(&str, &serde_json::Value)> = Vec::new();
        for call in calls {
            needed.extend([("kernel", &call["name"]), ("kernelTells", &call["name"])]);
            let answer = call["value"].as_u64().and_then(|at| usize::try_from(at).ok());
            needed.extend(answer.map(|at| ("answers", &graph["values"][at])));
        }
        needed.extend(graph["outcomes"].as_array().into_iter().flatten().map(|outcome| ("outcomes", outcome)));
        let name = |name: &serde_json::Value| name.as_str().unwrap_or_default().to_owned();
        if let Some((group, missing)) = needed.into_iter().find(|(group, key)| !words[*group][name(key)].is_string()) {
            return Ok(Some(format!("{group}.{}, which {id} has", name(missing))));
        }
    }
    Ok(None)
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// `<` in a script ends it where `/script` follows; in JSON an escape says the same.
fn inline(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// A graph as a block of data. (No time and no name: the same graph gives the same bytes.)
fn pack(id: &str, json: &str) -> Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(json.as_bytes())?;
    let packed = BASE64_STANDARD.encode(gzip.finish()?);
    Ok(format!(r#"<script type="application/json" id="graph-{id}">{packed}</script>"#))
}

/// How a policy names a script or a style that stands in the page.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// The template with its parts, in one pass: what is put in is not looked at again.
fn fill(template: &str, parts: &[(&str, &str)], words: &serde_json::Value) -> std::result::Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").ok_or("closing braces")?;
        text += before;
        match name.strip_prefix("word:") {
            Some(path) => {
                let word = path.split('.').fold(words, |words, key| &words[key]);
                text += &escape(word.as_str().ok_or_else(|| format!("word {path}"))?);
            }
            None => text += parts.iter().find(|(part, _)| *part == name).ok_or_else(|| format!("part {name}"))?.1,
        }
        rest = behind;
    }
    Ok(text + rest)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
