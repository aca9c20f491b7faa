#!/usr/bin/env bash
# Builds the C library and installs it: the header, the static and the shared library, and what pkg-config
# and CMake ask for.
#
#   [DESTDIR=...] [PREFIX=/usr/local] [LIBDIR=lib] [PROFILE=release] capi/install.sh
#
# LIBDIR is a folder below PREFIX, such as lib64 or lib/x86_64-linux-gnu. BUILT=FILE takes a libshm_handoff_capi.a that cargo has
# built already, for another machine perhaps.
#
# Needs a Rust toolchain and a C compiler (CC, with arguments if need be). Cargo's own variables and settings hold.
set -euo pipefail
unset CDPATH # cd would look there first
from=$PWD

fail() {
    echo "capi/install.sh: $1" >&2
    exit 1
}

# A path as it was meant where it was given: the build runs elsewhere.
absolute() {
    case $1 in '' | /*) printf %s "$1" ;; *) printf %s "$from/$1" ;; esac
}

destdir=$(absolute "${DESTDIR:-}")
prefix=$(absolute "${PREFIX:-/usr/local}")
prefix=${prefix%/}
libdir=${LIBDIR:-lib}
libdir=${libdir%/}
built=$(absolute "${BUILT:-}")
for name in CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR; do
    [ -z "${!name:-}" ] || export "$name=$(absolute "${!name}")"
done
case $prefix in *[\"\$\#\\,:\;\(\)$'\t']*) fail "PREFIX $prefix has a character that pkg-config or the linker would misread" ;; esac
case /$libdir/ in
    //* | */../* | */./* | *[!A-Za-z0-9_/.+-]*) fail "LIBDIR $libdir is none: give a folder below PREFIX, such as lib64" ;;
esac

# The path of a compiler, or a compiler and its arguments.
cc=("${CC:-cc}")
command -v "${cc[0]}" >/dev/null || read -ra cc <<<"${cc[0]}"
command -v "${cc[0]}" >/dev/null || fail "${cc[0]} is missing: install a C compiler, or name one in CC"
[ -n "$built" ] || command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs"

cd -P -- "$(dirname -- "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' capi/Cargo.toml)
soname=libshm_handoff.so.0
# Where the library lies depends on cargo's target, profile and folder: so cargo says it.
[ -n "$built" ] || built=$(cargo build --quiet --locked -p shm-handoff-capi --profile "${PROFILE:-release}" \
    --message-format json-render-diagnostics | sed -n 's/.*"\([^"]*\/libshm_handoff_capi\.a\)".*/\1/p')
[ -f "$built" ] || fail "there is no library, or more than one, where it should have been built: ${built:-none}"

made=$(mktemp -d)
trap 'rm -rf -- "$made"' EXIT
# By the C compiler: rustc gives the linker a version script of its own, beside which there can be no other one
# with a named version.
"${cc[@]}" -shared -o "$made/so" -Wl,-soname,"$soname" -Wl,--version-script=capi/shm_handoff.map \
    -Wl,--whole-archive "$built" -Wl,--no-whole-archive -Wl,--gc-sections -Wl,-z,defs -lpthread -ldl -lm
# Of a pointer in it, in bytes: the fifth byte of an ELF file is 1 with 32 bits, and 2 with 64.
pointer=$((4 * $(od -An -tu1 -j4 -N1 "$made/so")))
# Programs find the library where the loader does not look by itself.
# shellcheck disable=SC2016 # pkg-config expands it
rpath='-Wl,-rpath,"${libdir}"'
case $prefix in '' | /usr) rpath= ;; esac
# fill TEMPLATE TO: with what is known only here.
fill() {
    local text
    text=$(<"$1")
    text=${text//@PREFIX@/"$prefix"}
    text=${text//@LIBDIR@/"$libdir"}
    # From the library's folder back to the prefix.
    # shellcheck disable=SC2001 # every component
    text=${text//@UP@/"$(sed 's/[^/][^/]*/../g' <<<"$libdir")"}
    text=${text//@RPATH@/"$rpath"}
    text=${text//@SONAME@/"$soname"}
    text=${text//@MAJOR@/"${version%%.*}"}
    text=${text//@POINTER@/"$pointer"}
    printf '%s\n' "${text//@VERSION@/"$version"}" >"$2"
}
fill capi/shm_handoff.pc.in "$made/pc"
fill capi/shm-handoff-config.cmake.in "$made/config"
fill capi/shm-handoff-config-version.cmake.in "$made/version"

to=$destdir$prefix
lib=$to/$libdir
install -d "$to/include" "$lib/pkgconfig" "$lib/cmake/shm-handoff"
install -m 644 capi/include/shm_handoff.h "$to/include/"
install -m 644 "$built" "$lib/libshm_handoff.a"
install -m 755 "$made/so" "$lib/libshm_handoff.so.$version"
ln -sf "libshm_handoff.so.$version" "$lib/$soname"
ln -sf "$soname" "$lib/libshm_handoff.so"
install -m 644 "$made/pc" "$lib/pkgconfig/shm_handoff.pc"
install -m 644 "$made/config" "$lib/cmake/shm-handoff/shm-handoff-config.cmake"
install -m 644 "$made/version" "$lib/cmake/shm-handoff/shm-handoff-config-version.cmake"
echo "shm_handoff $version in $to"
if [ -z "$destdir" ] && [ "$(pkg-config --variable=prefix shm_handoff 2>/dev/null)" != "$prefix" ]; then
    printf 'For pkg-config: export PKG_CONFIG_PATH=%q\n' "$prefix/$libdir/pkgconfig"
fi
