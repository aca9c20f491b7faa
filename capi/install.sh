#!/usr/bin/env bash
# Builds the C library and installs it: the header, the static and the shared library, and what pkg-config
# asks for.
#
#   [DESTDIR=...] [PREFIX=/usr/local] [PROFILE=release] capi/install.sh
#
# Needs a Rust toolchain and a C compiler (CC).
set -euo pipefail
case ${DESTDIR:-} in '' | /*) ;; *) DESTDIR=$PWD/$DESTDIR ;; esac
cd "$(dirname "$0")/.."
command -v cargo >/dev/null || { echo "capi/install.sh: cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
cc=${CC:-cc}
command -v "$cc" >/dev/null || { echo "capi/install.sh: $cc is missing: install a C compiler, or name one in CC" >&2; exit 1; }
prefix=${PREFIX:-/usr/local} profile=${PROFILE:-release}
to=${DESTDIR:-}$prefix
target=${CARGO_TARGET_DIR:-target}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' capi/Cargo.toml)

cargo build --quiet --locked -p shm-handoff-capi --profile "$profile" --target-dir "$target"
built=$target/$([ "$profile" = dev ] && echo debug || echo "$profile")/libshm_handoff_capi.a

install -d "$to/include" "$to/lib/pkgconfig"
install -m 644 capi/include/shm_handoff.h "$to/include/"
install -m 644 "$built" "$to/lib/libshm_handoff.a"
# By the C compiler: rustc gives the linker a version script of its own, beside which there can be no other one
# with a named version.
"$cc" -shared -o "$to/lib/libshm_handoff.so.$version" -Wl,-soname,libshm_handoff.so.0 \
    -Wl,--version-script=capi/shm_handoff.map -Wl,--whole-archive "$built" -Wl,--no-whole-archive \
    -Wl,--gc-sections -Wl,-z,defs -lgcc_s -lpthread -ldl -lm -lc
ln -sf "libshm_handoff.so.$version" "$to/lib/libshm_handoff.so.0"
ln -sf libshm_handoff.so.0 "$to/lib/libshm_handoff.so"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" capi/shm_handoff.pc.in >"$to/lib/pkgconfig/shm_handoff.pc"
echo "shm_handoff $version in $to"
