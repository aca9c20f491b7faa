#!/usr/bin/env bash
# The bridge to another machine: everything that a change to it has to pass. A command of its own, since zenoh and what it
# stands on take minutes to build; .ci/run calls it behind ci/test.sh. From a clean checkout at most 12 minutes on two cores.
#
# Needs a Rust toolchain and a C compiler. The hosts test needs root, network namespaces and /dev/net/tun; without them it says
# that nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/steps.sh
need cargo "install Rust from https://rustup.rs"
need "${CC:-cc}" "install a C compiler (Debian: apt install gcc libc6-dev); the tests build C peers"

begin
step "clippy, bridge" cargo clippy --quiet --all-targets -p shm-handoff-bridge -p hosts -- -D warnings
step "docs, bridge" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps -p shm-handoff-bridge
# The programs beside it, which its tests start.
step "programs" cargo build --quiet
step "tests, bridge" logged bridge cargo test --quiet -p shm-handoff-bridge -- --nocapture
step "models, bridge" env MODELS=bridge ci/models.sh --check "$logs/bridge"
