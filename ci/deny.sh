#!/usr/bin/env bash
# The dependencies' licences, sources, duplicates, and what is known against them: deny.toml.
#
# Needs cargo-deny (cargo install cargo-deny --locked). The advisories come from the network; where
# there is none this says so, and checks the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo deny --version >/dev/null 2>&1 || { echo "ci/deny.sh: cargo-deny is missing: cargo install cargo-deny --locked" >&2; exit 1; }
cargo deny check licenses bans sources
if cargo deny --log-level off fetch db >/dev/null 2>&1; then
    cargo deny check --disable-fetch advisories
else
    echo "deny: NOT CHECKED: advisories, whose database can't be fetched here"
fi
