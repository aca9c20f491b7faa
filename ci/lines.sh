#!/usr/bin/env bash
# What short lines cost through the programs and a ring: seq 1 COUNT through shmwrite to shmread,
# beside seq 1 COUNT through cat, in turn and in both orders.
#
#   ci/lines.sh [--rounds N] [--count N] [FOLDER...]
#
# Of the programs in each FOLDER (built without): two folders, before a change and after it, are
# compared in one run. Medians of the rounds (9 without), of 5,000,000 lines; what arrives is
# compared with what seq says first.
set -euo pipefail
usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
rounds=9 count=5000000 folders=()
while [ "$#" != 0 ]; do
    case $1 in
        --rounds | --count)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
            declare "${1#--}=$2"
            shift
            ;;
        -*) usage ;;
        *) folders+=("$(cd "$1" && pwd)") ;;
    esac
    shift
done
cd "$(dirname "$0")/.."
# A point in EPOCHREALTIME.
export LC_ALL=C
if [ "${#folders[@]}" = 0 ]; then
    cargo build --quiet --release
    folders=("$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)")
fi
work=$(mktemp -d)
key=$((16#7c000000 + RANDOM * 256 + RANDOM % 256))
# Only what was started here, each by its own number.
finish() {
    local status=$?
    trap - EXIT
    set +e
    jobs -p | xargs -r kill 2>/dev/null
    { wait; } 2>/dev/null
    "${folders[0]}/shm-handoff" rm "$key" >/dev/null 2>&1
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

micros() { printf '%s' "${EPOCHREALTIME/./}"; }

# lines FOLDER|cat INTO
lines() {
    local reader
    if [ "$1" = cat ]; then
        seq 1 "$count" | cat >"$2"
    else
        "$1/shmread" -q -k "$key" --ring >"$2" &
        reader=$!
        seq 1 "$count" | "$1/shmwrite" -q -k "$key" --ring
        wait "$reader"
    fi
}

# one FOLDER|cat NUMBER
one() {
    local from
    from=$(micros)
    lines "$1" /dev/null
    echo $(($(micros) - from)) >>"$work/took.$2"
}

of=("${folders[@]}" cat)
for folder in "${folders[@]}"; do
    lines "$folder" "$work/lines"
    cmp <(seq 1 "$count") "$work/lines" || { echo "ci/lines.sh: $folder: not what was sent" >&2; exit 1; }
done
rm -f "$work/lines"
lines cat /dev/null
for ((round = 0; round < rounds; round++)); do
    for ((at = 0; at < ${#of[@]}; at++)); do
        turn=$((round % 2 == 0 ? at : ${#of[@]} - 1 - at))
        one "${of[turn]}" "$turn"
    done
done

middle() { sort -n "$1" | awk -v "unit=$2" '{ of[NR] = $1 / unit } END { printf "%.3f (%.3f..%.3f)", of[int((NR + 1) / 2)], of[1], of[NR] }'; }
echo "$count lines, $rounds rounds, medians (least..most); a ratio is that of two times in one round"
echo
echo '| | s | to the first | to seq and cat |'
echo '| --- | ---: | ---: | ---: |'
for ((at = 0; at < ${#of[@]}; at++)); do
    for beside in 0 $((${#of[@]} - 1)); do
        paste "$work/took.$at" "$work/took.$beside" | awk '{ print $1 / $2 }' >"$work/ratio.$beside"
    done
    echo "| ${of[at]} | $(middle "$work/took.$at" 1000000) | $(middle "$work/ratio.0" 1) | $(middle "$work/ratio.$((${#of[@]} - 1))" 1) |"
done
