#!/usr/bin/env bash
# What a message costs in instructions, sent and received in one thread, beside rtrb (threads)
# and shaq (processes): by callgrind, as the difference of two run lengths. Unlike a time it is
# the same in every run.
#
#   ci/instructions.sh            a table, for the Rust version that it names
#
# Builds with the release profile. Needs valgrind; where it is missing, says NOT CHECKED.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "ci/instructions.sh: NOT CHECKED: valgrind is missing (Debian: apt install valgrind)"; exit 0; }
cargo build --quiet --release -p instructions
program=${CARGO_TARGET_DIR:-target}/release/instructions

collected() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

# per_message PEER SIZE
per_message() {
    local few many
    few=$(collected "$1" "$2" 2000)
    many=$(collected "$1" "$2" 12000)
    echo $(((many - few + 5000) / 10000))
}

echo "instructions a message, $(rustc --version)"
echo
printf '| %-14s | %6s | %6s | %6s | %6s |\n' "" "8 B" "64 B" "256 B" "2 KiB"
echo '| -------------- | -----: | -----: | -----: | -----: |'
for peer in ring ring-peek either-ring classic classic-peek either-classic rtrb shaq; do
    case $peer in *classic*) longest=2047 ;; *) longest=2048 ;; esac
    row=()
    for size in 8 64 256 $longest; do row+=("$(per_message "$peer" "$size")"); done
    printf '| %-14s | %6s | %6s | %6s | %6s |\n' "$peer" "${row[@]}"
done
