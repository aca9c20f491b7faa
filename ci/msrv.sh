#!/usr/bin/env bash
# Cargo.toml's rust-version is true, and the READMEs say the same: no dependency asks for a newer Rust,
# and where that very toolchain is installed, the programs, the library alone and all tests are checked
# with it.
#
#   ci/msrv.sh        rustup toolchain install 1.88 --profile minimal   installs what it wants
#
# What a newer toolchain can tell alone, ci/test.sh has checked: clippy's incompatible_msrv, by the same
# rust-version.
set -euo pipefail
cd "$(dirname "$0")/.."
stated=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
[ -n "$stated" ] || { echo "ci/msrv.sh: Cargo.toml states no rust-version" >&2; exit 1; }
for readme in README.md README.zh-CN.md; do
    grep -qwF "Rust $stated" "$readme" || { echo "msrv: $readme does not say Rust $stated" >&2; exit 1; }
done

# Of each package in the lock file: its name, and the Rust that it asks for.
asked() {
    cargo metadata --format-version 1 --locked |
        grep -oE '"(name|id|rust_version)":("[^"]*"|null)' |
        awk -F'"' '
            $2 == "name" && !fresh { name = $4; fresh = 1 }
            $2 == "rust_version" { print name, ($4 == "" ? "-" : $4); fresh = 0 }
        '
}
# The newest that a dependency of what ships asks for, and which one does.
newest=$(awk '
    NR == FNR { ships[$1] = $1 != "shm-handoff"; next }
    ships[$1] && $2 != "-" { print $2, $1 }
' <(cargo tree --locked -p shm-handoff -e normal,build --target all --prefix none) <(asked) | sort -V | tail -n 1)
[ -n "$newest" ] || { echo "ci/msrv.sh: nothing found in cargo metadata: bring this script up to date" >&2; exit 1; }
if [ "$(printf '%s\n' "${newest% *}" "$stated" | sort -V | tail -n 1)" != "$stated" ] && [ "${newest% *}" != "$stated.0" ]; then
    echo "msrv: ${newest#* } asks for Rust ${newest% *}, and Cargo.toml states $stated" >&2
    exit 1
fi
echo "msrv: no dependency asks for more than Rust ${newest% *} (${newest#* }); $stated is stated"

if ! command -v rustup >/dev/null || ! rustup run "$stated" rustc --version >/dev/null 2>&1; then
    echo "msrv: NOT CHECKED: that our own source builds with Rust $stated, which is not installed here" \
        "(rustup toolchain install $stated --profile minimal)"
    exit 0
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/msrv RUSTUP_TOOLCHAIN=$stated
cargo check --quiet --locked --all-targets -p shm-handoff
cargo check --quiet --locked --lib --no-default-features -p shm-handoff
echo "msrv: programs, library and tests check with $(rustc --version)"
