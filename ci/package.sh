#!/usr/bin/env bash
# What is published builds by itself, and what is installed from it is the three programs and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
# Its build is the installation's, below.
cargo package --quiet --locked --no-verify -p shm-handoff
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
tar -xzf "$target/package/shm-handoff-$version.crate" -C "$root"
cargo install --quiet --locked --path "$root/shm-handoff-$version" --root "$root/installed" --target-dir "$target/package"
installed=$(find "$root/installed" -type f ! -name '.crates*' -printf '%P\n' | sort | tr '\n' ' ')
if [ "$installed" != "bin/shm-handoff bin/shmread bin/shmwrite " ]; then
    echo "package: installed is: $installed" >&2
    exit 1
fi
for program in shm-handoff shmread shmwrite; do "$root/installed/bin/$program" --version; done
cargo build --quiet --locked --lib --no-default-features --manifest-path "$root/shm-handoff-$version/Cargo.toml" --target-dir "$target/package"
echo "package: $(stat -c %s "$target/package/shm-handoff-$version.crate") bytes; the three programs, and the library alone"
