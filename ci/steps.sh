# What ci/test.sh and ci/bridge.sh share: steps that say how long they took, and a look at what is left in the kernel.
# shellcheck shell=bash

# need COMMAND ADVICE: ends where it is missing.
need() {
    command -v "$1" >/dev/null || { echo "$0: $1 is missing: $2" >&2; exit 1; }
}

# Before the first step.
begin() {
    started=$SECONDS
    noted=$(mktemp)
    logs=$(mktemp -d)
    ci/ipc.sh before "$noted"
    current=
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Also when a step failed: what a broken test leaves in the kernel stays there.
finish() {
    local status=$?
    trap - EXIT
    [ -z "$current" ] || echo "FAILED: $current" >&2
    ci/ipc.sh after "$noted" || [ "$status" != 0 ] || status=1
    rm -rf "$noted" "$logs"
    printf '%s in %d s\n' "$([ "$status" = 0 ] && echo passed || echo failed)" $((SECONDS - started))
    exit "$status"
}

step() {
    local name=$1 from=$SECONDS
    shift
    current=$name
    printf '\n== %s\n' "$name"
    "$@"
    printf '== %s: %d s\n' "$name" $((SECONDS - from))
    current=
}

# With all that the models print kept; shown only if one fails.
logged_as() {
    local log=$logs/$1
    shift
    "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}
logged() { logged_as "$1" "$@"; }
