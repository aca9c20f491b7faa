//! `shm-handoff`, with what happens at its failpoints.

#[cfg(crash)]
fn main() -> std::process::ExitCode {
    crash::meet_fate();
    shm_handoff::cli::shm_handoff()
}

/// Without failpoints it would be `shm-handoff` itself.
#[cfg(not(crash))]
fn main() -> std::process::ExitCode {
    eprintln!("crash-shm-handoff: built without --cfg crash: see ci/crash.sh");
    std::process::ExitCode::FAILURE
}
