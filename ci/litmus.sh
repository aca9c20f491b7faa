#!/usr/bin/env bash
# The table of memory orders under axiomatic models: herd7 runs the litmus tests that tests/litmus makes
# of it, and docs/verification.md has what comes of each.
#
#   ci/litmus.sh [--check]   runs them, holds the document against what comes
#   ci/litmus.sh --write     runs them, writes the table
#   ci/litmus.sh --library   builds the library for AArch64, and holds the instruction at each place of the
#                            table against its order there: about a minute
#
# Fails where an outcome that must not be is found with the orders that ship, where no twin of a
# test finds it, where an order could be weaker, and where the document says something else.
#
# HERD7 is the program, HERD7_LIBDIR the folder of its models where it does not find that by itself.
# Debian has herd7 in its unstable distribution alone (herdtools7, which needs that one's libc6 and
# libgmp10: unpack the three with dpkg -x into a folder, and start it by the ld-linux there); opam has it
# as herdtools7. Without it nothing is checked. --library needs none; it needs a Rust compiler with AArch64's
# standard library (rustup target add aarch64-unknown-linux-gnu) and binutils-aarch64-linux-gnu.
set -euo pipefail
cd "$(dirname "$0")/.."
document=docs/verification.md
mode=${1:---check}
case $mode:$# in --check:[01] | --write:1 | --library:1) ;; *) sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac

not_checked() {
    printf '\n  ci/litmus.sh: NOT CHECKED: %s\n\n' "$1" >&2
    exit 0
}
made=${CARGO_TARGET_DIR:-target}/tmp/litmus

# The C11 tests are those of the table; what the compiler makes of it comes into a folder.
make_tests() {
    cargo test --quiet --test litmus -- --nocapture >"$1" 2>&1 || { cat "$1" >&2; return 1; }
}

library() {
    local rustc=rustc target=aarch64-unknown-linux-gnu objdump=aarch64-linux-gnu-objdump
    for rustc in rustc /usr/bin/rustc ""; do
        [ -z "$rustc" ] || ! ls "$("$rustc" --print target-libdir --target "$target" 2>/dev/null)"/libcore-*.rlib >/dev/null 2>&1 || break
    done
    [ -n "$rustc" ] || not_checked "no Rust compiler has a standard library for $target (rustup target add $target)"
    command -v "$objdump" >/dev/null || not_checked "$objdump is missing (Debian: apt install binutils-aarch64-linux-gnu)"
    make_tests "$work/log"
    local built=${CARGO_TARGET_DIR:-target}/aarch64
    RUSTC=$rustc CARGO_TARGET_DIR=$built cargo build --quiet --profile counted -p shm-handoff-capi --target "$target"
    # By the line numbers and what was inlined there (which is said anew for each instruction, the innermost line
    # only if it is another one): an access is what has core's atomics as its innermost function, and its place
    # right around that. Of a fence the place is somewhere around. Where `full_fence` is not inlined it goes by
    # its argument, and has all kinds of fences.
    "$objdump" -dl --inlines --no-show-raw-insn "$built/$target/counted/libshm_handoff_capi.a" | awk -v src="$PWD/src/" '
        FNR == NR { order[$1] = $2; name[$1] = $3; next }
        /^inlined by / { if (over) frames = over = ""; if (index($3, src) == 1) frames = frames " " substr($3, length(src) + 1); next }
        /^\/.*:[0-9]+/ { frames = over = ""; inner = $1; next }
        /^ *[0-9a-f]+:\t/ { over = 1 }
        /^ *[0-9a-f]+:\t/ && (inner ~ /\/core\/src\/sync\/atomic\.rs:/ || $2 == "dmb") {
            is = $2 == "dmb" ? "SeqCst" : $2 ~ /^stlr/ ? "Release" : $2 ~ /^ldar/ ? "Acquire" : $2 ~ /^(ld|st|cas|swp)/ ? "Relaxed" : ""
            if (is == "" || (is == "SeqCst" && $3 != "ish")) next
            count = split(frames, frame, " ")
            for (at = 1; at <= (is == "SeqCst" ? count : 1); at++) {
                place = frame[at]
                if (!(place in order)) continue
                if (order[place] == is) found[place]++
                else if (is != "SeqCst") { print "ci/litmus.sh: " place ": " name[place] ": " $2 " is no " order[place] > "/dev/stderr"; bad = 1 }
            }
        }
        END {
            for (place in order) {
                places++
                if (!(place in found)) { print "ci/litmus.sh: " place ": " name[place] ": no instruction of " order[place] > "/dev/stderr"; bad = 1 }
            }
            if (!bad) print "litmus: the library for AArch64 has the instructions of all " places " places of the table"
            exit bad
        }
    ' "$made/places" -
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ "$mode" != --library ] || { library; exit; }

