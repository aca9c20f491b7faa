#!/usr/bin/env bash
# The public API is what docs/api.txt says, and every item of it is in an example that asserts.
#
#   ci/api.sh [--update]    --update writes docs/api.txt
#
# rustdoc's JSON is not stable yet. RUSTC_BOOTSTRAP makes the stable toolchain write it, and tests/api
# reads the format of one Rust alone: that of 1.95; where the toolchain is another it says so, and checks nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in '' | --update) ;; *) sed -n '4s/^# *//p' "$0" >&2; exit 2 ;; esac

# A directory of its own: some build scripts decide by RUSTC_BOOTSTRAP.
target=${CARGO_TARGET_DIR:-target}/api
RUSTC_BOOTSTRAP=1 cargo rustdoc --quiet --lib -p shm-handoff --no-default-features --target-dir "$target" -- \
    -Z unstable-options --output-format json
cargo run --quiet -p api -- "$target/doc/shm_handoff.json" docs/api.txt "$@"
