#!/usr/bin/env bash
# Full rate for as long as you like: both layouts at the same time, each message checked, memory
# looked at every ten seconds.
#
#   ci/soak.sh [MINUTES]     60 without
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-60}
[[ $minutes =~ ^[0-9]+$ ]] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cargo build --quiet --release
bin=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$work"' EXIT

# Numbered lines until the time is over, as fast as they are taken.
feed() { awk -v until=$((EPOCHSECONDS + minutes * 60)) 'BEGIN { for (n = 0; ; n++) { if (n % 100000 == 0 && systime() >= until) exit; print n, substr("abcdefghijklmnopqrstuvwxyz", 1, n % 27) } }'; }
# The numbers one after the other, whole; how many.
check() { awk '$1 != NR - 1 || $2 != substr("abcdefghijklmnopqrstuvwxyz", 1, (NR - 1) % 27) { print "line " NR ": " $0 > "/dev/stderr"; exit 1 } END { print NR > "'"$1"'" }'; }

declare -A pids
keys=()
for layout in classic ring; do
    key=$((16#7e000000 + RANDOM * 32768 + RANDOM))
    keys+=("$key")
    option=()
    [ "$layout" = classic ] || option=(--ring)
    ("$bin/shmread" -k "$key" "${option[@]}" --format plain | check "$work/$layout") &
    pids[$layout]=$!
    (feed | "$bin/shmwrite" -k "$key" "${option[@]}") &
done
# In KiB, of these four and no others.
resident() { pgrep -d, -f -- "^$bin/shm(read|write) -k (${keys[0]}|${keys[1]})( |\$)" | xargs -r ps -o rss= -p | awk '{ sum += $1 } END { print sum + 0 }'; }
sleep 10
first=$(resident) most=0
while [ -n "$(jobs -pr)" ]; do
    now=$(resident)
    [ "$now" -le "$most" ] || most=$now
    sleep 10
done
for layout in classic ring; do
    wait "${pids[$layout]}" || { echo "ci/soak.sh: $layout: failed" >&2; exit 1; }
    printf '%s: %d messages in %d minutes, each checked\n' "$layout" "$(cat "$work/$layout")" "$minutes"
done
printf 'memory of all four: %d KiB after 10 s, %d KiB at most\n' "$first" "$most"
[ "$most" -le $((first + first / 10 + 1024)) ] || { echo "ci/soak.sh: it grew" >&2; exit 1; }
