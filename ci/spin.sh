#!/usr/bin/env bash
# The claims F of docs/verification.md: SPIN on the model of publishing and parking, tests/spin/ring.pml.
#
#   ci/spin.sh            the map, then every claim, and every bug that has to be found
#   ci/spin.sh --map      the map alone: each step of the model names a line of the source that still reads so, and
#                         no atomic operation of the ring is named by none. Needs no tool
#   ci/spin.sh --check    as the first, and holds the table of docs/verification.md against it
#   ci/spin.sh --write    as the first, and writes that table
#
# A search is complete, or it is a failure. A bug that SPIN does not find is one, too. SPIN=deep in the environment takes
# larger rings and buffers, and no bugs. Where there is no spin or no C compiler nothing is checked but the map.
set -euo pipefail
cd "$(dirname "$0")/.."
model=tests/spin/ring.pml
doc=docs/verification.md
mode=${1:-}
case $mode in '' | --map | --check | --write) ;; *) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

# All atomic operations and fences of these are named, in steps or among what is left out.
whole=(src/protocol/ring/event.rs src/protocol/ring/producer.rs src/protocol/ring/consumer.rs)

map() {
    sed -nE 's/^ *\/\* (left out )?= ([^ ]+) ([a-z_]+): "(.*)"( because .*)? \*\/$/\2\t\3\t\4/p' "$model" | sort -u >"$work/map"
    # Comments of another form would go unseen.
    if grep -nE '\/\*.* = ?(src|[a-z]+\/)' "$model" | grep -vE '\/\* (left out )?= [^ ]+ [a-z_]+: ".*"( because .*)? \*\/$'; then
        echo "spin: $model: a step's line is not written as /* = FILE FUNCTION: \"TEXT\" */" >&2
        return 1
    fi
    awk -F '\t' -v whole="${whole[*]}" '
        function complain(text) { print "spin: " text > "/dev/stderr"; bad = 1 }
        # The lines of code of a file, each with the function that it is in.
        function read(file,    line, indent, name) {
            if (file in lines) return
            lines[file] = 0
            while ((getline line < file) > 0) {
                lines[file]++
                sub(/(^|[ \t])\/\/.*/, "", line)
                if (match(line, /^ *(pub(\([a-z: ]*\))? )?(const |unsafe )*fn [a-z_0-9]+/) && line !~ /;$/) {
                    name = substr(line, RSTART, RLENGTH)
                    sub(/.* /, "", name)
                    match(line, /^ */)
                    indent = substr(line, 1, RLENGTH)
                    within[file, lines[file]] = ""
                } else {
                    within[file, lines[file]] = name
                }
                sub(/[ \t]+$/, "", line)
                code[file, lines[file]] = line
                sub(/^ +/, "", line)
                text[file, lines[file]] = line
                if (code[file, lines[file]] == indent "}") name = ""
            }
            close(file)
            if (!lines[file]) complain(file " is missing or empty: bring the model up to date")
        }
        {
            read($1)
            hits = 0
            for (at = 1; at <= lines[$1]; at++)
                if (within[$1, at] == $2 && text[$1, at] == $3) { hits++; named[$1, at] = 1 }
            if (hits != 1) complain($1 ", fn " $2 ": the line stands there " hits " times, and not once: " $3)
        }
        END {
            if (!NR) complain("the model names no line")
            n = split(whole, files, " ")
            for (i = 1; i <= n; i++) {
                read(files[i])
                for (at = 1; at <= lines[files[i]]; at++) {
                    if (code[files[i], at] !~ /\.(load|store|swap|compare_exchange(_weak)?|fetch_[a-z]+)\(|fence\(|(^|[^a-z_])barrier\(/) continue
                    if (code[files[i], at] ~ /(^| )fn /) continue
                    operations++
                    if (!((files[i], at) in named)) complain(files[i] ":" at ": no step of the model stands for this: " code[files[i], at])
                }
            }
            if (!operations) complain("no atomic operation was found")
            if (!bad) print "spin: " NR " lines are as the model has them; all " operations " atomic operations are named"
            exit bad
        }' "$work/map"
}

# A claim's number, how it is searched, its settings, and what it says; then the bugs, each with what differs otherwise.
# live: the property nobody_waits_forever, under weak fairness. Else the assertions, among them that of the judge.
claims() {
    if [ "${SPIN:-}" = deep ]; then
        cat <<'END'
F1 safe UNITS=4,DEPTH=4,HEAVY=0
F2 safe UNITS=4,DEPTH=4,HEAVY=1,SWITCHES=1
F3 safe UNITS=3,DEPTH=3,HEAVY=2,REACH=2
F4 safe UNITS=3,DEPTH=2,KILLS=ANY
F5 safe UNITS=2,DEPTH=2,HEAVY=2,KILLS=1
F6 live UNITS=3,DEPTH=2,BOUNDED=1,KILLS=ANY,HEIRS=0
F7 live UNITS=4,DEPTH=2,HEAVY=1
F8 live UNITS=3,DEPTH=2,HEAVY=0,FENCELESS=1,BOUNDED=1
F9 live UNITS=2,DEPTH=3,KILLS=1
END
        return
    fi
    cat <<'END'
F1 safe UNITS=3,DEPTH=3,HEAVY=0
  FENCE_PUBLISHED FENCE_READER_SLEEPS FENCE_GIVEN_BACK FENCE_WRITER_SLEEPS RING_PUBLISH NOT_CLEARED_BEHIND NOT_GIVEN_BACK_WHEN_DRY NO_WAKE_BY_WRITER NO_WAKE_BY_READER
F2 safe UNITS=3,DEPTH=3,HEAVY=1,SWITCHES=1
  LIGHT_PUBLISHED NO_IPI_BY_READER LIGHT_GIVEN_BACK NO_IPI_BY_WRITER SWITCH_WITHOUT_FENCE
F3 safe UNITS=2,DEPTH=3,HEAVY=2,REACH=2
  READER_KEEPS_ITS_WORD WRITER_KEEPS_ITS_WORD NO_BOUND_FOR_THE_NEXT BELIEVED_THOUGH_NOT_REACHED
F4 safe UNITS=2,DEPTH=3,KILLS=ANY
  WRITER_COMES_SILENTLY READER_COMES_SILENTLY NOT_NOTED
F5 safe UNITS=2,DEPTH=1,HEAVY=2,KILLS=1
  WORD_OF_THE_DEAD
F6 live UNITS=2,DEPTH=2,BOUNDED=1,KILLS=ANY,HEIRS=0
  NO_LAST_LOOK NO_STATUS NOTHING,BOUNDED=0
F7 live UNITS=3,DEPTH=3,HEAVY=1
  LIGHT_PUBLISHED NO_IPI_BY_READER LIGHT_GIVEN_BACK NO_IPI_BY_WRITER
F8 live UNITS=2,DEPTH=2,HEAVY=0,FENCELESS=1,BOUNDED=1
  NOT_GIVEN_BACK_WHEN_DRY NOTHING,BOUNDED=0
F9 live UNITS=2,DEPTH=2,KILLS=1
  WRITER_COMES_SILENTLY READER_COMES_SILENTLY
END
}

what() {
    case $1 in
    F1) echo "any number of messages, each side with its own fences: in order, once, whole; nobody sleeps beside what it waits for, though no sleep has a bound" ;;
    F2) echo "the same where the side that sleeps has the kernel fence the other: no fence on a message's way, and a scheduler that takes either from its processor at any moment" ;;
    F3) echo "the same where each process is registered or not, and each heavy fence is made or refused: a word that is taken back costs its side one sleep to its bound at most" ;;
    F4) echo "the same where both sides are killed at any step, any number of times, one or both: a successor goes on, only the last message of a dead reader comes again, and no sleep needs a bound" ;;
    F5) echo "F4 with heavy fences that are refused at any moment: nothing is left of a dead side's word beyond one sleep" ;;
    F6) echo "a side is killed, and nobody comes: the other one receives all that was sent, and is told, for its sleeps have a bound" ;;
    F7) echo "F2 without the scheduler, weakly fair: what was sent is received, and a side that waits for room gets it; nobody waits forever" ;;
    F8) echo "no fence does anything, and sleeps have a bound: everything comes all the same, only later; nothing but time depends on a fence" ;;
    F9) echo "F7 where one side is killed at any step, and a successor comes" ;;
    esac
}

