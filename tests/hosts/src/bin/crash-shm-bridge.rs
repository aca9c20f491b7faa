//! `shm-bridge`, with what happens at its failpoints.

#[cfg(crash)]
fn main() -> std::process::ExitCode {
    crash::meet_fate();
    shm_handoff_bridge::cli::shm_bridge()
}

/// Without failpoints it would be `shm-bridge` itself.
#[cfg(not(crash))]
fn main() -> std::process::ExitCode {
    eprintln!("crash-shm-bridge: built without --cfg crash: see ci/hosts.sh");
    std::process::ExitCode::FAILURE
}
