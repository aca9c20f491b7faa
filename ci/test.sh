#!/usr/bin/env bash
# Everything a change has to pass: the README's test command. From a clean
# checkout about three quarters of an hour on two cores; each step says how long it took.
#
# Needs a Rust toolchain (with rustfmt and clippy) and a C compiler; Python 3 with venv and pip for the step
# "python", valgrind for "instructions", herd7 for "litmus", node and Chromium for "lab, in a browser", and for "deployment"
# what ci/deploy.sh lists. Without them these steps say that nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/steps.sh
need cargo "install Rust from https://rustup.rs"
cargo fmt --version >/dev/null 2>&1 || { echo "ci/test.sh: rustfmt is missing: rustup component add rustfmt" >&2; exit 1; }
cargo clippy --version >/dev/null 2>&1 || { echo "ci/test.sh: clippy is missing: rustup component add clippy" >&2; exit 1; }
need "${CC:-cc}" "install a C compiler (Debian: apt install gcc libc6-dev); the interop tests build C peers"

# A cfg is passed to every dependency, so each has a target directory of its
# own: switching back and forth would rebuild everything.
target=${CARGO_TARGET_DIR:-target}
loom() { RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" CARGO_TARGET_DIR="$target/loom" cargo "$@"; }
shuttle() { RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" CARGO_TARGET_DIR="$target/shuttle" cargo "$@"; }

begin
step "format" cargo fmt --all --check
step "layering" ci/layering.sh
step "spin, the map" ci/spin.sh --map
step "clippy" cargo clippy --quiet --all-targets -p shm-handoff -p shm-handoff-async -p shm-handoff-capi -p api -p hand-over -p instructions -p crash -p lab -- -D warnings
step "clippy, loom" loom clippy --quiet --all-targets -p shm-handoff -p trace -- -D warnings
# No runtime builds there, so neither does what runs on one.
step "clippy, loom, async" loom clippy --quiet --lib --test loom -p shm-handoff-async -- -D warnings
step "clippy, shuttle" shuttle clippy --quiet --all-targets -- -D warnings
step "clippy, lab" ci/lab.sh --clippy
step "clippy, library alone" cargo clippy --quiet --lib --no-default-features -- -D warnings
step "docs" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps -p shm-handoff -p shm-handoff-async
step "docs, library alone" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --no-default-features
step "api" ci/api.sh
step "tests" cargo test --quiet
step "deployment" ci/deploy.sh
step "lab" ci/lab.sh --check
step "lab, in a browser" ci/lab.sh --browser
step "tests, C library" cargo test --quiet -p shm-handoff-capi
step "tests, async" cargo test --quiet -p shm-handoff-async
step "example, async" timeout 60 cargo run --quiet -p shm-handoff-async --example stream
step "python" ci/python.sh
# What ships has no overflow checks, and is faster: a count that goes wrong shows in what is
# printed, and races come at other moments.
step "tests, release" cargo test --quiet --release --test cli --test processes --test conformance
step "instructions" ci/instructions.sh --check
step "litmus" ci/litmus.sh --check
step "crash tests" ci/crash.sh --kills 500 --least 0
step "crash tests of record" ci/crash.sh --recorder --kills 200
step "loom" logged loom test --quiet -- --nocapture
step "loom, async" logged_as async loom test --quiet -p shm-handoff-async --test loom -- --nocapture
step "shuttle" logged shuttle test --quiet --test shuttle -- --nocapture
step "models" ci/models.sh --check "$logs"/loom "$logs"/async "$logs"/shuttle
echo
