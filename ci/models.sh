#!/usr/bin/env bash
# The tables of docs/verification.md and docs/defects.md, from what the models
# print, and the pictures of docs/pictures.
#
#   ci/models.sh                  runs the models, holds the docs against them
#   ci/models.sh --update         runs the models, writes tables and pictures
#   ci/models.sh --check LOG...   holds the docs against runs that were logged
#   ci/models.sh --write LOG...   writes the tables of runs that were logged
#
# A model prints a row `CLAIM | what | test | bound | result | time`; it goes into
# the table between `<!-- models: X -->` and `<!-- end -->` where X is the claim's
# letter (`s`: of whatever letter, on the simulated kernel: the claim's name ends in it),
# or `X, deep` for a run with MODELS=deep. All but the time is compared. (Of a
# deep run only fewer executions than are on record fail, by the tests' own floors; what
# differs is shown.)
# (ci/seeded.sh prints rows for `B, quick`.)
# Pictures are compared by the tests that make them. Runs take the README's
# commands' own target directories.
set -euo pipefail
cd "$(dirname "$0")/.."
docs=(docs/verification.md docs/defects.md)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
depth=${MODELS:+, $MODELS}

# What it prints into a file, which is shown only if it fails.
logged() {
    local log=$1
    shift
    "$@" >"$log" || { cat "$log" >&2; return 1; }
}

run() {
    local target=${CARGO_TARGET_DIR:-target}
    logged "$work/loom.log" env RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" CARGO_TARGET_DIR="$target/loom" cargo test --test loom -- --nocapture
    logged "$work/async.log" env RUSTFLAGS="${RUSTFLAGS:-} --cfg loom" CARGO_TARGET_DIR="$target/loom" cargo test -p shm-handoff-async --test loom -- --nocapture
    logs=("$work/loom.log" "$work/async.log")
    [ "${MODELS:-}" != deep ] || return 0
    logged "$work/shuttle.log" env RUSTFLAGS="${RUSTFLAGS:-} --cfg shuttle" CARGO_TARGET_DIR="$target/shuttle" cargo test --test shuttle -- --nocapture
    logs+=("$work/shuttle.log")
}

# The rows of a letter, in the order of claims; thousands are grouped.
rows() {
    local name="$1[0-9]+"
    [ "$1" != s ] || name='[LRK][0-9]+s'
    grep -ahoE "$name(, $name)* \| .* \| .* s\$" "${logs[@]}" | sort -V | awk -F ' [|] ' '
        function grouped(text,    out, digits) {
            while (match(text, /[0-9]+/)) {
                digits = substr(text, RSTART, RLENGTH)
                out = out substr(text, 1, RSTART - 1)
                text = substr(text, RSTART + RLENGTH)
                while (length(digits) > 3) {
                    tail = "," substr(digits, length(digits) - 2) tail
                    digits = substr(digits, 1, length(digits) - 3)
                }
                out = out digits tail
                tail = ""
            }
            return out text
        }
        # A test with two claims prints both rows in each of its processes.
        {
            row = sprintf("| %s | %s | %s | %s | %s |", $1, $2, $3, $4, grouped($5))
            if (!seen[row]++) print row, $6, "|"
        }'
}

# A copy of the file with every table that the logs have rows for made anew.
renew() {
    local line letter
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [[ $line =~ ^'<!-- models: '([A-Zs])"$depth"' -->'$ ]]; then
            letter=${BASH_REMATCH[1]}
            rows "$letter" >"$work/rows" || true
            [ -s "$work/rows" ] || { echo "ci/models.sh: no rows of $letter$depth for $1 in the log" >&2; return 1; }
            printf '\n| claim | what holds, or what is shown | test | bound | result | time |\n| --- | --- | --- | --- | --- | --- |\n'
            cat "$work/rows"
            echo
            while IFS= read -r line && [ "$line" != '<!-- end -->' ]; do :; done
            printf '%s\n' "$line"
        fi
    done <"$1"
}

without_times() { sed -E 's/ [0-9.]+ s \|$/ |/' "$1"; }

mode=${1:---run}
shift || true
logs=("$@")
case $mode in
--run) run ;;
--update) export PICTURES=write && run ;;
--check | --write) [ "$#" != 0 ] || { sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2; } ;;
*) sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

status=0 agree=yes
for doc in "${docs[@]}"; do
    renew "$doc" >"$work/new"
    case $mode in
    --update | --write) cp "$work/new" "$doc" ;;
    *)
        if ! diff <(without_times "$doc") <(without_times "$work/new") >"$work/diff"; then
            printf "%s is out of date: run %sci/models.sh --update\n" "$doc" "${MODELS:+MODELS=$MODELS }" >&2
            cat "$work/diff" >&2
            agree=
            [ "${MODELS:-}" = deep ] || status=1
        fi
        ;;
    esac
done
[ -z "$agree" ] || echo "models: docs and models agree"
exit "$status"
