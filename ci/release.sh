#!/usr/bin/env bash
# Makes every package of a release, from one build for glibc 2.31: the .deb and .rpm packages, the tarballs of programs, and
# SHA256SUMS. Two runs at one commit make the same bytes.
#
#   ci/release.sh [--out DIR] [--install-tools] [--without-bridge]    into target/packages, or DIR
#   ci/release.sh --list                                              the names of what it makes
#
# The bridge and what it stands on take most of the time to build.
#
# Needs a Rust toolchain, binutils, python3, cargo-zigbuild and zig; cargo-deb and dpkg for the .deb packages,
# cargo-generate-rpm for the .rpm packages. What can't be made here is named as NOT MADE, with the command that installs what is missing;
# --install-tools installs the tools of Rust, and zig, into target/tools.
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."
exec </dev/null
out=$PWD/target/packages install_tools=false list=false bridge=true
while [ $# != 0 ]; do
    case $1 in
        --out) out=${2:?"ci/release.sh: --out needs a folder"}; shift ;;
        --install-tools) install_tools=true ;;
        --without-bridge) bridge=false ;;
        --list) list=true ;;
        *) echo "usage: ci/release.sh [--out DIR] [--install-tools] [--without-bridge] [--list]" >&2; exit 2 ;;
    esac
    shift
