#!/usr/bin/env bash
# The floors of docs/architecture.md: imports go down only, and an atomic operation stands where its layout
# has it. Usage: ci/layering.sh [SRC]
#
# Textual: comments (so doctests too) and a file's tests are left out; what a macro hides is not found.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
src=${1:-"$here/../src"}
most_lines=400
cd "$src"
bad=0

complain() {
    bad=1
    printf 'layering: %s:\n%s\n\n' "$1" "$2" >&2
}

# Every room: its name, the files or folders in it, and after the colon the rooms that it may see. A file is in
# the last room that has it.
rooms=$(cat <<'END'
error     error/                                                 :
declare   declare/                                               :
schema    schema.rs                                              :
sync      sync/ failpoint.rs                                     :
orders    orders.rs                                              : sync
memory    backend/memory/                                        : error declare sync orders
backend   backend/mod.rs backend/interrupt.rs                    : error sync memory
inproc    backend/inproc/                                        : error declare sync memory backend
sysv      backend/sysv/                                          : error declare schema sync memory backend
core      protocol/core.rs protocol/record.rs protocol/backlog.rs : error backend
slot      protocol/slot/                                         : error orders memory backend core
ring      protocol/ring/                                         : error sync orders memory backend core
tutorial  protocol/tutorial.rs protocol/tutorial/                : error sync orders memory backend slot
either    protocol/either.rs                                     : error backend core slot ring
endpoint  protocol/mod.rs protocol/endpoint/                     : error sync backend core either
in_place  protocol/ring/in_place.rs protocol/ring/reserved.rs protocol/ring/carry.rs : error backend core ring endpoint
typed     protocol/typed/                                        : error backend core ring either endpoint in_place
example   example.rs                                             : error backend inproc sysv core
cli       cli/                                                   : error declare sync memory backend sysv core slot ring tutorial endpoint
bin       bin/                                                   : cli
END
)

# So that nothing is checked in vain after a move.
for there in $(sed 's/:.*//; s/^[a-z_]* *//' <<<"$rooms"); do
    [ -e "$there" ] || { echo "layering: $PWD/$there is missing: bring this script up to date" >&2; exit 1; }
done

sources() { find . -name '*.rs' ! -name tests.rs | sort; }

# shellcheck disable=SC2046 # our file names have no blanks
edges=$(awk -f "$here/circles.awk" $(sources))

# What a binary imports, it imports by the crate's name.
edges+=$'\n'$(grep -HnoE '\bshm_handoff::[a-z_]+' bin/*.rs | sed -E 's/:[0-9]+:shm_handoff::/ /; s/^/.\//; s/ cli$/ .\/cli\/mod.rs/')

upward=$(awk '
    NR == FNR {
        split($0, halves, ":"); n = split(halves[1], words, " "); m = split(halves[2], seen, " ")
        for (at = 2; at <= n; at++) { place[++places] = "./" words[at]; room[places] = words[1] }
        for (at = 1; at <= m; at++) may[words[1], seen[at]] = 1
        next
    }
    function room_of(file,    at) { for (at = places; at > 0; at--) if (index(file, place[at]) == 1) return room[at]; return "" }
    # (An edge to the root is that of a `super` in a module within a file: the root only re-exports.)
    NF == 2 && $2 != "./lib.rs" && $1 != "./lib.rs" {
        from = room_of($1); to = room_of($2)
        if (from != to && !((from, to) in may)) print $1 " (" from ") sees " $2 " (" to ")"
    }
' <(printf '%s\n' "$rooms") <(printf '%s\n' "$edges"))
[ -z "$upward" ] || complain "an import that the rooms do not allow" "$upward"

homeless=$(for file in $(sources); do
    file=${file#./}
    sed 's/:.*//; s/^[a-z_]* *//' <<<"$rooms" | tr ' ' '\n' | awk -v file="$file" 'NF && index(file, $0) == 1 { found = 1 } END { exit !found }' || echo "$file"
done | grep -v -x lib.rs) || true
[ -z "$homeless" ] || complain "files in no room" "$homeless"

loops=$(tsort <<<"$edges" 2>&1 >/dev/null) || true
[ -z "$loops" ] || complain "imports go in a circle" "$loops"

long=$(find . -name '*.rs' -exec awk -v most="$most_lines" 'END { if (NR > most) print FILENAME ": " NR }' {} \; | sort)
[ -z "$long" ] || complain "a file of more than $most_lines lines" "$long"

