#!/usr/bin/env bash
# The lab's two pages (docs/lab) in a real Chromium: every exercise is solved by its shortest failure, by clicks and
# by the keyboard alone; ours are walked through at random; links, pictures, both languages, light and dark, the
# width of a phone, and accessibility (axe). Usage: tests/lab/browser/run.sh [--test-name-pattern=PATTERN]
#
# Needs a Chromium on the PATH, Node 20 with npm, and npm's registry for the first run.
set -euo pipefail
cd "$(dirname "$0")"
unchecked() {
    echo "lab: NOT CHECKED: that the pages work in a browser: $1"
    exit 0
}
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    CHROMIUM=$(command -v "$name") && break
done
[ -n "${CHROMIUM:-}" ] || unchecked "no Chromium is on the PATH (Debian: apt install chromium)"
command -v npm >/dev/null || unchecked "npm is missing (Debian: apt install npm)"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || unchecked "Node $(node --version) is older than 20"
if ! cmp -s package-lock.json node_modules/installed; then
    npm ci --silent --no-audit --no-fund --ignore-scripts || unchecked "npm ci can't install what package-lock.json names"
    cp package-lock.json node_modules/installed
fi
(cd ../../.. && cargo build --quiet --bin shm-handoff)
target=${CARGO_TARGET_DIR:-../../../target}
export CHROMIUM SHM_HANDOFF=${SHM_HANDOFF:-$(realpath "$target/debug/shm-handoff")}
exec node --test "$@" lab.test.mjs
