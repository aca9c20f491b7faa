#!/usr/bin/env bash
# Runs a command whose tests are killed in the middle (mutants that hang, seeded bugs) in
# an IPC namespace of its own: what the killed leave in the kernel goes with it, and
# nobody else's is touched. Where no namespace can be had, ci/ipc.sh says what was left.
#
#   ci/apart.sh COMMAND [ARG...]
set -euo pipefail
[ "$#" != 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if unshare --ipc true 2>/dev/null; then exec unshare --ipc "$@"; fi
if unshare --user --map-current-user --ipc true 2>/dev/null; then exec unshare --user --map-current-user --ipc "$@"; fi
echo "ci/apart.sh: no IPC namespace of its own can be had here (unshare, of util-linux): what is killed leaves its segments" >&2
exec "$(dirname "$0")/ipc.sh" "$@"
