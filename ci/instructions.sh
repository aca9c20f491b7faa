#!/usr/bin/env bash
# What a message costs in instructions, sent and received in one thread, beside rtrb (threads) and
# shaq (processes): by callgrind, as the difference of two run lengths. Unlike a time it is the same
# in every run.
#
#   ci/instructions.sh                   prints the table
#   ci/instructions.sh --check           fails where a row is above its ceiling in ci/instructions.txt,
#                                        or where docs/benchmarks.md says something else
#   ci/instructions.sh --docs            writes the table into docs/benchmarks.md
#   ci/instructions.sh --update          writes the ceilings, too: what was measured, and 2 instructions
#                                        or 1 % for compilers and C libraries that differ a little
#   ci/instructions.sh --lines ROW SIZE  which lines of the source a message's instructions come from
#
# The ceilings hold for the Rust version that ci/instructions.txt names. Of another one, or without
# valgrind, nothing is checked. Builds with the release profile and line numbers.
set -euo pipefail
cd "$(dirname "$0")/.."
# Another processor's instructions would be other ones.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
usage() { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }
ceilings=ci/instructions.txt document=docs/benchmarks.md
ours=(ring ring-peek ring-value either-ring either-ring-peek c-ring classic classic-peek either-classic either-classic-peek c-classic)
sizes=(8 64 256 2048)
version="$(rustc --version), $(uname -m)"
mode=${1:---print}
case $mode:$# in --print:0 | --check:1 | --docs:1 | --update:1 | --lines:3) ;; *) usage ;; esac

not_checked() {
    printf '\n  ci/instructions.sh: NOT CHECKED: %s\n\n' "$1" >&2
    exit 0
}
if [ "$mode" = --check ] && ! grep -qxF "# $version" "$ceilings"; then
    not_checked "the ceilings are those of $(sed -n '1s/^# //p' "$ceilings"); this is $version"
fi
command -v valgrind >/dev/null || not_checked "valgrind is missing (Debian: apt install valgrind)"

cargo build --quiet --profile counted -p instructions -p shm-handoff-capi
programs=${CARGO_TARGET_DIR:-target}/counted
"${CC:-cc}" -O2 -g -Icapi/include benches/instructions/src/through.c "$programs/libshm_handoff_capi.a" \
    -lpthread -ldl -lm -o "$programs/through-c"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run ROW SIZE COUNT OUT: under callgrind, which writes to OUT and says the total on stderr. The longest
# text of a classic slot is 2047 bytes.
run() {
    local program=instructions size=$2
    case $1 in c-*) program=through-c ;; esac
    case $1:$size in *classic*:2048) size=2047 ;; esac
    valgrind --tool=callgrind --compress-strings=no --compress-pos=no --callgrind-out-file="$4" \
        "$programs/$program" "$1" "$size" "$3"
}

# figure ROW SIZE: a line of ROW SIZE INSTRUCTIONS.
figure() {
    local few many
    few=$(run "$1" "$2" 500 /dev/null 2>&1 | sed -n 's/.*Collected : //p')
    many=$(run "$1" "$2" 2500 /dev/null 2>&1 | sed -n 's/.*Collected : //p')
    [ -n "$few" ] && [ -n "$many" ] || { echo "ci/instructions.sh: $1 at $2 bytes does not run" >&2; return 1; }
    echo "$1 $2 $(((many - few + 1000) / 2000))"
}

