#!/usr/bin/env bash
# The Python package: the wheel is made by one command, checked by twine, installed, its types are checked by mypy --strict, and
# its tests are run.
#
#   ci/python.sh           with python3, of 3.9 or later
#   ci/python.sh --each    the same wheel with each CPython from 3.9 on that is in the PATH or in pyenv, too
#
# Needs Python 3 with venv, and the packages of python/requirements-dev.txt, which pip fetches. Without them it says that nothing
# was checked.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
each=false
case ${1-} in
    "") ;;
    --each) each=true ;;
    *) echo "usage: ci/python.sh [--each]" >&2; exit 2 ;;
esac

not_checked() {
    printf '\n  ci/python.sh: NOT CHECKED: %s\n\n' "$1" >&2
}

# What a Python is: its version, if it is a CPython that the wheel is for.
version() {
    "$1" -I -c '
import sys, sysconfig
if sys.implementation.name == "cpython" and sys.version_info >= (3, 9) and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# A virtual environment of this Python with these packages; where it is. It is made once for each list.
environment() {
    local python=$1 wanted=$2 at
    at=$target/python/$(basename "$wanted" .txt)-$(version "$python")
    if ! cat python/requirements-*.txt | cmp -s - "$at/wanted.txt" || ! "$at/bin/python" -c 'import pytest' 2>/dev/null; then
        rm -rf "$at"
        "$python" -m venv "$at" >&2 || return 1
        "$at/bin/pip" install --quiet --disable-pip-version-check -r "$wanted" >&2 || return 1
        cat python/requirements-*.txt >"$at/wanted.txt"
    fi
    echo "$at"
}

# The tests, with the wheel in this environment.
try() {
    "$1/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
    SHM_HANDOFF_PROGRAMS=${SHM_HANDOFF_PROGRAMS:-$target/debug} "$1/bin/pytest" -q -p no:cacheprovider python
}

python=
for candidate in "${PYTHON:-python3}" python3.{15,14,13,12,11,10,9}; do
    if command -v "$candidate" >/dev/null && [ -n "$(version "$candidate")" ]; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { not_checked "the Python package: there is no CPython of 3.9 or later (Debian: apt install python3)"; exit 0; }
if ! main=$(environment "$python" python/requirements-dev.txt); then
    not_checked "the Python package: python3 has no venv (Debian: apt install python3-venv), or pip can't fetch the packages"
    exit 0
fi

cargo build --quiet
cargo clippy --quiet --all-targets -p shm-handoff-python -- -D warnings
wheels=$target/python/wheels
rm -rf "$wheels"
PATH=$main/bin:$PATH maturin build --quiet --release --locked -m python/Cargo.toml -o "$wheels"
wheel=$(echo "$wheels"/*.whl)
"$main/bin/twine" check --strict "$wheel"
(cd python && "$main/bin/mypy" --cache-dir "$target/python/mypy")
echo "python: $("$main/bin/python" --version), $(basename "$wheel")"
try "$main"
$each || exit 0

tried=" $(version "$main/bin/python") "
for candidate in python3.{9,10,11,12,13,14,15} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    command -v "$candidate" >/dev/null || continue
    found=$(version "$candidate") || continue
    case $tried in *" $found "*) continue ;; esac
    [ -n "$found" ] || continue
    tried="$tried$found "
    if ! other=$(environment "$candidate" python/requirements-test.txt); then
        not_checked "the wheel with Python $found: pip can't fetch the packages for it"
        continue
    fi
    echo "python: $("$other/bin/python" --version)"
    try "$other"
done
# A free-threaded Python is refused by name; none is needed for that.
printf '%s\n' implementation=CPython version=3.14 shared=true abi3=false lib_name=python3.14t pointer_width=64 \
    build_flags=Py_GIL_DISABLED suppress_build_script_link_lines=false >"$target/python/free-threaded.txt"
refused=$(PYO3_CONFIG_FILE=$target/python/free-threaded.txt CARGO_TARGET_DIR=$target/python/free-threaded \
    cargo check --quiet --locked -p shm-handoff-python 2>&1) && { echo "python: a free-threaded build is not refused" >&2; exit 1; }
grep -qF "shm_handoff needs a Python with the GIL: this one is free-threaded" <<<"$refused" || { echo "$refused" >&2; exit 1; }
echo "python: a free-threaded build is refused by name"
for version in 3.9 3.10 3.11 3.12 3.13 3.14 3.15; do
    case $tried in *" $version "*) ;; *) not_checked "the wheel with Python $version, which is not here" ;; esac
done
