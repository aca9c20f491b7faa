#!/usr/bin/env bash
# Installs each package into a clean system, uses it there, removes it, and sees that nothing is left.
#
#   ci/packages.sh [DIR]    the packages of ci/release.sh in target/packages, which it makes if they are not there, or in DIR
#
# The systems are Debian 12 for the .deb and the .rpm packages, and Debian 11, whose glibc is 2.31, for the tarballs and the .deb
# packages. They are made once by debootstrap and kept in target/chroots. There is no system of rpm among them: the .rpm packages are
# installed into Debian 12 with --nodeps.
#
# Needs root, debootstrap, unshare with namespaces, and for the .rpm packages rpm. Without them it says what was not checked.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null
packages=${1:-target/packages}
kept=$PWD/target/chroots
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

not_checked() { printf '\n  ci/packages.sh: NOT CHECKED: %s\n\n' "$1" >&2; }

[ "$(id -u)" = 0 ] || { not_checked "the packages: a system of its own needs root"; exit 0; }
command -v debootstrap >/dev/null || { not_checked "the packages: debootstrap is missing (Debian: apt install debootstrap)"; exit 0; }
unshare --mount --ipc --pid --fork true 2>/dev/null || { not_checked "the packages: no namespaces can be had here"; exit 0; }
if [ ! -f "$packages/SHA256SUMS" ]; then
    [ $# = 0 ] || { echo "ci/packages.sh: $packages has no SHA256SUMS: ci/release.sh --out $packages makes it" >&2; exit 1; }
    ci/release.sh
    [ -f "$packages/SHA256SUMS" ] || { not_checked "the packages, which ci/release.sh could not make here"; exit 0; }
fi
packages=$(cd "$packages" && pwd)
(cd "$packages" && sha256sum --quiet -c SHA256SUMS)

# A system that was made once: its archive is target/chroots/NAME.tar. base NAME SUITE [PACKAGE...]
base() {
    local name=$1 suite=$2 root=$kept/made.$1
    shift 2
    [ ! -f "$kept/$name.tar" ] || return 0
    mkdir -p "$kept"
    rm -rf "$root"
    echo "packages: making $name by debootstrap"
    if ! debootstrap --variant=minbase ${1:+"--include=$(tr ' ' , <<<"$*")"} "$suite" "$root" "$mirror" >"$kept/$name.log" 2>&1; then
        tail -n 3 "$kept/$name.log" >&2
        return 1
    fi
    tar -C "$root" -cf "$kept/$name.part" .
    mv "$kept/$name.part" "$kept/$name.tar"
    rm -rf "$root"
}

# A clean system from it, in $root, and its files as they are then.
root=
clean() {
    [ -z "$root" ] || rm -rf --one-file-system "$root" "$root.before" "$root.after"
    root=
}
trap clean EXIT
fresh() {
    clean
    root=$(mktemp -d "$kept/root.XXXXXX")
    tar -C "$root" -xf "$kept/$1.tar"
    files >"$root.before"
}
# What belongs to nobody's packages: caches, logs and the databases of dpkg, rpm and the loader.
files() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \
        -o -path ./var/lib/rpm -o -path ./usr/lib/sysimage -o -path ./root/.rpmdb -o -path ./etc/ld.so.cache \) -prune -o -print | sort)
}
nothing_left() {
    local left
    files >"$root.after"
    left=$(diff "$root.before" "$root.after") || { printf 'packages: %s leaves behind, or takes away:\n%s\n' "$1" "$left" >&2; exit 1; }
    rm "$root.before" "$root.after"
    echo "packages: $1: nothing is left after its removal"
}

# A script in the system, in namespaces of its own: nothing that it starts outlives it.
inside() {
    unshare --mount --ipc --pid --fork --kill-child chroot "$root" /bin/sh -euc '
        mount -t proc proc /proc
        export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
        eval "$1"' sh "$1"
}

