#!/usr/bin/env bash
# The bridge to another machine: everything that a change to it has to pass. A command of its own, since zenoh and what it
# stands on take minutes to build; .ci/run calls it behind ci/test.sh. From a clean checkout a quarter of an hour on two cores.
#
# Needs a Rust toolchain and a C compiler. The hosts test needs root, network namespaces and /dev/net/tun; without them it says
# that nothing was checked.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
. ci/steps.sh
need cargo "install Rust from https://rustup.rs"
need "${CC:-cc}" "install a C compiler (Debian: apt install gcc libc6-dev); the tests build C peers"

target=${CARGO_TARGET_DIR:-$PWD/target}

# The first section of docs/bridge.md as it stands there, with both machines on this one: each has an IPC namespace of its own.
the_page() {
    local at pid
    at=$(mktemp -d)
    awk -v at="$at" '/^```sh$/ { on = 1; file = at "/" ++blocks; next } /^```$/ { on = 0 } on { sub(/192\.0\.2\.7/, "127.0.0.1"); print >file }' docs/bridge.md
    machine() { env PATH="$target/debug:$PATH" timeout 120 unshare --ipc bash -eo pipefail -c '. "$0"; wait "$!"' "$at/$1"; }
    if ! unshare --ipc true 2>/dev/null; then
        echo "ci/bridge.sh: NOT CHECKED: the commands of docs/bridge.md, for no IPC namespace can be had here" >&2
        return 0
    fi
    machine 2 >"$at/out" &
    pid=$!
    machine 3
    wait "$pid"
    seq 1000000 | cmp - "$at/out"
    rm -rf "$at"
}

# The units are what systemd takes, but for the program, which is not installed.
the_units() {
    local said
    command -v systemd-analyze >/dev/null || { echo "ci/bridge.sh: NOT CHECKED: the units, for systemd-analyze is missing" >&2; return 0; }
    said=$(systemd-analyze verify bridge/deploy/*.service 2>&1 | grep -v 'shm-bridge is not executable') || true
    [ -z "$said" ] || { echo "$said" >&2; return 1; }
}

begin
step "clippy, bridge" cargo clippy --quiet --all-targets -p shm-handoff-bridge -p hosts -p bridge-bench -- -D warnings
step "docs, bridge" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps -p shm-handoff-bridge
# Those beside it too, which its tests start.
step "programs" cargo build --quiet -p shm-handoff -p shm-handoff-bridge --bins
step "docs/bridge.md" the_page
step "units" the_units
step "tests, bridge" logged_as bridge cargo test --quiet -p shm-handoff-bridge -p hosts -- --nocapture
step "models, bridge" env MODELS=bridge ci/models.sh --check "$logs/bridge"
step "hosts" ci/hosts.sh --kills 150 --minutes 10
