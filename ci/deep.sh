#!/usr/bin/env bash
# The long runs, for a night or before a release; ci/test.sh does not call it.
#
#   1. the properties with 4096 cases each (ci/test.sh: the default of 256);
#   2. the claims under shuttle but S21, a hundred rounds of them, of a new seed in each run:
#      half an hour on two cores;
#   3. the models under loom at their deeper bounds, whose figures are compared with
#      those in docs/verification.md: a quarter of an hour to an hour and a half, by how
#      fast the machine is that day;
#   4. the bugs of tests/seeded, each found by something: an hour and a half;
#   5. cargo-mutants over the protocol: an hour and more;
#   6. the tests between processes, 20 times over, and ten times beside eight busy loops:
#      what shows only sometimes;
#   7. crash tests with 10,000 kills in each layout: a quarter of an hour;
#   8. two minutes of a peer that scribbles over everything, in each layout;
#   9. fuzzing, on nightly: half an hour;
#  10. an hour at full rate;
#  11. what is published: its package, the oldest Rust, the dependencies' licences and
#      what is known against them: five minutes;
#  12. the instructions of the library for AArch64, at each place of the table of orders: a
#      minute;
#  13. the claims under SPIN, with their bugs, and at their deeper sizes: a few minutes, and
#      half an hour;
#  14. faults by seed (S21 under shuttle) for an hour, both layouts at the same time, of a new
#      seed in each run: a failure says which command repeats its round in seconds;
#  15. the tests as programs of aarch64, under qemu: a quarter of an hour;
#  16. the Python package with every CPython that is there: some minutes;
#  17. the bridge between hosts, with 10,000 kills of bridges: half an hour; and an hour at full rate, which shows
#      that its memory stays as it is;
#  18. the packages: all of them made, each installed into a clean system, used there and removed.
#
#   ci/deep.sh [--write] [STEP...]
#
# ci/deep.sh runs all of it, ci/deep.sh 3 5 those steps. With --write the figures of steps
# 3, 4, 7 and 13 are written into docs/verification.md and docs/reliability.md; without it the
# docs stay as they are. CASES, SHUTTLE_TIMES, TIMES, BUSY, FUZZ (seconds a target),
# SOAK and SHUTTLE_MINUTES in the environment change the numbers; SHUTTLE_SEED repeats a run of
# steps 2 and 14.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
write=
if [ "${1:-}" = --write ]; then
    write=yes
    shift
fi
cases=${CASES:-4096} times=${TIMES:-20}
command -v cargo >/dev/null || { echo "ci/deep.sh: cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }

# The test targets that are there, of those named.
targets() {
    local name
    for name in "$@"; do
        if [ -e "tests/$name.rs" ] || [ -e "tests/$name/main.rs" ]; then echo "--test=$name"; fi
    done
}

properties() {
    local targets
    mapfile -t targets < <(targets proptest conformance)
    PROPTEST_CASES=$cases ci/ipc.sh cargo test --quiet --release --lib "${targets[@]}"
}

# The claims under shuttle, of a new seed: sampled FILTER...
sampled() {
    export SHUTTLE_SEED=${SHUTTLE_SEED:-0x$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')}
    echo "SHUTTLE_SEED=$SHUTTLE_SEED"
    RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/shuttle" cargo test --quiet --test shuttle -- "$@"
}

shuttle() { SHUTTLE_TIMES=${SHUTTLE_TIMES:-100} sampled --skip faults::; }

models() { MODELS=deep ci/models.sh ${write:+--update}; }

seeded() {
    local log
    log=$(mktemp)
    ci/seeded.sh | tee "$log"
    [ -z "$write" ] || MODELS=quick ci/models.sh --write "$log"
    rm -f "$log"
}

mutants() { ci/mutants.sh; }

processes() {
    local targets turn
    mapfile -t targets < <(targets processes interop layouts defects cli cost conformance)
    for turn in $(seq "$times"); do
        ci/ipc.sh cargo test --quiet "${targets[@]}" || { echo "== processes: failed in turn $turn of $times" >&2; return 1; }
    done
    for turn in $(seq "${BUSY:-10}"); do
        ci/ipc.sh ci/busy.sh 8 cargo test --quiet "${targets[@]}" || { echo "== processes: failed in turn $turn beside busy loops" >&2; return 1; }
    done
}

crash() { ci/crash.sh ${write:+--write docs/reliability.md}; }

scribble() { SCRIBBLE_SECONDS=${SCRIBBLE_SECONDS:-120} ci/ipc.sh cargo test --test processes -- --nocapture scribble; }

fuzz() { ci/fuzz.sh "${FUZZ:-450}"; }

soak() { ci/ipc.sh ci/soak.sh "${SOAK:-60}"; }

published() {
    ci/package.sh
    ci/msrv.sh
    ci/deny.sh
}

orders() { ci/litmus.sh --library; }

fences() {
    local mode=--check
    [ -z "$write" ] || mode=--write
    ci/spin.sh "$mode"
    SPIN=deep ci/spin.sh "$mode"
}

faults() { SHUTTLE_MINUTES=${SHUTTLE_MINUTES:-60} sampled --nocapture faults::; }

aarch64() { ci/aarch64.sh; }

python() { ci/python.sh --each; }

bridge() {
    ci/hosts.sh --kills 10000 --minutes 60
    ci/hosts.sh --soak "${SOAK:-60}" --way chaos
}

packages() {
    ci/release.sh
    ci/packages.sh
}

steps=(properties shuttle models seeded mutants processes crash scribble fuzz soak published orders fences faults aarch64 python bridge packages)
[ "$#" != 0 ] || set -- 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
for number in "$@"; do
    step=${steps[number - 1]:?"ci/deep.sh: there is no step $number"}
    from=$SECONDS
    printf '\n== %s\n' "$step"
    "$step"
    printf '== %s: %d s\n' "$step" $((SECONDS - from))
done
