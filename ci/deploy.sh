#!/usr/bin/env bash
# What share/ has for operations, tried: systemd takes the units, the YAML files are what their readers expect, the alerts fire,
# parsers of the Prometheus project's take the metrics, every command of the units and recipes runs, in IPC namespaces of
# its own, and the recipes' writer ends as the first process of a container has to. With built programs in less than 20 s.
#
# Needs systemd-analyze (Debian: systemd), promtool (Debian: prometheus), Python 3 with venv and the packages of
# tests/deploy/requirements.txt, which pip fetches once, and unshare with the right to make IPC and pid namespaces. Without one of them
# it says what was not checked.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

not_checked() {
    printf '\n  ci/deploy.sh: NOT CHECKED: %s\n\n' "$1" >&2
}

# In a root of their own, with the programs where a package puts them and with their manual pages.
the_units() {
    local root=$work/root said unit
    command -v systemd-analyze >/dev/null || { not_checked "the units: systemd-analyze is missing (Debian: apt install systemd)"; return 0; }
    mkdir -p "$root/usr/lib/systemd" "$root/usr/bin" "$root/usr/share/shm-handoff"
    cp -r "$(dirname "$(readlink -f /lib/systemd/system/multi-user.target)")" "$root/usr/lib/systemd/system"
    cp share/systemd/*.{service,socket,timer} "$root/usr/lib/systemd/system"
    cp "$target"/debug/{shmread,shmwrite,shm-handoff} "$root/usr/bin"
    cp -r share/prometheus "$root/usr/share/shm-handoff"
    for unit in shmread@0x77.service shmwrite@0x77.service shmwrite@0x77.socket shm-handoff-metrics.service shm-handoff-metrics.timer; do
        said=$(MANPATH=$PWD/share/man: SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --root="$root" "$unit" 2>&1) && [ -z "$said" ] ||
            { printf '%s: %s\n' "$unit" "$said" >&2; return 1; }
    done
    # A check that can't fail is none.
    sed -i 's/^ExecStart=shmread/ExecStart=shmreader/' "$root/usr/lib/systemd/system/shmread@.service"
    if SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --root="$root" shmread@0x77.service >/dev/null 2>&1; then
        echo "systemd-analyze takes a unit whose program is missing" >&2
        return 1
    fi
    the_user_units
    command -v systemd-sysusers >/dev/null || { not_checked "the units' user: systemd-sysusers is missing (Debian: apt install systemd)"; return 0; }
    mkdir -p "$root/etc"
    systemd-sysusers --root="$root" - <share/systemd/shm-handoff.sysusers.conf >/dev/null 2>&1
    grep -q '^shm-handoff:' "$root/etc/passwd" || { echo "systemd-sysusers makes no user shm-handoff" >&2; return 1; }
}

# As docs/operations.md has an ordinary user change them.
the_user_units() {
    local at=$work/user file said
    mkdir -p "$at"
    for file in shmread@.service shmwrite@.service shmwrite@.socket; do
        sed -e '/^User=/d; /^SocketUser=/d; /^CapabilityBoundingSet=/d' -e 's|/run/|%t/|; s/multi-user\.target/default.target/' \
            -e "s|^ExecStart=|&$target/debug/|" "share/systemd/$file" >"$at/${file/@/@0x77}"
    done
    said=$(XDG_RUNTIME_DIR=$work systemd-analyze --user --man=no verify "$at"/*@0x77.* 2>&1) && [ -z "$said" ] ||
        { printf 'units of a user: %s\n' "$said" >&2; return 1; }
    if grep -HE '^(User|SocketUser|CapabilityBoundingSet)=|/run/|multi-user' "$at"/*; then
        echo "units of a user: what only the system's manager has is still there" >&2
        return 1
    fi
}

the_alerts() {
    command -v promtool >/dev/null || { not_checked "the alerts: promtool is missing (Debian: apt install prometheus)"; return 0; }
    promtool check rules share/prometheus/shm-handoff.rules.yaml >"$work/said" 2>&1 || { cat "$work/said" >&2; return 1; }
    promtool test rules tests/deploy/rules.test.yaml >"$work/said" 2>&1 || { cat "$work/said" >&2; return 1; }
}

# A virtual environment with the packages that the check needs; made once.
environment() {
    local at=$target/deploy
    if ! cmp -s tests/deploy/requirements.txt "$at/wanted.txt"; then
        rm -rf "$at"
        python3 -m venv "$at" >&2 || return 1
        "$at/bin/pip" install --quiet --disable-pip-version-check -r tests/deploy/requirements.txt >&2 || return 1
        cp tests/deploy/requirements.txt "$at/wanted.txt"
    fi
    echo "$at"
}

# The YAML files, the metrics and the commands.
the_rest() {
    local python
    if ! command -v python3 >/dev/null || ! python=$(environment); then
        not_checked "the metrics and the YAML files: Python 3 with venv is missing (Debian: apt install python3-venv), or pip can't fetch the packages"
        return 0
    fi
    python=$python/bin/python
    "$python" tests/deploy/check.py files
    if ! unshare --ipc true 2>/dev/null; then
        not_checked "the metrics, and the commands of the units and recipes: no IPC namespace can be had here (unshare)"
        return 0
    fi
    # At once: most of the time they wait, each in a namespace of its own.
    local what pid jobs=()
    for what in metrics units compose kubernetes; do
        unshare --ipc timeout 60 "$python" tests/deploy/check.py "$what" &
        jobs+=("$!")
    done
    for pid in "${jobs[@]}"; do wait "$pid"; done
}

the_compose_file() {
    if ! docker compose version >/dev/null 2>&1; then
        not_checked "docker's own look at compose.yaml: docker compose is missing"
        return 0
    fi
    docker compose -f share/containers/compose.yaml config --quiet
}

cargo build --quiet --bins
export PATH="$target/debug:$PATH"
the_units
the_alerts
the_compose_file
the_rest
echo "deploy: done"
