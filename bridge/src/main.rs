//! `shm-bridge`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shm_handoff_bridge::cli::shm_bridge()
}
