#!/usr/bin/env bash
# Kills readers and writers at every point of theirs and at random, and proves by a ledger
# that nothing is lost; `storm --help` has the options. Builds what it needs: the
# programs with points to die at, and the C writer.
#
#   ci/storm.sh                                   10,000 kills in each layout: a quarter of an hour on two cores
#   ci/storm.sh --kills 500 --least 0             what ci/test.sh does
#   ci/storm.sh --write docs/reliability.md       puts the tables there
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}/storm
RUSTFLAGS="${RUSTFLAGS:-} --cfg storm" CARGO_TARGET_DIR="$target" cargo build --quiet -p shm-handoff -p storm --bins
"${CC:-cc}" -std=c11 -O2 -DPAUSE_US=200 tests/c/writer.c -o "$target/c-writer.$$"
mv "$target/c-writer.$$" "$target/c-writer" # another storm may be running it
exec ci/ipc.sh "$target/debug/storm" --c-writer "$target/c-writer" "$@"
