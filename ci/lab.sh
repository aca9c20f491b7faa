#!/usr/bin/env bash
# The lab (docs/lab): its graphs, which an explorer makes of the protocol's source, its pages, and their tests in a browser.
#
#   ci/lab.sh --check      what is on record is what the explorer finds
#   ci/lab.sh --update     writes it there
#   ci/lab.sh --clippy     the explorer as clippy has it
#   ci/lab.sh --browser    the pages in Chromium; without it, or without node, it says that nothing was checked
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-}
explored() { RUSTFLAGS="${RUSTFLAGS:-} --cfg explored" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/explored" cargo "$@"; }
case $mode in
    --check | --update) explored run --quiet -p lab -- "$mode" ;;
    --clippy) explored clippy --quiet --all-targets -p lab -- -D warnings ;;
    --browser) exec tests/lab/browser/run.sh ;;
    *)
        sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
esac
