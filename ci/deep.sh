#!/usr/bin/env bash
# The long runs, for a night or before a release; ci/test.sh does not call it.
#
#   1. the properties with 4096 cases each (ci/test.sh: the default of 256);
#   2. the claims under shuttle, with a hundred times as many schedules: a
#      quarter of an hour on two cores;
#   3. the tests between processes, 20 times over: what shows only sometimes.
#
# CASES, SHUTTLE_TIMES and TIMES in the environment change the three numbers.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
cases=${CASES:-4096} times=${TIMES:-20}
command -v cargo >/dev/null || { echo "ci/deep.sh: cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }

# The test targets that are there, of those named.
targets() {
    local name
    for name in "$@"; do
        if [ -e "tests/$name.rs" ] || [ -e "tests/$name/main.rs" ]; then echo "--test=$name"; fi
    done
}

from=$SECONDS
echo "== properties, $cases cases each"
mapfile -t properties < <(targets proptest conformance)
PROPTEST_CASES=$cases ci/ipc.sh cargo test --quiet --release --lib "${properties[@]}"
echo "== properties: $((SECONDS - from)) s"

from=$SECONDS
export SHUTTLE_TIMES=${SHUTTLE_TIMES:-100}
echo "== shuttle, $SHUTTLE_TIMES times over"
RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/shuttle" cargo test --quiet --test shuttle
echo "== shuttle: $((SECONDS - from)) s"

mapfile -t processes < <(targets processes interop defects cli)
for turn in $(seq "$times"); do
    from=$SECONDS
    ci/ipc.sh cargo test --quiet "${processes[@]}" || { echo "== processes: failed in turn $turn of $times" >&2; exit 1; }
    echo "== processes, $turn of $times: $((SECONDS - from)) s"
done
