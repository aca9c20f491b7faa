#!/usr/bin/env bash
# Imports run one way, and atomics come through one door. Usage: ci/layering.sh [SRC]
#
#   error, sync  <-  backend (the trait and Payload)  <-  protocol  <-  cli  <-  bin
#                          ^-- backend/sysv, backend/inproc: beside protocol,
#                              seen by neither protocol nor each other
#   protocol/orders stands on sync alone, and serves backend/header, too
#   no file imports one that imports it in turn, over however many others
#
# Textual: comments (so doctests too) are left out; what a macro hides is not found.
set -euo pipefail
src=${1:-"$(dirname "$0")/../src"}
circles=$(cd "$(dirname "$0")" && pwd)/circles.awk
cd "$src"
bad=0

# Every line of code of the given files, as file:line:code; a `use` over several
# lines as one.
code() {
    local files
    files=$(find "$@" -name '*.rs' | sort)
    [ -n "$files" ] || return 0
    # shellcheck disable=SC2086 # our file names have no blanks
    awk '
        FNR == 1 { open = "" }
        { sub(/(^|[ \t])\/\/.*/, "") }
        open == "" && /^[ \t]*(pub(\([a-z: ]*\))?[ \t]+)?use[ \t]/ && !/;/ { open = $0; from = FNR; next }
        open != "" { open = open " " $0; if (/;/) { print FILENAME ":" from ":" open; open = "" } next }
        NF { print FILENAME ":" FNR ":" $0 }
    ' $files
}

# forbid WHY PATTERN FILES...: no line of code of the files matches.
forbid() {
    local why=$1 pattern=$2 hits
    shift 2
    hits=$(code "$@" | grep -E -e "$pattern") || true
    if [ -n "$hits" ]; then
        bad=1
        printf 'layering: %s:\n%s\n\n' "$why" "$hits" >&2
    fi
}

# A use of one of our modules: `crate::x`, in braces, or `super::x` one level up.
uses() { printf '(crate|super)::(\{.*\\b)?(%s)\\b' "$1"; }

# So that nothing is checked in vain after a move.
for there in error sync backend/mod.rs backend/payload.rs backend/sysv backend/inproc.rs protocol cli bin; do
    [ -e "$there" ] || { echo "layering: $PWD/$there is missing: bring this script up to date" >&2; exit 1; }
done

forbid "error and sync stand on nothing of ours" "$(uses 'backend|protocol|cli')" error sync
forbid "the backend trait knows neither protocol nor cli" "$(uses 'protocol|cli')" $(find backend -name '*.rs' ! -path backend/header.rs)
forbid "a ring's header takes of protocol the table of orders alone" 'crate::(\{.*\b)?(protocol\b[^:]|protocol::[^o]|cli)|protocol::o[^r]' backend/header.rs
forbid "the table of orders stands on sync alone" "$(uses 'backend|protocol|cli|error')" protocol/orders.rs
forbid "the trait and Payload name no backend" '\b(sysv|inproc)::|\b(SysV|InProc)\b' backend/mod.rs backend/payload.rs
forbid "sysv does not see inproc" '\b(inproc|InProc)\b' backend/sysv
forbid "inproc does not see sysv" '\b(sysv|SysV)\b' backend/inproc.rs
forbid "protocol names no backend" '\b(sysv|SysV|inproc|InProc)\b' protocol
forbid "protocol does not know cli" "$(uses 'cli')" protocol
forbid "options and programs are named by cli alone: the library's errors serve C, too" \
    '"[^"]*(--[a-z]|\bshm-handoff [a-z]|\bshm(read|write)\b)' error protocol backend/sysv
forbid "a bin goes through cli alone" 'shm_handoff::(\{|backend|protocol|error|sync)' bin

# All but the facade itself, the flag of a signal handler (signal-hook asks for
# std's own type there), and what is noted before main: no thread hands anything
# over by those two.
rest=$(find . -name '*.rs' ! -path "./sync/*" ! -path ./cli/signals.rs ! -path ./cli/stdio.rs | sort)
# shellcheck disable=SC2086
forbid "atomics, locks and cells come from crate::sync" \
    '\b(core|std)::(\{.*\b)?(sync::(\{.*\b)?(atomic|Mutex|RwLock|Condvar)|cell::(\{.*\b)?UnsafeCell)\b|\bparking_lot\b|\bloom::' $rest
# shellcheck disable=SC2086
forbid "an order comes from protocol's table; only Payload's words are relaxed without it" \
    '\bOrdering::(Relaxed|Acquire|Release|AcqRel|SeqCst)\b|\bfence\(' \
    $(printf '%s\n' $rest | grep -v -x -e './protocol/orders.rs' -e './backend/payload.rs')

# Importer and imported that are in a circle still: to be cut.
todo=$(cat <<'END'
./backend/sysv/segment.rs ./backend/sysv/set.rs
./protocol/ring/message.rs ./protocol/ring/reader.rs
./protocol/ring/reserved.rs ./protocol/ring/writer.rs
END
)
# shellcheck disable=SC2046 # as above
edges=$(awk -f "$circles" $(find . -name '*.rs' ! -path './bin/*' | sort))
loops=$(grep -v -x -F -e "$todo" <<<"$edges" | tsort 2>&1 >/dev/null) || true
if [ -n "$loops" ]; then
    bad=1
    printf 'layering: imports go in a circle:\n%s\n\n' "$loops" >&2
fi
left=$(comm -23 <(sort <<<"$todo") <(sort <<<"$edges"))
[ -z "$left" ] || { bad=1; printf 'layering: cut already, so no longer to do:\n%s\n\n' "$left" >&2; }

[ "$bad" = 0 ] || exit 1
echo "layering: imports run one way"
