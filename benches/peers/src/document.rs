//! Where the results go.

use crate::args::Args;
use crate::peer::Entry;
use crate::samples::Samples;
use crate::{Failure, plot, table};
use std::path::Path;

pub(crate) struct Document<'r> {
    pub(crate) samples: &'r Samples,
    pub(crate) entries: &'r [Entry],
    pub(crate) cores: [usize; 2],
    pub(crate) quick: bool,
}

const BEGIN: &str = "<!-- peers -->";
const END: &str = "<!-- end -->";

impl Document<'_> {
    pub(crate) fn give(&self, args: &Args) -> Result<(), Failure> {
        let text = table::markdown(self);
        println!("{text}");
        if let Some(path) = &args.json {
            let failures: Vec<_> = self.samples.failures.iter().collect();
            let all = serde_json::json!({ "samples": self.samples.all, "failures": failures });
            std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
        }
        if args.write {
            let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
            std::fs::write(docs.join("pictures/peers.svg"), plot::svg(self))?;
            rewrite(&docs.join("benchmarks.md"), &text)?;
        }
        Ok(())
    }
}

/// Puts `text` between the markers.
fn rewrite(path: &Path, text: &str) -> Result<(), Failure> {
    let old = std::fs::read_to_string(path)?;
    let missing = || format!("{} has no {BEGIN} ... {END}", path.display());
    let (before, rest) = old.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(std::fs::write(path, format!("{before}{BEGIN}\n{text}\n{END}{after}"))?)
}