# Every line of code of the given files, as file:line:code; a `use` over several lines as one.
code() {
    # shellcheck disable=SC2046 # as above
    awk '
        FNR == 1 { open = ""; over = 0 }
        /^#\[cfg\((all\()?test[,)]/ { over = 1 }
        over { next }
        { sub(/(^|[ \t])\/\/.*/, "") }
        open == "" && /^[ \t]*(pub(\([a-z: ]*\))?[ \t]+)?use[ \t]/ && !/;/ { open = $0; from = FNR; next }
        open != "" { open = open " " $0; if (/;/) { print FILENAME ":" from ":" open; open = "" } next }
        NF { print FILENAME ":" FNR ":" $0 }
    ' $(find "$@" -name '*.rs' ! -name tests.rs | sort)
}

# forbid WHY PATTERN FILES...: no line of code of the files matches.
forbid() {
    local why=$1 pattern=$2 hits
    shift 2
    hits=$(code "$@" | grep -E -e "$pattern") || true
    [ -z "$hits" ] || complain "$why" "$hits"
}

# all_but FILES...: the others.
all_but() {
    sources | grep -v -x -F "$(printf './%s\n' "$@")"
}

# The cores of the layouts, the original, a ring's header.
atomic=(protocol/slot/producer.rs protocol/slot/consumer.rs protocol/ring/producer.rs protocol/ring/consumer.rs
    protocol/ring/event.rs protocol/ring/intent.rs protocol/tutorial.rs backend/memory/header.rs)
facade=$(find sync -name '*.rs')
operation='\.(load|store|swap|compare_exchange(_weak)?|fetch_[a-z]+)\(([^()]*, *)?[^()]*(\b(RELAXED|Ordering|order|orders)\b)|\b(compiler_)?fence\(|\bbarrier\(|\borders\(\)'

# The copies of payload are of relaxed words and bytes; a signal handler's flag is std's own, and so is what is noted before
# main, the simulated kernel's notes and the list of layouts, which no checker need see: no thread hands anything over
# by those four.
# shellcheck disable=SC2046,SC2086
forbid "an atomic operation stands in its layout's producer.rs, consumer.rs, event.rs or intent.rs, or in the ring's header" "$operation" \
    $(all_but "${atomic[@]}" orders.rs backend/memory/payload.rs backend/memory/exact.rs cli/signals.rs cli/stdio.rs $facade)
# shellcheck disable=SC2046,SC2086
forbid "an order comes from the table in orders.rs" '\bOrdering::(Relaxed|Acquire|Release|AcqRel|SeqCst)\b' \
    $(all_but orders.rs backend/memory/payload.rs backend/memory/exact.rs cli/signals.rs cli/stdio.rs $facade)
# shellcheck disable=SC2046,SC2086
forbid "atomics, locks and cells come from sync" \
    '\b(core|std)::(\{.*\b)?(sync::(\{.*\b)?(atomic|Mutex|RwLock|Condvar)|cell::(\{.*\b)?UnsafeCell)\b|\bparking_lot\b|\bloom::' \
    $(all_but cli/signals.rs cli/stdio.rs backend/sysv/kernel/simulated/notes.rs backend/sysv/wish.rs $facade)
forbid "what lies in memory knows no kernel and no backend" '\b(libc|nix|sysv|inproc|SysV|InProc)\b' backend/memory
forbid "the trait and the protocol name no backend" '\b(sysv|inproc)::|\b(SysV|InProc)\b' backend/mod.rs protocol
forbid "options and programs are named by cli alone: the library's errors serve C, too" \
    '"[^"]*(--[a-z]|\bshm-handoff [a-z]|\bshm(read|write)\b)' error protocol backend/sysv backend/inproc

# Other crates see the public face. (`cli` is hidden; benches/peers shares its plot and its numbered messages.)
users=()
for user in async/src bridge/src capi/src python/src examples benches docs/hand-over/src; do
    [ ! -d "../$user" ] || users+=("../$user")
done
[ ${#users[@]} = 0 ] || forbid "a user of the library goes through its public face" \
    '\bshm_handoff::(\{.*\b)?(protocol|sync|orders|failpoint)\b' "${users[@]}"

[ "$bad" = 0 ] || exit 1
echo "layering: imports go down only"
