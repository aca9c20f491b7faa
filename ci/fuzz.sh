#!/usr/bin/env bash
# Coverage-guided fuzzing under AddressSanitizer, of a reader and a writer on memory with any
# contents, of declared layouts, and of the bridge's frames; what takes a way of its own is added
# to tests/corpus, which ci/test.sh and ci/bridge.sh replay.
#
#   ci/fuzz.sh [SECONDS]     for each of the six targets; 300 without
#
# Needs a nightly toolchain and cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-300}
cargo +nightly --version >/dev/null 2>&1 || { echo "ci/fuzz.sh: no nightly toolchain: rustup toolchain install nightly" >&2; exit 1; }
cargo fuzz --version >/dev/null 2>&1 || { echo "ci/fuzz.sh: cargo-fuzz is missing: cargo install cargo-fuzz --locked" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in read_ring write_ring attach_ring classic declare frames; do
    mkdir -p "$work/$target" "tests/corpus/$target"
    # A call that takes a second hangs; 64 MiB at once are more than any segment here needs.
    cargo +nightly fuzz run --target-dir "${CARGO_TARGET_DIR:-target}/fuzz" "$target" "$work/$target" "tests/corpus/$target" -- \
        -max_total_time="$seconds" -timeout=1 -malloc_limit_mb=64 -max_len=2300 -use_value_profile=1 -print_final_stats=1 2>"$work/log" ||
        { tail -40 "$work/log" >&2; exit 1; }
    printf '%s: %s, in %s s: %s\n' "$target" \
        "$(grep -oE 'stat::number_of_executed_units: +[0-9]+' "$work/log" | tr -s ' ' | cut -d' ' -f2) executions" "$seconds" \
        "$(grep -oE 'cov: [0-9]+ ft: [0-9]+ corp: [0-9]+' "$work/log" | tail -1), nothing found"
    # The fewest that cover what all of them do.
    mkdir "$work/least"
    cargo +nightly fuzz run --target-dir "${CARGO_TARGET_DIR:-target}/fuzz" "$target" "$work/least" "$work/$target" "tests/corpus/$target" -- \
        -set_cover_merge=1 -timeout=1 -max_len=2300 >/dev/null 2>&1
    rm -rf "tests/corpus/$target"
    mv "$work/least" "tests/corpus/$target"
done