done
case $out in /*) ;; *) out=$from/$out ;; esac

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
machine=$(uname -m)
target=$machine-unknown-linux-gnu
multiarch=$machine-linux-gnu
glibc=2.31
case $machine in x86_64) debian=amd64 ;; aarch64) debian=arm64 ;; *) debian=$machine ;; esac

debs=()
for name in shm-handoff shm-handoff-bridge libshm-handoff0 libshm-handoff-dev; do debs+=("${name}_$version-1_$debian.deb"); done
rpms=()
for name in shm-handoff shm-handoff-bridge libshm-handoff libshm-handoff-devel; do rpms+=("$name-$version-1.$machine.rpm"); done
tarballs=()
for name in shm-handoff shm-handoff-bridge; do tarballs+=("$name-$version-$target.tgz"); done
if $list; then
    printf '%s\n' "${debs[@]}" "${rpms[@]}" "${tarballs[@]}" SHA256SUMS
    exit 0
fi

not_made() { printf '\n  ci/release.sh: NOT MADE: %s\n\n' "$1" >&2; }
not_checked() { printf '\n  ci/release.sh: NOT CHECKED: %s\n\n' "$1" >&2; }

# The versions that were tried.
tools=$PWD/target/tools
export PATH=$tools/bin:$PATH
crates=(cargo-zigbuild@0.24.1 cargo-deb@3.8.0 cargo-generate-rpm@0.21.1)
zig_package=ziglang==0.17.1
if $install_tools; then
    for crate in "${crates[@]}"; do
        command -v "${crate%@*}" >/dev/null || cargo install --quiet --locked --root "$tools" "$crate"
    done
    [ -x "$tools/python/ziglang/zig" ] || python3 -m pip install --quiet --target "$tools/python" "$zig_package"
fi
[ -x "$tools/python/ziglang/zig" ] && export CARGO_ZIGBUILD_ZIG_PATH=$tools/python/ziglang/zig
zig=${CARGO_ZIGBUILD_ZIG_PATH:-$(command -v zig || true)}
if ! command -v cargo-zigbuild >/dev/null || [ -z "$zig" ]; then
    not_made "every package: cargo-zigbuild or zig is missing, which build for glibc $glibc (cargo install --locked ${crates[0]};\
 python3 -m pip install --target target/tools/python $zig_package; or ci/release.sh --install-tools)"
    exit 0
fi
for needed in cargo strip python3; do
    command -v "$needed" >/dev/null || { echo "ci/release.sh: $needed is missing: install Rust, binutils and python3" >&2; exit 1; }
done

# Of the commit: so the same bytes come of it again.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

# What ships, with no path of this machine in it. Each package alone: features of one are not those of another.
export CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_TARGET_DIR=$PWD/target
remap="--remap-path-prefix=$PWD=/shm-handoff --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
build() { RUSTFLAGS="${RUSTFLAGS:-} $remap" cargo zigbuild --quiet --release --locked --target "$target.$glibc" "$@"; }
echo "release: building for glibc $glibc"
build -p shm-handoff --bins
build -p shm-handoff-capi
if $bridge; then
    build -p shm-handoff-bridge
else
    not_made "the packages of the bridge, by --without-bridge"
fi
built=$PWD/target/$target/release

# What stands in the packages beside programs, pages and completions.
stage=$PWD/target/stage
rm -rf "$stage"
mkdir -p "$stage" "$out"
# changelog PACKAGE FILE: as Debian wants it.
changelog() {
    printf '%s (%s-1) unstable; urgency=medium\n\n  * CHANGELOG.md of the project has what has changed.\n\n -- %s  %s\n' "$1" "$version" \
        "$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' Cargo.toml)" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$stage/$2"
}
changelog shm-handoff changelog
changelog shm-handoff-bridge changelog-bridge
changelog shm-handoff-capi changelog-lib

# doc CRATE FOLDER: copyright, and the licences of what is within.
doc() {
    install -d "$2"
    install -m 644 packaging/copyright "$2"
    install -m 644 CHANGELOG.md "$2/changelog"
    python3 ci/third_party.py "$1" "$target" >"$2/third-party-licenses.txt"
}
# Into each tree of a package, `bin`, `lib` and `share` below it: put PATTERN FOLDER. What is not there is left out.
put() {
    local file
    for file in $1; do
        [ ! -f "$file" ] || install -D -m "$(stat -c %a "$file")" "$file" "$2/$(basename "$file")"
    done
}
programs=$stage/deb/shm-handoff
doc shm-handoff "$programs/share/doc/shm-handoff"
for kind in service socket timer; do put "share/systemd/*.$kind" "$programs/lib/systemd/system"; done
for file in share/systemd/*.sysusers.conf; do
    [ ! -f "$file" ] || install -D -m 644 "$file" "$programs/lib/sysusers.d/$(basename "$file" .sysusers.conf).conf"
done
put "share/prometheus/*" "$programs/share/shm-handoff/prometheus"
put "share/containers/*" "$programs/share/shm-handoff/containers"
! $bridge || doc shm-handoff-bridge "$stage/deb/shm-handoff-bridge/share/doc/shm-handoff-bridge"

# The C library, as capi/install.sh lays it out.
archive=$stage/libshm_handoff_capi.a
install -m 644 "$built/libshm_handoff_capi.a" "$archive"
strip --strip-debug --enable-deterministic-archives "$archive"
c_library() {
    # -lunwind: what gcc links by itself.
    CC="$zig cc -target $multiarch.$glibc -lunwind" BUILT=$archive DESTDIR=$1 PREFIX=/usr LIBDIR=$2 capi/install.sh >/dev/null
    strip --strip-unneeded "$1/usr/$2"/libshm_handoff.so."$version"
}
c_library "$stage/c" "lib/$multiarch"
runtime=$stage/deb/libshm-handoff0 dev=$stage/deb/libshm-handoff-dev
install -d "$runtime/lib"
cp -a "$stage/c/usr" "$stage/dev"
install -d "$runtime/lib/$multiarch"
mv "$stage/dev/lib/$multiarch"/libshm_handoff.so.* "$runtime/lib/$multiarch/"
chmod 644 "$runtime/lib/$multiarch/libshm_handoff.so.$version"
mv "$stage/dev" "$dev"
doc shm-handoff-capi "$runtime/share/doc/libshm-handoff0"
install -d "$dev/share/doc/libshm-handoff-dev/examples"
cp CHANGELOG.md "$dev/share/doc/libshm-handoff-dev/changelog"
cp packaging/copyright docs/c.md docs/c.zh-CN.md docs/layouts.md docs/layouts.zh-CN.md "$dev/share/doc/libshm-handoff-dev"
cp examples/c/* "$dev/share/doc/libshm-handoff-dev/examples"

# For an rpm every file has the mode that its row says, and there are no links: a tree for each of two modes.
# split TREE PACKAGE
split() {
    local file to
    while read -r file; do
        to=644
        [ ! -x "$1/$file" ] || to=755
        install -D -m "$to" "$1/$file" "$stage/rpm/$2/$to/$file"
    done < <(cd "$1" && find . -type f -printf '%P\n')
}
for program in shmread shmwrite shm-handoff; do install -D -m 755 "$built/$program" "$stage/bin/bin/$program"; done
split "$stage/bin" shm-handoff
split "$programs" shm-handoff
if $bridge; then
    install -D -m 755 "$built/shm-bridge" "$stage/bridge/bin/shm-bridge"
    split "$stage/bridge" shm-handoff-bridge
    split "$stage/deb/shm-handoff-bridge" shm-handoff-bridge
fi
c_library "$stage/c64" lib64
c64=$stage/c64/usr
mv "$c64/lib64/libshm_handoff.so.$version" "$stage/so"
rm "$c64"/lib64/libshm_handoff.so*
install -D -m 755 "$stage/so" "$stage/rpm/libshm-handoff/755/lib64/libshm_handoff.so.0"
for file in copyright third-party-licenses.txt; do
    install -D -m 644 "$runtime/share/doc/libshm-handoff0/$file" "$stage/rpm/libshm-handoff/644/share/doc/libshm-handoff/$file"
done
echo "INPUT(libshm_handoff.so.0)" >"$c64/lib64/libshm_handoff.so"
cp -R "$dev/share" "$c64/share"
mv "$c64/share/doc/libshm-handoff-dev" "$c64/share/doc/libshm-handoff-devel"
split "$c64" libshm-handoff-devel

# No symbol of a newer glibc.
ships=("$built"/{shmread,shmwrite,shm-handoff} "$stage/so")
! $bridge || ships+=("$built/shm-bridge")
for file in "${ships[@]}"; do
    newest=$(objdump -T "$file" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
    [ "$(printf '%s\n' "$newest" "$glibc" | sort -V | tail -n 1)" = "$glibc" ] ||
        { echo "release: $file needs glibc $newest, and $glibc is promised" >&2; exit 1; }
    echo "release: ${file##*/} needs glibc $newest"