# verify KIND SETTINGS: what SPIN says, in $work/log; SETTINGS as A=1,B=2, later ones count.
verify() {
    local kind=$1 setting macros=() at=$work/pan
    local -A settings=()
    local -a all
    IFS=, read -ra all <<<"$2"
    for setting in "${all[@]}"; do settings[${setting%%=*}]=${setting#*=}; done
    for setting in "${!settings[@]}"; do macros+=("-D$setting=${settings[$setting]}"); done
    [ "$kind" = safe ] || macros+=(-DLIVENESS=1)
    rm -rf "$at" && mkdir "$at"
    cp "$model" "$at"
    (
        cd "$at"
        spin "${macros[@]}" -a ring.pml || exit
        if [ "$kind" = live ]; then
            "${CC:-cc}" -O1 -w -DNOREDUCE -DNFAIR=3 -DCOLLAPSE -o pan pan.c && ./pan -a -f -n -m"$depth" -w24
        else
            "${CC:-cc}" -O1 -w -DSAFETY -DNOFAIR -DCOLLAPSE -o pan pan.c && ./pan -E -n -m"$depth" -w24
        fi
    ) >"$work/log" 2>&1
}

# What was found, in a few words.
found() {
    case $(grep -m1 '^pan:1: ' "$work/log") in
    *'got==sent'*) echo "a message that nobody receives" ;;
    *'done[0]'*) echo "asleep beside room" ;;
    *'bytes==cursor'*) echo "other bytes" ;;
    *fresh*) echo "a message that comes again" ;;
    *'tail==sent'*) echo "a writer goes on in the wrong place" ;;
    *'acceptance cycle'*) echo "waits forever" ;;
    *) return 1 ;;
    esac
}

