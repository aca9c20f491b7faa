//! Makes the lab: explores each exercise whole, and holds graphs, pages and the table of docs/verification.md against those on
//! record (`--check`), or writes them there (`--update`). ci/lab.sh builds and runs it.

#[cfg(not(explored))]
fn main() {
    eprintln!("lab: build it with RUSTFLAGS=\"--cfg explored\", as ci/lab.sh does");
    std::process::exit(2);
}

#[cfg(explored)]
mod exercise;
#[cfg(explored)]
mod graph;
#[cfg(explored)]
mod hooks;
#[cfg(explored)]
mod json;
#[cfg(explored)]
mod machine;
#[cfg(explored)]
mod page;
#[cfg(explored)]
mod record;
#[cfg(explored)]
mod run;
#[cfg(explored)]
mod side;
#[cfg(explored)]
mod stage;
#[cfg(explored)]
mod table;
#[cfg(explored)]
mod weaker;

#[cfg(explored)]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mode = match &wanted[..] {
        [mode] if mode == "--update" => record::Mode::Update,
        [mode] if mode == "--check" => record::Mode::Check,
        _ => {
            eprintln!("usage: lab --update | --check");
            return ExitCode::from(2);
        }
    };
    let graphs: Vec<_> = exercise::ALL.iter().map(|exercise| (exercise, graph::explore(exercise))).collect();
    for (exercise, graph) in &graphs {
        println!("{}", table::row(exercise, graph));
    }
    let weaker = weaker::all();
    for found in &weaker {
        println!("{}", table::weaker(found));
    }
    let graphs_by_id: Vec<(String, String)> =
        graphs.iter().map(|(exercise, graph)| (exercise.id.to_owned(), json::json(exercise, graph))).collect();
    let mut files = match page::pages(record::root(), &graphs_by_id) {
        Ok(pages) => pages,
        Err(error) => {
            eprintln!("lab: {error}");
            return ExitCode::FAILURE;
        }
    };
    files.extend(graphs_by_id.into_iter().map(|(id, json)| (format!("docs/lab/graphs/{id}.json"), json)));
    files.push(table::in_its_page(&graphs, &weaker));
    match record::held_against_what_is_there(mode, files) {
        0 => ExitCode::SUCCESS,
        wrong => {
            eprintln!("lab: {wrong} files are out of date: run ci/lab.sh --update, and look at what changed");
            ExitCode::FAILURE
        }
    }
}
