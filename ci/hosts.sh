#!/usr/bin/env bash
# Runs shm-bridge between hosts in network namespaces, with a wire in user space between them, and kills everything at
# random and at the bridges' failpoints; `hosts --help` has the options. Builds what it needs. It needs root, iproute2
# and /dev/net/tun, and says `NOT CHECKED` without them.
#
#   ci/hosts.sh                                   2,000 kills of bridges: some minutes on two cores
#   ci/hosts.sh --kills 150 --minutes 10          what ci/bridge.sh does: a minute or two
#   ci/hosts.sh --soak 10 --way chaos             ten minutes at full rate: memory stays as it is
#   ci/hosts.sh --session SEED --way WAY          one session again
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}/crash
RUSTFLAGS="${RUSTFLAGS:-} --cfg crash" CARGO_TARGET_DIR="$target" cargo build --quiet -p hosts
exec "$target/debug/hosts" "$@"
