#!/usr/bin/env bash
# Bugs that somebody could well write, each put into a copy of the project, and
# which of the checkers finds it. Fails if one is found by none.
#
#   ci/seeded.sh [PATCH...]     default: all of tests/seeded
#
# Prints a row for docs/verification.md each, as ci/models.sh takes it. The
# models run quickly (MODELS=quick); about a minute a bug.
#
# A patch's first line says what the bug is. One that no model could run names the
# suite that is to find it in the second: `For: cli`, or `For: cli odd::` for those
# of its tests alone. `loom` and `shuttle` are such suites, too.
set -euo pipefail
cd "$(dirname "$0")/.."
# Tests are killed here, and what they leave in the kernel is to go as well.
[ -n "${APART:-}" ] || APART=1 exec ci/apart.sh "$PWD/ci/seeded.sh" "$@"
[ "$#" != 0 ] || set -- tests/seeded/*.patch
target=$PWD/${CARGO_TARGET_DIR:-target}/seeded
case ${CARGO_TARGET_DIR:-} in /*) target=$CARGO_TARGET_DIR/seeded ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0

# The tests of a checker that fail: found NAME CFG ARGS...
found() {
    local name=$1 cfg=$2 log=$work/log
    shift 2
    if (cd "$work/copy" && RUSTFLAGS="${RUSTFLAGS:-} $cfg" CARGO_TARGET_DIR="$target/$name" MODELS=quick timeout "${LIMIT:-300}" cargo test --no-fail-fast "$@") >"$log" 2>&1; then
        echo "nothing"
        return
    fi
    if grep -q 'could not compile' "$log"; then cat "$log" >&2; exit 1; fi
    { grep -oE '^test [^ ]+ .*FAILED$' "$log" || echo "test timeout"; } |
        awk '{ n = split($2, path, "::"); name = path[n]; if (name ~ /^[a-z][0-9]+s?_/) { sub(/_.*/, "", name); name = toupper(substr(name, 1, 1)) substr(name, 2) } print name }' |
        sort -uV | paste -sd' ' -
}

for patch in "$@"; do
    name=$(basename "$patch" .patch)
    number=${name%%-*}
    from=$SECONDS
    # Always the same place: what does not depend on the bug is built once.
    rm -rf "$work/copy"
    mkdir "$work/copy"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/copy" 2>/dev/null || true
    git -C "$work/copy" apply --unsafe-paths --directory="$work/copy" "$PWD/$patch" 2>/dev/null ||
        (cd "$work/copy" && git apply "$OLDPWD/$patch") || { echo "ci/seeded.sh: $patch does not apply: bring it up to date" >&2; exit 1; }
    row() { printf 'B%d | %s | `%s` | quick | %s | %d s\n' "$((10#$number))" "$(head -1 "$patch")" "$name" "$1" $((SECONDS - from)); }
    read -ra suite < <(sed -n '2s/^For: //p' "$patch") || true
    if [ "${#suite[@]}" != 0 ]; then
        case ${suite[0]} in
        loom | shuttle) tests=$(found "${suite[0]}" "--cfg ${suite[0]}" --test "${suite[0]}" -- "${suite[@]:1}") ;;
        *) tests=$(found ordinary "" --test "${suite[0]}" -- "${suite[@]:1}") ;;
        esac
        [ "$tests" != nothing ] || missed=1
        row "${suite[0]}: $tests"
        continue
    fi
    loom=$(found loom "--cfg loom" --test loom)
    shuttle=$(found shuttle "--cfg shuttle" --test shuttle)
    # (The copy routine has tests of its own, which are long.)
    properties=$(found ordinary "" --lib --test conformance --test proptest -- --skip copy)
    if [ "$loom$shuttle$properties" = nothingnothingnothing ]; then missed=1; fi
    row "loom: $loom; shuttle: $shuttle; tests: $properties"
done
[ "$missed" = 0 ] || { echo "ci/seeded.sh: a bug was found by no checker: it needs a model or a test" >&2; exit 1; }
