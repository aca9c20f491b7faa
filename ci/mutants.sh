#!/usr/bin/env bash
# cargo-mutants over the protocol and both backends: each mutant has to be caught by a test or by a model. Two hours
# on two idle cores. (Behind the door to the kernel there are system calls, and a kernel for the models, whose rules
# have a suite of their own.)
#
#   ci/mutants.sh [OPTION...]     further options of cargo mutants, such as
#                                 --exclude 'src/protocol/ring/**'
#
# Four passes, each over what the one before has missed: the quick tests; those
# models that take 20 s together at the depth that is there for this (MODELS=quick);
# the tests of the tutorial's defects; those between processes in which somebody meddles
# with the seats. A test that hangs has caught its mutant. Prints what all four
# missed, and fails if one of them is not listed in tests/mutants.txt, with the reason
# why it makes no difference.
set -euo pipefail
cd "$(dirname "$0")/.."
# Tests are killed here, and what they leave in the kernel is to go as well.
[ -n "${APART:-}" ] || APART=1 exec ci/apart.sh "$PWD/ci/mutants.sh" "$@"
exec </dev/null
cargo mutants --version >/dev/null 2>&1 || { echo "ci/mutants.sh: cargo-mutants is missing: cargo install cargo-mutants --locked" >&2; exit 1; }
out=${CARGO_TARGET_DIR:-target}/mutants
rm -rf "$out"
mkdir -p "$out"
export CARGO_PROFILE_DEV_DEBUG=0 PROPTEST_CASES=64
jobs=${JOBS:-2}
options=("$@")
# One of each kind: waiting and trying, looking and closing, removal, seats, death; the
# tutorial's; the ring's; on the simulated kernel.
models=(
    l1_ l4_ l5_ l6_ l7_ l10_ l11_ l12_ k2_ k3_ d1_ d2_ d4_ d5_ each_order
    r1_ r3_ r5_ r9_ r12_ r15_ r18_ r19_ r21_ r24_ r25_ r26_ r29_ r30_ r33_ k4_ k7_
    v1_ v2_ v3_ v4_ v5_ v6_ v7_ v9_ v11_ v12_ v13_ v14_ l13s_ k8s_
)

# pass NAME SECONDS ARGS...: mutants that are named in $out/missed, all if there is
# no such file; then that file has those that were missed.
pass() {
    local name=$1 seconds=$2 status=0 only=()
    shift 2
    [ ! -e "$out/missed" ] || mapfile -t only < <(sed -E 's/[][().*+?^$|{}\\]/\\&/g; s/^/--re=^/; s/$/$/' "$out/missed")
    # (What `{:?}` prints of a handle is nobody's business but a debugger's.)
    cargo mutants --jobs "$jobs" --colors never --no-shuffle --baseline skip --timeout "$seconds" --output "$out/$name" \
        --file 'src/protocol/**' --file 'src/backend/inproc/**' --file 'src/backend/sysv/*.rs' \
        --file src/backend/sysv/kernel/mod.rs --exclude-re 'fmt::Debug' "${options[@]}" "${only[@]}" -- "$@" || status=$?
    # 2 is "some were missed", 3 "some ran into the time limit".
    [ "$status" = 0 ] || [ "$status" = 2 ] || [ "$status" = 3 ] || exit "$status"
    # (A pattern can find another one beside the one that it was made of.)
    touch "$out/missed"
    [ "${#only[@]}" = 0 ] || grep -Fx -f "$out/missed" "$out/$name/mutants.out/missed.txt" >"$out/left" || true
    [ "${#only[@]}" != 0 ] || cp "$out/$name/mutants.out/missed.txt" "$out/left"
    mv "$out/left" "$out/missed"
    echo "mutants: $(wc -l <"$out/missed") are left after $name"
}

# (The tests of the copy routine, and the suite of the simulated kernel, are long, and of files that are not mutated.)
pass tests 15 --lib --test conformance --test proptest --test cost -- --skip copy --skip kernel::conformance
if [ -s "$out/missed" ]; then
    RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" MODELS=quick pass models 90 --test loom -- "${models[@]}"
fi
[ ! -s "$out/missed" ] || pass defects 90 --test defects
[ ! -s "$out/missed" ] || pass processes 120 --test processes -- hostile meddling calls making seats observing users

# Without line numbers, which move.
survivors=$(sed -E 's/:[0-9]+:[0-9]+:/:/' "$out/missed" | sort)
listed=$(grep -v '^#' tests/mutants.txt | sed -E 's/ *#.*//' | grep . | sort)
unlisted=$(comm -23 <(printf '%s\n' "$survivors") <(printf '%s\n' "$listed"))
[ -z "$unlisted" ] || { printf 'ci/mutants.sh: caught by nothing, and not listed in tests/mutants.txt:\n%s\n' "$unlisted" >&2; exit 1; }
