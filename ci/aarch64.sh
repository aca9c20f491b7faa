#!/usr/bin/env bash
# Builds everything for aarch64 and runs it here under qemu's user emulation: unit tests, conformance,
# properties, the corpus of hostile memory, defects, tests between processes and with C peers, crash tests; and
# programs of this machine with programs of aarch64 at one segment, each as the writer and as the reader. About
# a quarter of an hour on two cores.
#
#   ci/aarch64.sh [STEP...]        build, tests, together, crash; all of them without
#   ci/aarch64.sh --instructions   what a message costs in instructions on aarch64, beside the same
#                                  by words alone in place of vector registers: a minute
#
# What qemu can't do is skipped by name: ci/aarch64.txt has the names, with the reasons, and a name that is no
# test's fails. What is missing here is named, and nothing is checked then:
#
#   rustup target add aarch64-unknown-linux-gnu, and Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and
#   qemu-user-static. Without rustup: Debian's rustc-web and cargo-web, and libstd-rust-web-dev of arm64, of the
#   same version (apt-get download libstd-rust-web-dev:arm64, with arm64 among apt's architectures; dpkg -x into /).
#
# A program of aarch64 is started by the kernel's binfmt_misc. Where this machine has none for it, one is
# registered in a user namespace of its own, which Linux 6.7 can do, and goes with it.
#
# qemu shows alignment, sizes and paths of the code; it shows no weak memory. CRASHES (kills in each layout) and
# ROUNDS (how often a test between processes tries what goes wrong rarely) change the numbers.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
target=aarch64-unknown-linux-gnu
export QEMU_LD_PREFIX=${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu} ROUNDS=${ROUNDS:-20}
kills=${CRASHES:-200}
steps=("$@")
[ "$#" != 0 ] || steps=(build tests together crash)
for step in "${steps[@]}"; do
    case $step in build | tests | together | crash | --instructions) ;; *) sed -n '2,26s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
done

not_checked() {
    printf '\n  ci/aarch64.sh: NOT CHECKED: %s\n\n' "$1" >&2
    exit 0
}
[ "$(uname -m)" != aarch64 ] || not_checked "this machine is one: ci/test.sh checks it"
for rustc in rustc /usr/bin/rustc ""; do
    [ -z "$rustc" ] || ! ls "$("$rustc" --print target-libdir --target "$target" 2>/dev/null)"/libstd-*.rlib >/dev/null 2>&1 || break
done
[ -n "$rustc" ] || not_checked "no Rust compiler has a standard library for $target (rustup target add $target; the head of this script has Debian's)"
# (A distribution's cargo goes with its compiler.)
cargo=cargo
[ "$rustc" = rustc ] || cargo=/usr/bin/cargo
command -v "$cargo" >/dev/null || not_checked "$cargo is missing (Debian: apt install cargo-web)"
cross=aarch64-linux-gnu-gcc
command -v "$cross" >/dev/null || not_checked "$cross is missing (Debian: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
    not_checked "qemu-aarch64 is missing (Debian: apt install qemu-user-static)"

native=${CARGO_TARGET_DIR:-target}
mkdir -p "$native/aarch64"
native=$(cd "$native" && pwd)
export CARGO_TARGET_DIR=$native/aarch64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# For aarch64; C parts too.
aarch64() { RUSTC=$rustc CC=$cross CC_aarch64_unknown_linux_gnu=$cross CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$cross CARGO_BUILD_TARGET=$target "$@"; }
programs=$CARGO_TARGET_DIR/$target/debug

# In a namespace of its own, with the kernel taught to start programs of aarch64 if it does not know.
echo 'int main(void) { return 0; }' | "$cross" -x c - -o "$work/nothing"
if "$work/nothing" 2>/dev/null; then
    apart() { ci/apart.sh "$@"; }
else
    # ELF of 64 bits, little-endian, a program or a library, of aarch64; the interpreter is opened now (F), and
    # the name by which a program was called kept (P).
    printf ':aarch64:M::%s:%s:%s:FP' '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00' \
        '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' "$qemu" >"$work/register"
    cat >"$work/inside" <<'INSIDE'
