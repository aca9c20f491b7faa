#!/usr/bin/env bash
# Runs a command beside busy loops, which take the processor from it: what relies on
# being quick shows there.
#
#   ci/busy.sh LOOPS COMMAND [ARG...]
set -euo pipefail
[ "$#" -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
loops=()
trap 'kill "${loops[@]}" 2>/dev/null || true' EXIT
# Heard at once, for the command is waited for.
trap 'exit 130' INT
trap 'exit 143' TERM
for _ in $(seq "$1"); do
    while :; do :; done &
    loops+=($!)
done
shift
"$@" &
wait $!