failed() {
    echo "spin: $*" >&2
    cat "$work/log" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
map
[ "$mode" != --map ] || exit 0
for tool in spin "${CC:-cc}"; do
    command -v "$tool" >/dev/null || {
        echo "NOT CHECKED: no claim of docs/verification.md whose letter is F, for there is no $tool (Debian: apt install spin gcc; elsewhere https://spinroot.com)"
        exit 0
    }
done

depth=3000000
[ "${SPIN:-}" != deep ] || depth=20000000
: >"$work/rows"
number=
finish() {
    [ -z "$number" ] || printf '| %s | %s | %s | %s |%s\n' "$number" "$(what "$number")" "$setting_text" "$states" "${bugs:+ $bugs |}" | tee -a "$work/rows"
    bugs=
}
while read -r first kind settings; do
    case $first in
    F[0-9]*)
        finish
        number=$first how=$kind with=$settings
        verify "$kind" "$settings" || failed "$number could not be run"
        grep -q 'errors: 0$' "$work/log" || failed "$number does not hold"
        ! grep -qE 'Search not completed|too small|out of memory|truncated' "$work/log" || failed "$number was not searched to its end"
        states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' "$work/log" | sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta')
        setting_text="${settings//,/ }${kind/safe/}"
        setting_text=${setting_text/live/, live}
        ;;
    *)
        for bug in $first $kind $settings; do
            verify "$how" "$with,BUG=$bug" || failed "$number could not be run with $bug"
            says=$(found) || failed "$number: $bug was not found"
            bugs+="${bugs:+; }\`${bug/NOTHING,/}\`: $says"
        done
        ;;
    esac
done < <(claims)
finish

table() {
    if [ "${SPIN:-}" = deep ]; then
        printf '\n| claim | what holds | settings | states |\n| --- | --- | --- | --- |\n'
    else
        printf '\n| claim | what holds | settings | states | bugs, each of which SPIN finds |\n| --- | --- | --- | --- | --- |\n'
    fi
    cat "$work/rows"
    echo
}

mark="<!-- spin: F${SPIN:+, $SPIN} -->"
renew() {
    awk -v mark="$mark" -v table="$work/table" '
        over { if ($0 == "<!-- end -->") { over = 0; print } ; next }
        { print }
        $0 == mark { over = 1; found = 1; while ((getline line < table) > 0) print line }
        END { exit !found }' "$doc"
}
table >"$work/table"
renew >"$work/doc" || { echo "spin: $doc has no table $mark" >&2; exit 1; }
case $mode in
--write) cp "$work/doc" "$doc" ;;
--check) diff "$doc" "$work/doc" >&2 || { echo "$doc is out of date: run ${SPIN:+SPIN=$SPIN }ci/spin.sh --write" >&2; exit 1; } ;;
esac