set -e
until read -r _ </proc/self/uid_map; do sleep 0.01; done
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
cat "$1" >/proc/sys/fs/binfmt_misc/register
shift
exec "$@"
INSIDE
    apart() {
        if [ "$(id -u)" != 0 ]; then
            unshare --user --map-root-user --mount --ipc bash "$work/inside" "$work/register" \
                unshare --user --map-user="$(id -u)" --map-group="$(id -g)" "$@"
            return
        fi
        # All users are there, for some tests are of others.
        unshare --user --mount --ipc bash "$work/inside" "$work/register" "$@" &
        local inside=$!
        until [ "$(readlink "/proc/$inside/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do
            kill -0 "$inside" 2>/dev/null || break
            sleep 0.01
        done
        # (Where it has ended already, that is said.)
        { echo 0 0 65536 >"/proc/$inside/gid_map" && echo 0 0 65536 >"/proc/$inside/uid_map"; } 2>/dev/null || true
        wait "$inside"
    }
    apart "$work/nothing" 2>"$work/why" ||
        not_checked "the kernel can't be taught to start programs of aarch64 in a namespace, as Linux 6.7 can (Debian: apt install binfmt-support, which teaches the machine): $(tail -n 1 "$work/why")"
fi

# Without a row for libraries of others that this machine alone has, benches/peers.
build() {
    aarch64 "$cargo" build --quiet --workspace --exclude peers --lib --bins --examples
    aarch64 env RUSTFLAGS="${RUSTFLAGS:-} --cfg crash" CARGO_TARGET_DIR="$CARGO_TARGET_DIR/crash" "$cargo" build --quiet -p crash
    CARGO_TARGET_DIR=$native cargo build --quiet
}

# skips TARGET: its names in ci/aarch64.txt.
skips() { awk -v target="$1" '$1 == target { sub(/:$/, "", $2); print $2 }' ci/aarch64.txt; }

# run_tests NAME PROGRAM: all of its tests but those.
run_tests() {
    local name=$1 program=$2 test skipped args=() log=$work/$1 from=$SECONDS status=0
    apart "$program" --list 2>/dev/null | sed -n 's/: test$//p' >"$work/names"
    mapfile -t skipped < <(skips "$name")
    for test in "${skipped[@]}"; do
        grep -qxF "$test" "$work/names" || { echo "ci/aarch64.sh: ci/aarch64.txt has $test, which is no test of $name" >&2; return 1; }
        args+=(--skip "$test")
    done
    # One at a time where processes are started: a vfork is a fork under qemu, so a child of one test has for a
    # moment what another has attached, and is taken for a C program.
    case $name in lib | conformance | proptest | corpus) ;; *) args+=(--test-threads 1) ;; esac
    aarch64 apart "$program" --exact --show-output "${args[@]}" >"$log" 2>&1 || status=$?
    [ "$status" = 0 ] || cat "$log"
    printf '%-12s %s passed, %d skipped by name, %s that say they can do less here, %d s\n' "$name" \
        "$(sed -n 's/^test result: .* \([0-9]*\) passed.*/\1/p' "$log")" "${#skipped[@]}" "$(grep -c '^SKIPPED' "$log" || true)" $((SECONDS - from))
    return "$status"
}

tests() {
    local name program failed=0 targets=(conformance proptest corpus interop defects processes)
    echo "skipped, for qemu's sake:"
    sed -n '/^#/!s/^/  /p' ci/aarch64.txt
    aarch64 "$cargo" test --no-run --lib "${targets[@]/#/--test=}" 2>"$work/built" || { cat "$work/built" >&2; return 1; }
    for name in lib "${targets[@]}"; do
        # (The names of cargo's lines: `unittests src/lib.rs`, `tests/NAME.rs`, `tests/NAME/main.rs`.)
        program=$(sed -nE "s:^ *Executable (unittests src/|tests/)$name(/main)?\\.rs \\((.*)\\)\$:\\3:p" "$work/built")
        [ -n "$program" ] || { echo "ci/aarch64.sh: cargo names no program of $name" >&2; return 1; }
        run_tests "$name" "$program" || failed=1
    done
    return "$failed"
}

