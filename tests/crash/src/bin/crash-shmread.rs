//! `shmread`, with what happens at its failpoints.

#[cfg(crash)]
fn main() -> std::process::ExitCode {
    crash::meet_fate();
    shm_handoff::cli::shmread()
}

/// Without failpoints it would be `shmread` itself.
#[cfg(not(crash))]
fn main() -> std::process::ExitCode {
    eprintln!("crash-shmread: built without --cfg crash: see ci/crash.sh");
    std::process::ExitCode::FAILURE
}