done

made=()
# The packages of one kind that are made, in selected: the bridge's stands second.
others() { if $bridge; then selected=("$@"); else selected=("$1" "${@:3}"); fi; }
# Beside the packages lie no earlier ones.
(cd "$out" && rm -f "${debs[@]}" "${rpms[@]}" "${tarballs[@]}" SHA256SUMS)

debian_packages() {
    local deb=${debs[2]} at=$stage/unpacked
    cargo_deb() { cargo deb --quiet --no-build --no-strip --locked --target "$target" "$@"; }
    cargo_deb -p shm-handoff -o "$out/${debs[0]}"
    ! $bridge || cargo_deb -p shm-handoff-bridge -o "$out/${debs[1]}"
    cargo_deb -p shm-handoff-capi --variant runtime -o "$out/$deb"
    cargo_deb -p shm-handoff-capi -o "$out/${debs[3]}"
    # What others that are built on the library are to depend on; cargo-deb does not write it.
    dpkg-deb -R "$out/$deb" "$at"
    echo "libshm_handoff 0 libshm-handoff0 (>= $version)" >"$at/DEBIAN/shlibs"
    chmod 644 "$at/DEBIAN/shlibs"
    find "$at" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz -b "$at" "$out/$deb" >/dev/null
    others "${debs[@]}"
    made+=("${selected[@]}")
    command -v lintian >/dev/null || { not_checked "the .deb packages by lintian, which is missing (Debian: apt install lintian)"; return 0; }
    (cd "$out" && lintian --allow-root --fail-on error --display-level error "${selected[@]}")
    echo "release: lintian finds no error"
}

rpm_packages() {
    local file
    cargo_rpm() { cargo generate-rpm --target "$target" "$@"; }
    cargo_rpm -o "$out/${rpms[0]}"
    ! $bridge || cargo_rpm -p bridge -o "$out/${rpms[1]}"
    cargo_rpm -p capi --variant runtime -o "$out/${rpms[2]}"
    cargo_rpm -p capi -o "$out/${rpms[3]}"
    others "${rpms[@]}"
    made+=("${selected[@]}")
    command -v rpm >/dev/null || { not_checked "the .rpm packages by rpm, which is missing (Debian: apt install rpm)"; return 0; }
    for file in "${selected[@]}"; do
        rpm -K --nosignature "$out/$file"
        [ -n "$(rpm -qlp --nosignature "$out/$file")" ] || { echo "release: $file has no files" >&2; return 1; }
    done
}

# A tree to lay over a prefix, by tar -C PREFIX --strip-components=1: tarball NAME SHARE PROGRAM...
tarball() {
    local name=$1 share=$2 tree=$1-$version-$target file
    shift 2
    for file in "$@"; do install -D -m 755 "$built/$file" "$stage/tar/$tree/bin/$file"; done
    cp -R "$stage/deb/$name/." "$stage/tar/$tree"
    for file in man bash-completion fish zsh; do cp -R "$share/$file" "$stage/tar/$tree/share"; done
    install -m 644 LICENSE-* "$stage/tar/$tree/share/doc/$name"
    case $name in
        shm-handoff)
            cp -R README*.md docs "$stage/tar/$tree/share/doc/$name"
            # What the checkout alone needs: the lab's pages are built from graphs and page.
            (cd "$stage/tar/$tree/share/doc/$name/docs" && rm -r hand-over lab/graphs lab/page api.txt)
            ;;
        *) cp docs/bridge*.md "$stage/tar/$tree/share/doc/$name" && cp -R bridge/deploy "$stage/tar/$tree/share/doc/$name/examples" ;;
    esac
    tar -C "$stage/tar" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --format=ustar -cf - "$tree" | gzip -9n >"$out/$tree.tgz"
    made+=("$tree.tgz")
}

if ! cargo deb --version >/dev/null 2>&1; then
    not_made "the .deb packages: cargo-deb is missing (cargo install --locked ${crates[1]}, or ci/release.sh --install-tools)"
elif ! command -v dpkg-deb >/dev/null; then
    not_made "the .deb packages: dpkg-deb is missing (Debian: apt install dpkg)"
else
    debian_packages
fi
if cargo generate-rpm --help >/dev/null 2>&1; then
    rpm_packages
else
    not_made "the .rpm packages: cargo-generate-rpm is missing (cargo install --locked ${crates[2]}, or ci/release.sh --install-tools)"
fi
tarball shm-handoff share shmread shmwrite shm-handoff
! $bridge || tarball shm-handoff-bridge bridge/share shm-bridge

(cd "$out" && sha256sum "${made[@]}" >SHA256SUMS)
(cd "$out" && stat -c '%s %n' "${made[@]}")
echo "release: ${#made[@]} packages and SHA256SUMS in $out"