# hand_over WRITING READING LAYOUT LINES: lines of all lengths from shmwrite of one folder to shmread of another.
hand_over() {
    local writing=$1 reading=$2 lines=$4 args=() key=$((16#7a000000 + RANDOM * 256 + RANDOM % 256))
    [ "$3" = classic ] || args=("--ring=64K")
    awk -v lines="$lines" 'BEGIN { srand(1); for (at = 1; at <= lines; at++) { line = at " "; while (length(line) < at * 7 % 2000) line = line int(rand() * 1e9) " "; print line } }' >"$work/lines"
    apart bash -c '
        reading=$1 writing=$2 lines=$3 came=$4 key=$5
        shift 5
        "$reading" -k "$key" --timeout 60s "$@" >"$came" &
        "$writing" -k "$key" --timeout 60s "$@" <"$lines"
        wait $!
    ' together "$reading/shmread" "$writing/shmwrite" "$work/lines" "$work/came" "$key" "${args[@]}"
    cmp "$work/lines" "$work/came"
}

together() {
    local here=$native/debug there=$programs layout from=$SECONDS
    for program in shmread shmwrite; do
        [ "$(od -An -tx1 -j18 -N1 "$there/$program")" = " b7" ] && [ "$(od -An -tx1 -j18 -N1 "$here/$program")" != " b7" ] ||
            { echo "ci/aarch64.sh: $program is not there for both machines: ci/aarch64.sh build" >&2; return 1; }
    done
    for layout in classic ring; do
        hand_over "$here" "$there" "$layout" 5000
        hand_over "$there" "$here" "$layout" 5000
        echo "$layout: 5,000 lines of up to 2,000 bytes from $(uname -m) to aarch64, and from aarch64 to $(uname -m)"
    done
    printf 'together: %d s\n' $((SECONDS - from))
}

crash() {
    local folder=$CARGO_TARGET_DIR/crash
    "$cross" -std=c11 -O2 -DPAUSE_US=200 tests/c/writer.c -o "$folder/c-writer"
    apart "$folder/$target/debug/crash" --c-writer "$folder/c-writer" --kills "$kills" --least 0 2>"$work/said" >"$work/crash" ||
        { cat "$work/said" "$work/crash"; return 1; }
    grep " kills in " "$work/said"
}

# count ROW SIZE FOLDER: a message's instructions, counted as ci/instructions.sh does. An instruction is a block of
# its own under -singlestep, and a block a line of the log.
count() {
    local few many
    few=$(apart "$qemu" -singlestep -d nochain,exec -D /dev/stderr "$3/instructions" "$1" "$2" 100 2>&1 >/dev/null | grep -ac '^Trace')
    many=$(apart "$qemu" -singlestep -d nochain,exec -D /dev/stderr "$3/instructions" "$1" "$2" 600 2>&1 >/dev/null | grep -ac '^Trace')
    echo $(((many - few + 250) / 500))
}

instructions() {
    local row size folder=$CARGO_TARGET_DIR
    aarch64 "$cargo" build --quiet --profile counted -p instructions
    # (What is fuzzed copies by words.)
    aarch64 env RUSTFLAGS="--cfg fuzzing" CARGO_TARGET_DIR="$folder/words" "$cargo" build --quiet --profile counted -p instructions
    echo "| | 8 B | 64 B | 256 B | 1024 B | 2047 B |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: |"
    for row in ring classic; do
        for by in NEON words; do
            printf '| %s, by %s |' "$row" "$by"
            for size in 8 64 256 1024 2047; do
                printf ' %s |' "$(count "$row" "$size" "$folder$([ "$by" = NEON ] || echo /words)/$target/counted")"
            done
            echo
        done
    done
}

for step in "${steps[@]}"; do "${step#--}"; done
