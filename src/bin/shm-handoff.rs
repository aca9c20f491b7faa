//! `shm-handoff`: see `--help`.

#[cfg(not(model))]
fn main() -> std::process::ExitCode {
    shm_handoff::cli::shm_handoff()
}

/// System V memory is outside the model.
#[cfg(model)]
fn main() {}