herd=(${HERD7:-herd7})
command -v "${herd[0]}" >/dev/null || not_checked "herd7 is missing (Debian unstable: herdtools7; opam install herdtools7; HERD7 names it elsewhere)"
[ -z "${HERD7_LIBDIR:-}" ] || herd+=(-set-libdir "$HERD7_LIBDIR")
make_tests "$work/log"
missing=$(sed -n 's/.*NOT CHECKED: //p' "$work/log")
[ -z "$missing" ] || not_checked "$missing"

# run COLUMN FILES... -- OPTIONS...: a line of COLUMN|TEST|VERDICT each.
run() {
    local column=$1 files=()
    shift
    while [ "$1" != -- ]; do files+=("$1"); shift; done
    shift
    local status=0
    "${herd[@]}" "$@" "${files[@]}" 2>"$work/errors" | awk -v column="$column" '
        /^Test /        { race = "" }
        /^Flag \*undef/ { race = "race" }
        /^Observation / { print column "|" $2 "|" (race ? race : $3) }
    ' >>"$work/verdicts" || status=$?
    [ "$status" = 0 ] && [ ! -s "$work/errors" ] || { cat "$work/errors" >&2; echo "ci/litmus.sh: herd7 can't run a test" >&2; exit 1; }
}
tests=tests/litmus/c11
run RC11 "$tests"/*.litmus -- -model rc11.cat
run buffering "$tests"/*.litmus -- -model rc11.cat -skipcheck no-thin-air
run C++11 "$tests"/*.litmus -- -model c11_simp.cat
for processor in x86-64 AArch64 RISC-V POWER; do
    run "$processor" "$made/$processor"/*.litmus --
done

# The table, and on stderr what must not be in it.
# Of C++11 alone A16 and A18 are known: its fences don't reach as far as those of C++20.
awk -F '|' '
    FNR == NR { verdict[$1, $2] = $3; next }
    function fail(what) { print "ci/litmus.sh: " name ": " what > "/dev/stderr"; bad = 1 }
    BEGIN {
        columns = split("RC11 buffering C++11 x86-64 AArch64 RISC-V POWER", column, " ")
        print ""
        print "| claim | what holds, or what is shown | RC11, cells | RC11 | RC11, load buffering | C++11 | x86-64 | AArch64 | RISC-V | POWER |"
        print "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    }
    {
        name = $1; claim = $2; kind = $3; claims[claim]
        cells = (("RC11", name "-cells") in verdict) ? verdict["RC11", name "-cells"] : "–"
        row = "| " claim " | " $4 " | " cells " |"
        if (kind == "shipped" && cells != "–" && cells != "Never") fail("shipped, on cells: " cells)
        for (at = 1; at <= columns; at++) {
            now = verdict[column[at], name]
            if (kind != "shipped" && (now ~ /Sometimes|race/ || cells == "race")) reached[claim] = 1
            if (now == "") fail("nothing of " column[at])
            row = row " " now " |"
            known = column[at] == "C++11" && (claim == "A16" || claim == "A18")
            if (kind == "shipped" && now != "Never" && !known) fail("shipped, " column[at] ": " now)
        }
        seen = verdict["buffering", name]
        if (kind == "shown" && seen == "Never") fail("is not shown")
        if (kind ~ /^T/) { order[kind] = order[kind] " " seen }
        print row
    }
    END {
        print ""
        for (claim in claims) if (!(claim in reached)) { name = claim; fail("no twin finds what must not be") }
        for (kind in order) if (order[kind] !~ /Sometimes|race/) { name = kind; fail("could be weaker") }
        exit bad
    }
' "$work/verdicts" "$made/rows" >"$work/table"

awk -v table="$work/table" '
    { if (!inside) print }
    $0 == "<!-- litmus -->" { inside = 1; while ((getline line < table) > 0) print line }
    $0 == "<!-- end -->" && inside { inside = 0; print }
' "$document" >"$work/new"
if [ "$mode" = --write ]; then
    cp "$work/new" "$document"
elif ! diff "$document" "$work/new" >"$work/diff"; then
    cat "$work/diff" >&2
    echo "ci/litmus.sh: $document is out of date: run ci/litmus.sh --write" >&2
    exit 1
fi
echo "litmus: $(wc -l <"$work/verdicts") verdicts, as $document has them"