if [ "$mode" = --lines ]; then
    run "$2" "$3" 500 "$work/few" >/dev/null 2>&1 && run "$2" "$3" 2500 "$work/many" >/dev/null 2>&1 ||
        { echo "ci/instructions.sh: $2 at $3 bytes does not run" >&2; exit 1; }
    # Files in the order of what they cost; their lines in the order in which they stand.
    awk '
        /^f[lie]=/ { file = substr($0, 4); next }
        /^calls=/ { inclusive = 1; next }
        /^[0-9]+ [0-9]+$/ && inclusive { inclusive = 0; next }
        /^[0-9]+ [0-9]+$/ { cost[file "\t" $1] += FILENAME ~ /many$/ ? $2 : -$2 }
        END {
            for (place in cost) {
                split(place, part, "\t")
                per = cost[place] / 2000
                of[part[1]] += per
                total += per
                if (per >= 0.5) line[place] = per
            }
            printf "%8.1f\n", total
            for (place in line) {
                split(place, part, "\t")
                printf "%012.1f\t%s\t%d\t%.1f\n", of[part[1]], part[1], part[2], line[place]
            }
        }' "$work/few" "$work/many" | sort -t "$(printf '\t')" -k 1,1nr -k 2,2 -k 3,3n | awk -F '\t' -v here="$PWD/" '
        NF == 1 { printf "%s instructions a message\n", $0; next }
        $2 != file {
            file = $2
            shown = file
            sub(here, "", shown)
            sub(/.*\/(library|registry\/src\/[^\/]*)\//, "", shown)
            printf "\n%8.1f  %s\n", $1, shown
            split("", text)
            for (at = 1; (getline read_line < file) > 0; at++) { sub(/^ +/, "", read_line); text[at] = read_line }
        }
        { printf "%8.1f  %5d  %s\n", $4, $3, text[$3] }'
    exit
fi

export -f run figure
export programs
for row in "${ours[@]}" rtrb shaq; do
    for size in "${sizes[@]}"; do echo "$row $size"; done
done | xargs -P "$(nproc)" -L 1 bash -c 'figure "$@"' - >"$work/figures"

# figure_of ROW SIZE
figure_of() { awk -v row="$1" -v size="$2" '$1 == row && $2 == size { print $3 }' "$work/figures"; }

{
    echo "\`ci/instructions.sh\`, $version:"
    echo
    echo '| | 8 B | 64 B | 256 B | 2048 B |'
    echo '| --- | ---: | ---: | ---: | ---: |'
    for row in "${ours[@]}" rtrb shaq; do
        printf '| %s |' "$row"
        for size in "${sizes[@]}"; do printf ' %s |' "$(figure_of "$row" "$size")"; done
        echo
    done
} >"$work/table"
[ "$mode" = --check ] || cat "$work/table"

case $mode in
--docs | --update)
    sed -e "/^<!-- instructions -->$/,/^<!-- end -->$/{/^<!-- instructions -->$/{p;r $work/table" -e '};/^<!-- end -->$/!d}' \
        "$document" >"$work/document"
    cat "$work/document" >"$document"
    ;;
esac
case $mode in
--update)
    {
        echo "# $version"
        echo "# The most instructions that a message may cost, by its bytes: ci/instructions.sh --update."
        echo "#                        8     64    256   2048"
        for row in "${ours[@]}"; do
            printf '%-19s' "$row"
            for size in "${sizes[@]}"; do
                measured=$(figure_of "$row" "$size")
                margin=$(((measured + 99) / 100))
                printf ' %6d' $((measured + (margin > 2 ? margin : 2)))
            done
            echo
        done
    } >"$work/ceilings"
    cat "$work/ceilings" >"$ceilings"
    ;;
--check)
    # Three tables: what was measured, the ceilings, and what the document says.
    sed -n '/^<!-- instructions -->$/,/^<!-- end -->$/s/^| \([a-z-]*\) | \(.*\) |$/\1 \2/p' "$document" | tr -d '|' >"$work/said"
    awk -v sizes="${sizes[*]}" -v ours="${ours[*]}" '
        BEGIN { columns = split(sizes, size, " ") }
        FILENAME ~ /figures$/ { measured[$1, $2] = $3; next }
        /^#/ { next }
        { for (at = 1; at <= columns; at++) table[FILENAME ~ /said$/ ? "said" : "ceiling", $1, size[at]] = $(at + 1) }
        END {
            for (r = 1; r <= split(ours, row, " "); r++) for (at = 1; at <= columns; at++) {
                name = row[r] " at " size[at] " bytes"
                is = measured[row[r], size[at]]
                most = table["ceiling", row[r], size[at]]
                said = table["said", row[r], size[at]]
                if (most == "") { print "ci/instructions.sh: " name " has no ceiling"; bad = 1 }
                else if (is > most) { print "ci/instructions.sh: " name ": " is " instructions; the ceiling is " most; bad = 1 }
                else if (is > said + 2 && is > said * 1.01 || is < said - 2 && is < said / 1.01) {
                    print "ci/instructions.sh: " name ": " is " instructions; the document says " said; stale = 1
                }
            }
            if (stale) print "ci/instructions.sh: --update writes document and ceilings anew"
            exit bad || stale
        }' "$work/figures" "$ceilings" "$work/said" >&2
    echo "instructions: no row is above its ceiling"
    ;;
esac