# Lines go from one to the other.
hand_over='
    cd /tmp
    timeout 60 shmread >got &
    seq 1000 | timeout 60 shmwrite
    wait "$!"
    seq 1000 | cmp - got
    timeout 60 shmread --ring >got &
    seq 1000 | timeout 60 shmwrite --ring
    wait "$!"
    seq 1000 | cmp - got
    shm-handoff ls >seen
    for program in shmread shmwrite shm-handoff; do "$program" --version; done
    rm -f got seen'

# The examples talk to each other: talk READER WRITER.
talk='talk() {
        timeout 60 "$1" 0x51 >/tmp/got &
        echo hello | timeout 60 "$2" 0x51 >/tmp/prompts
        wait "$!"
        printf "You wrote: hello\nYou wrote: end\n" | cmp - /tmp/got
    }'

# has FILE...: what the package has laid into the system.
has() {
    local file
    for file in "$@"; do [ -e "$root/$file" ] || { echo "packages: $file is missing" >&2; exit 1; }; done
}

named() { sed -n "s/^[0-9a-f]*  \($1\)$/\1/p" "$packages/SHA256SUMS"; }

debs() { # SUITE
    local all runtime dev bridge from=$SECONDS
    all=$(named 'shm-handoff_.*\.deb') runtime=$(named 'libshm-handoff0_.*\.deb') dev=$(named 'libshm-handoff-dev_.*\.deb')
    [ -n "$all" ] || { not_checked "the .deb packages, which are not there"; return 0; }
    bridge=$(named 'shm-handoff-bridge_.*\.deb')
    fresh "$1"
    (cd "$packages" && cp "$all" "$runtime" "$dev" $bridge "$root/tmp")
    inside "dpkg -i /tmp/$all >/tmp/log"
    has usr/share/man/man1/shmread.1.gz usr/share/bash-completion/completions/shm-handoff usr/share/fish/vendor_completions.d/shmwrite.fish \
        usr/share/zsh/vendor-completions/_shmread usr/share/doc/shm-handoff/{copyright,changelog.Debian.gz,third-party-licenses.txt} \
        usr/share/doc/shm-handoff/docs/lab/index.html
    inside "$hand_over"
    inside "dpkg --purge shm-handoff >/tmp/log"
    nothing_left "$all in $1"
    files >"$root.before"
    if [ -n "$bridge" ]; then
        inside "dpkg -i /tmp/$bridge >/tmp/log; shm-bridge --version; dpkg --purge shm-handoff-bridge >/tmp/log"
        nothing_left "$bridge in $1"
        files >"$root.before"
    else
        not_checked "the .deb package of the bridge, which is not there"
    fi
    inside "dpkg -i /tmp/$runtime /tmp/$dev >/tmp/log
        cd /tmp
        cp -r /usr/share/doc/libshm-handoff-dev/examples .
        gunzip examples/*.gz 2>/dev/null || true
        [ \"\$(pkg-config --modversion shm_handoff)\" = '$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)' ]
        for name in reader writer; do cc -o \$name examples/\$name.c \$(pkg-config --cflags --libs shm_handoff); done
        # (The linker warns of functions of glibc that a static program has only in part.)
        cc -static -o reader-static examples/reader.c \$(pkg-config --static --cflags --libs shm_handoff) 2>log || { cat log; exit 1; }
        ldd reader | grep -q libshm_handoff.so.0
        $talk
        talk ./reader ./writer
        talk ./reader-static ./writer
        cmake -S examples -B built >log
        cmake --build built >log
        talk built/reader built/writer
        talk built/reader-static built/writer
        rm -rf /tmp/examples /tmp/built
        dpkg --purge libshm-handoff-dev libshm-handoff0 >/tmp/log"
    nothing_left "$runtime and $dev in $1"
    echo "packages: the .deb packages in $1: $((SECONDS - from)) s"
}

tarballs() { # SUITE
    local all bridge from=$SECONDS
    all=$(named 'shm-handoff-[0-9].*\.tgz') bridge=$(named 'shm-handoff-bridge-.*\.tgz')
    [ -n "$all" ] || { not_checked "the tarballs, which are not there"; return 0; }
    fresh "$1"
    (cd "$packages" && cp "$all" $bridge SHA256SUMS "$root/tmp")
    inside "cd /tmp; sha256sum --quiet --ignore-missing -c SHA256SUMS; mkdir /opt/shm; tar -xzf $all -C /opt/shm --strip-components=1
        export PATH=/opt/shm/bin:\$PATH
        $hand_over"
    has opt/shm/share/man/man1/shmread.1 opt/shm/share/zsh/site-functions/_shmread \
        opt/shm/share/doc/shm-handoff/docs/{tutorial.md,lab/index.html}
    inside "rm -r /opt/shm"
    [ -z "$bridge" ] || inside "cd /tmp; tar -xzf $bridge; shm-handoff-bridge-*/bin/shm-bridge --version"
    nothing_left "$all in $1"
    echo "packages: the tarballs in $1, $(inside 'ldd --version' | head -n 1): $((SECONDS - from)) s"
}

