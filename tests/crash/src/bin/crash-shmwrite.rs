//! `shmwrite`, with what happens at its failpoints.

#[cfg(crash)]
fn main() -> std::process::ExitCode {
    crash::meet_fate();
    shm_handoff::cli::shmwrite()
}

/// Without failpoints it would be `shmwrite` itself.
#[cfg(not(crash))]
fn main() -> std::process::ExitCode {
    eprintln!("crash-shmwrite: built without --cfg crash: see ci/crash.sh");
    std::process::ExitCode::FAILURE
}
