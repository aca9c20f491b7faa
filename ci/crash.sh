#!/usr/bin/env bash
# Kills readers and writers at every failpoint of theirs and at random, and proves by an oracle
# that nothing is lost; `crash --help` has the options. Builds what it needs: the programs with
# failpoints, and the C writer.
#
#   ci/crash.sh                                   10,000 kills in each layout: a quarter of an hour on two cores
#   ci/crash.sh --kills 500 --least 0             what ci/test.sh does
#   ci/crash.sh --write docs/reliability.md       puts the tables there
#   ci/crash.sh --recorder                        `shm-handoff record` in their place, 2,000 kills: some minutes
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}/crash
RUSTFLAGS="${RUSTFLAGS:-} --cfg crash" CARGO_TARGET_DIR="$target" cargo build --quiet -p crash
if [ "${1-}" = --recorder ]; then
    shift
    exec ci/ipc.sh "$target/debug/crash-recorder" "$@"
fi
"${CC:-cc}" -std=c11 -O2 -DPAUSE_US=200 tests/c/writer.c -o "$target/c-writer.$$"
mv "$target/c-writer.$$" "$target/c-writer" # another crash test may be running it
exec ci/ipc.sh "$target/debug/crash" --c-writer "$target/c-writer" "$@"
