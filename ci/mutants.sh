#!/usr/bin/env bash
# cargo-mutants over the protocol and the in-process backend: each mutant has to
# be caught by a test or by a model. About an hour on two cores.
#
#   ci/mutants.sh [OPTION...]     further options of cargo mutants, such as --file
#
# First the ordinary tests; what they miss meets the models, at the depth that
# takes a few seconds (MODELS=quick). Prints those that both missed, and fails if
# one of them is not listed in tests/mutants.txt, with the reason why it is
# equivalent.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
cargo mutants --version >/dev/null 2>&1 || { echo "ci/mutants.sh: cargo-mutants is missing: cargo install cargo-mutants --locked" >&2; exit 1; }
out=${CARGO_TARGET_DIR:-target}/mutants
mkdir -p "$out"
rm -rf "$out/mutants.out"

# 2 is "some were missed", 3 "some ran into the time limit": both are looked at below.
mutants() {
    local status=0
    cargo mutants --colors never --no-shuffle --output "$out" --file 'src/protocol/**' --file src/backend/inproc.rs "$@" || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || [ "$status" = 3 ]
}

# (The copy routine's own tests are long, and of a file that is not mutated.)
PROPTEST_CASES=64 mutants --timeout 90 "$@" -- --lib --test conformance --test proptest -- --skip copy
cp "$out/mutants.out/missed.txt" "$out/missed-by-tests.txt"
# What was caught before is left out; the rest is built under loom.
# Of the models those of our own protocol, 10 s in all: the rest is about the
# tutorial's, or about the orders, in which there is nothing to mutate.
RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" MODELS=quick mutants --iterate --timeout 120 "$@" -- --test loom -- handoff session seats killed

# Without line numbers, which move.
survivors=$(sed -E 's/:[0-9]+:[0-9]+:/:/' "$out/mutants.out/missed.txt" | sort)
listed=$(grep -v '^#' tests/mutants.txt | sed -E 's/ *#.*//' | grep . | sort)
echo "mutants: $(wc -l <"$out/missed-by-tests.txt") missed by the tests; $(wc -l <"$out/mutants.out/missed.txt") by the models too"
unlisted=$(comm -23 <(printf '%s\n' "$survivors") <(printf '%s\n' "$listed"))
[ -z "$unlisted" ] || { printf 'ci/mutants.sh: caught by nothing, and not listed in tests/mutants.txt:\n%s\n' "$unlisted" >&2; exit 1; }
