#!/usr/bin/env bash
# Runs a command beside busy loops, which take the processor from it: what relies on
# being quick shows there.
#
#   ci/busy.sh LOOPS COMMAND [ARG...]
set -euo pipefail
[ "$#" -ge 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
loops=()
trap 'kill "${loops[@]}" 2>/dev/null || true' EXIT
for _ in $(seq "$1"); do
    while :; do :; done &
    loops+=($!)
done
shift
"$@"
