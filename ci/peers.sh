#!/usr/bin/env bash
# Measures the library beside its peers; benches/peers/README.md says how. Arguments
# go to the program.
set -euo pipefail
cd "$(dirname "$0")/.."
with=()
if ! ldconfig -p 2>/dev/null | grep -Eq 'libclang(-[0-9]+)?\.so' && [ -z "${LIBCLANG_PATH:-}" ]; then
    echo "peers.sh: no libclang (Debian: apt install libclang-dev): without iceoryx2" >&2
    with=(--no-default-features)
fi
for word in "$@"; do
    case $word in --files*) cargo build --release ;; esac
done
# Not `cargo run`, which would stand between a signal and the program.
cargo build --release -p peers "${with[@]}"
exec "${CARGO_TARGET_DIR:-target}/release/peers" "$@"
