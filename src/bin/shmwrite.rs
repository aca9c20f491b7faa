//! `shmwrite`: see `--help`.

#[cfg(not(loom))]
fn main() -> std::process::ExitCode {
    shm_handoff::cli::shmwrite()
}

/// System V memory is outside the model.
#[cfg(loom)]
fn main() {}