rpms() { # SUITE
    local all runtime dev bridge from=$SECONDS on
    command -v rpm >/dev/null || { not_checked "the .rpm packages, for rpm is missing (Debian: apt install rpm)"; return 0; }
    all=$(named 'shm-handoff-[0-9].*\.rpm') runtime=$(named 'libshm-handoff-[0-9].*\.rpm') dev=$(named 'libshm-handoff-devel.*\.rpm')
    bridge=$(named 'shm-handoff-bridge-.*\.rpm')
    [ -n "$all" ] || { not_checked "the .rpm packages, which are not there"; return 0; }
    fresh "$1"
    on=(rpm --root "$root" --dbpath /var/lib/rpm --nosignature)
    mkdir -p "$root/var/lib/rpm"
    files >"$root.before"
    "${on[@]}" --nodeps -i "$packages/$all"
    has usr/share/man/man1/shmread.1 usr/share/zsh/site-functions/_shmread usr/share/doc/shm-handoff/docs/lab/index.html
    inside "$hand_over"
    "${on[@]}" -e shm-handoff
    nothing_left "$all in $1"
    files >"$root.before"
    if [ -n "$bridge" ]; then
        "${on[@]}" --nodeps -i "$packages/$bridge"
        inside "shm-bridge --version"
        "${on[@]}" -e shm-handoff-bridge
        nothing_left "$bridge in $1"
        files >"$root.before"
    else
        not_checked "the .rpm package of the bridge, which is not there"
    fi
    "${on[@]}" --nodeps -i "$packages/$runtime" "$packages/$dev"
    # (Debian's loader and pkg-config do not look into lib64.)
    inside "cd /tmp
        export PKG_CONFIG_PATH=/usr/lib64/pkgconfig LD_LIBRARY_PATH=/usr/lib64
        cp -r /usr/share/doc/libshm-handoff-devel/examples .
        for name in reader writer; do cc -o \$name examples/\$name.c \$(pkg-config --cflags --libs shm_handoff); done
        $talk
        talk ./reader ./writer
        cmake -S examples -B built -Dshm-handoff_DIR=/usr/lib64/cmake/shm-handoff >log
        cmake --build built >log
        talk built/reader built/writer"
    "${on[@]}" -e libshm-handoff-devel libshm-handoff
    nothing_left "$runtime and $dev in $1"
    echo "packages: the .rpm packages, by --nodeps in $1: $((SECONDS - from)) s"
    not_checked "the .rpm packages in a system of rpm: their dependencies were not resolved"
}

tools=(gcc libc6-dev pkg-config cmake make)
if base bookworm bookworm "${tools[@]}"; then
    debs bookworm
    rpms bookworm
else
    not_checked "the .deb and the .rpm packages: debootstrap can't make Debian 12 from $mirror"
fi
if base bullseye bullseye "${tools[@]}"; then
    debs bullseye
    tarballs bullseye
else
    not_checked "anything with glibc 2.31: debootstrap can't make Debian 11 from $mirror"
fi
echo "packages: $(du -sh "$packages" | cut -f 1) of packages, $SECONDS s"
