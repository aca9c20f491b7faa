//! `api JSON FILE [--update]`: compares the public API with what FILE says it is, and wants every item of it
//! in an example that asserts. JSON is rustdoc's. Called by `ci/api.sh`.

mod examples;

use public_api::PublicApi;
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (json, listed, update) = match args.as_slice() {
        [json, listed] => (json, listed, false),
        [json, listed, update] if update == "--update" => (json, listed, true),
        _ => {
            eprintln!("usage: api JSON FILE [--update]");
            return ExitCode::from(2);
        }
    };
    run(json, listed, update).unwrap_or_else(|error| {
        eprintln!("api: {error}");
        ExitCode::FAILURE
    })
}

fn run(json: &str, listed: &str, update: bool) -> Result<ExitCode, Failure> {
    let Some(krate) = parse(json)? else {
        if update {
            return Err("with this Rust that can't be written".into());
        }
        return Ok(ExitCode::SUCCESS);
    };
    // What every type gets from the compiler and from derives would be three lines in four.
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    let listed_well = compare(&api, listed, update)?;
    let shown_well = examples::on_all_of(&api, &krate);
    Ok(if listed_well && shown_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `None`: of another Rust, whose format this does not read; a newer stable toolchain is no
/// reason for the tests to fail.
fn parse(json: &str) -> Result<Option<rustdoc_types::Crate>, Failure> {
    let text = std::fs::read_to_string(json).map_err(|error| format!("{json}: {error}"))?;
    let value: serde_json::Value = serde_json::from_str(&text)?;
    let format = value["format_version"].as_u64().unwrap_or(0);
    if format != u64::from(rustdoc_types::FORMAT_VERSION) {
        println!(
            "api: NOT CHECKED: rustdoc's JSON has format {format}, and this reads {}: \
             use Rust 1.95 (RUSTUP_TOOLCHAIN=1.95.0), or move tests/api to newer public-api and rustdoc-types",
            rustdoc_types::FORMAT_VERSION
        );
        return Ok(None);
    }
    Ok(Some(serde_json::from_value(value)?))
}

/// Whether the file says what the API is; prints what differs.
fn compare(api: &PublicApi, listed: &str, update: bool) -> Result<bool, Failure> {
    let now: Vec<String> = api.items().map(ToString::to_string).collect();
    if update {
        std::fs::write(listed, now.join("\n") + "\n").map_err(|error| format!("{listed}: {error}"))?;
        println!("api: {listed} says {} items", now.len());
        return Ok(true);
    }
    let then = std::fs::read_to_string(listed).map_err(|error| format!("{listed}: {error}"))?;
    let then: Vec<&str> = then.lines().collect();
    if now == then {
        println!("api: the {} items of {listed}", now.len());
        return Ok(true);
    }
    eprintln!("api: the public API is not what {listed} says; if it is meant, ci/api.sh --update:");
    for gone in then.iter().filter(|line| !now.iter().any(|item| item == *line)) {
        eprintln!("-{gone}");
    }
    for new in now.iter().filter(|item| !then.contains(&item.as_str())) {
        eprintln!("+{new}");
    }
    Ok(false)
}
