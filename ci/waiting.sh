#!/usr/bin/env bash
# What waiting costs where the core is not ours alone: messages a second, how late a time-out
# of 100 ms is, and how soon a death is heard; by the slot, the ring and a pipe, in turn.
#
#   ci/waiting.sh [--write] [ROUNDS] [FOLDER]
#
# ROUNDS time-outs and deaths in each place (15 without), of the programs in FOLDER (built
# without). --write puts the table into docs/benchmarks.md. Takes about three minutes.
set -euo pipefail
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
write=
[ "${1:-}" != --write ] || { write=1; shift; }
rounds=${1:-15} bin=${2:-}
[[ $rounds =~ ^[1-9][0-9]*$ && $# -le 2 ]] || usage
[ -z "$bin" ] || bin=$(cd "$bin" && pwd)
cd "$(dirname "$0")/.."
# A point in EPOCHREALTIME.
export LC_ALL=C
if [ -z "$bin" ]; then
    cargo build --quiet --release
    bin=${CARGO_TARGET_DIR:-target}/release
fi
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n' | while IFS=- read -r from to; do seq "$from" "${to:-$from}"; done)
[ "${#cores[@]}" -ge 2 ] || { echo "ci/waiting.sh: it takes two cores, and this process may use ${#cores[@]}" >&2; exit 1; }
near=${cores[0]} far=${cores[1]}
# The one that holds the watch stays away from the busy core.
taskset -cp "$far" $$ >/dev/null
work=$(mktemp -d)
# Only what was started here, each by its own number.
finish() {
    local status=$?
    trap - EXIT
    set +e
    jobs -p | xargs -r kill 2>/dev/null
    { wait; } 2>/dev/null
    "$bin/shm-handoff" rm "$key" >/dev/null 2>&1
    rm -rf "$work"
    exit "$status"
}
key=$((16#7d000000 + RANDOM * 256 + RANDOM % 256))
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

micros() { printf '%s' "${EPOCHREALTIME/./}"; }
# The middle one of the numbers on stdin, and the largest, in milliseconds.
middle() { sort -n | awk '{ of[NR] = $1 } END { printf "%.1f (%.1f)\n", of[int((NR + 1) / 2)] / 1000, of[NR] / 1000 }'; }

# On core $2: a wait of 100 ms for nothing, from when it says that it begins; microseconds too late.
late() {
    local command line from to
    case $1 in
        classic) command=("$bin/shmread" -v -k "$key" --timeout 100ms) ;;
        ring) command=("$bin/shmread" -v -k "$key" --ring=64K --timeout 100ms) ;;
        # shellcheck disable=SC2016 # the other shell's
        pipe) command=(bash -c 'exec 3<> "$0"; echo "now"; read -r -t 0.1 -u 3' "$work/empty") ;;
    esac
    exec {said}< <(taskset -c "$2" "${command[@]}" 2>&1)
    read -r line <&"$said"
    from=$(micros)
    # The next thing that it says, or its end.
    read -r line <&"$said" || true
    to=$(micros)
    exec {said}<&-
    wait $! || true
    "$bin/shm-handoff" rm "$key" >/dev/null 2>&1 || true
    echo $((to - from - 100000))
}

# On cores $2 and $3: a writer at full rate is killed; microseconds until its reader has ended.
heard() {
    local reading writing reader writer from to
    case $1 in
        classic) reading=("$bin/shmread" -k "$key") writing=("$bin/shmwrite" -k "$key") ;;
        ring) reading=("$bin/shmread" -k "$key" --ring=64K) writing=("$bin/shmwrite" -k "$key" --ring=64K) ;;
        pipe) reading=(cat "$work/pipe") writing=(cp /dev/stdin "$work/pipe") ;;
    esac
    rm -f "$work/lines" && mkfifo "$work/lines"
    # What it prints is counted, so that the writer is known to be at it; the end of that is its end.
    exec {came}< <(exec taskset -c "$3" "${reading[@]}" 2>"$work/said")
    reader=$!
    yes "a line of sixty-four bytes, as the bench sends them, newline too" >"$work/lines" 2>/dev/null &
    local feeder=$!
    taskset -c "$2" "${writing[@]}" <"$work/lines" 2>/dev/null &
    writer=$!
    head -c 65536 <&"$came" >/dev/null
    cat <&"$came" >/dev/null &
    local drain=$!
    sleep 0.2
    from=$(micros)
    kill -KILL "$writer"
    # (What the shell says of the killed one is no news.)
    { wait "$drain" || true; } 2>/dev/null
    to=$(micros)
    exec {came}<&-
    { wait "$writer" "$feeder" "$reader" || true; } 2>/dev/null
    "$bin/shm-handoff" rm "$key" >/dev/null 2>&1 || true
    echo $((to - from))
}

mkfifo "$work/empty" "$work/pipe"
processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1)
load() { cut -d' ' -f1 /proc/loadavg; }
before=$(load)
{
    echo "| | | messages/s | round trip, µs: median | 90 % | time-out of 100 ms, ms late | death heard, ms |"
    echo "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
} >"$work/table"
for place in "two cores" "one core" "one core, four busy loops beside"; do
    to=$near
    [ "$place" != "two cores" ] || to=$far
    if [[ $place == *loops* ]]; then
        for _ in 1 2 3 4; do
            taskset -c "$near" bash -c 'while :; do :; done' &
        done
    fi
    taskset -c "$near,$far" "$bin/shm-handoff" bench -q --cores "$near,$to" --only classic,ring,pipe --seconds 4 --no-headings \
        -o transport,messages/s,p50,p90 >"$work/bench" 2>/dev/null
    for transport in classic ring pipe; do : >"$work/late.$transport" >"$work/heard.$transport"; done
    for ((round = 0; round < rounds; round++)); do
        for transport in classic ring pipe; do
            late $transport "$near" >>"$work/late.$transport"
            heard $transport "$near" "$to" >>"$work/heard.$transport"
        done
    done
    while read -r transport rate half most; do
        printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$place" "$transport" "$rate" \
            "$(awk "BEGIN { printf \"%.1f\", $half / 1000 }")" "$(awk "BEGIN { printf \"%.1f\", $most / 1000 }")" \
            "$(middle <"$work/late.$transport")" "$(middle <"$work/heard.$transport")"
        place=
    done <"$work/bench" >>"$work/table"
done
{
    echo "\`ci/waiting.sh $rounds\`, $(date +%F), ${processor:-$(uname -m)}, $(nproc --all) cores, Linux $(uname -r); the load average was $before before it and $(load) after it (the loops are four of that). Medians, and in brackets the worst of $rounds."
    echo
    cat "$work/table"
} >"$work/figures"
cat "$work/figures"
[ -z "$write" ] || {
    sed -e "/^<!-- waiting -->$/,/^<!-- end -->$/{/^<!-- waiting -->$/{p;r $work/figures" -e '};/^<!-- end -->$/!d}' \
        docs/benchmarks.md >"$work/document"
    cat "$work/document" >docs/benchmarks.md
}
