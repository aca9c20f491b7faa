#!/usr/bin/env bash
# What a run leaves behind in the kernel: System V segments and semaphore sets.
#
#   ci/ipc.sh COMMAND [ARG...]   runs it, then judges; its status if that is not 0
#   ci/ipc.sh before FILE        notes what is there
#   ci/ipc.sh after FILE         fails if there is more now, and lists it
#
# An object counts if it is new, of our uid, and its maker is gone: what a live
# process made (a test run beside ours, the user's own work) is its own affair.
# One that a killed foreign run left at the same time can't be told from ours
# and is reported too.
set -euo pipefail

# `kind id key maker` of every object that our uid made. The columns of
# /proc/sysvipc are found by their headings; a set names no maker there (-).
objects() {
    local kind
    for kind in shm sem; do
        awk -v kind="$kind" -v me="$(id -u)" '
            NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            $at["cuid"] == me { print kind, $at[kind "id"], $at["key"], kind == "shm" ? $at["cpid"] : "-" }
        ' "/proc/sysvipc/$kind"
    done
}

lives() { [ "$1" != 0 ] && [ -d "/proc/$1" ]; }

# Those that are there now, not in the file, and nobody's.
orphans() {
    local kind id key maker users
    while read -r kind id key maker; do
        grep -qx "$kind $id $key $maker" "$1" && continue
        if [ "$kind" = shm ]; then
            # Made by somebody alive, or attached by somebody alive: in use.
            lives "$maker" && continue
            users=$(awk -v id="$id" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $at["shmid"] == id { print $at["nattch"] }' /proc/sysvipc/shm)
            [ "${users:-0}" = 0 ] || continue
        else
            # A set of ours in use has a seat (semaphores 2 and 3) taken; the
            # kernel gives back those of the dead.
            seated "$id" && continue
        fi
        printf '%s id %s key 0x%08x\n' "$kind" "$id" "$((key & 0xffffffff))"
    done < <(objects)
}

seated() {
    command -v ipcs >/dev/null || return 1
    # Rows: semnum value ncount zcount pid.
    ipcs -s -i "$1" 2>/dev/null | awk '($1 == 2 || $1 == 3) && $2 == 1 { taken = 1 } END { exit !taken }'
}

after() {
    local left try
    # A process that was killed may still be on its way out.
    for try in 1 2 3 4 5; do
        left=$(orphans "$1")
        [ -n "$left" ] || { echo "ipc: nothing left behind"; return 0; }
        sleep 0.2
    done
    printf 'ipc: left behind (remove with ipcrm -m ID or -s ID):\n%s\n' "$left" >&2
    return 1
}

case ${1:-} in
before) objects >"$2" ;;
after) after "$2" ;;
'') sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
*)
    noted=$(mktemp)
    trap 'rm -f "$noted"' EXIT
    objects >"$noted"
    status=0
    "$@" || status=$?
    after "$noted" || [ "$status" != 0 ] || status=1
    exit "$status"
    ;;
esac
