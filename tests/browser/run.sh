#!/usr/bin/env bash
# The token manager in node, and the pages in Chromium and Firefox against the example.
# Usage: tests/browser/run.sh [unit]
# SOAK_SECONDS says how long tabs share a bad network; CHROMIUM and FIREFOX which programs the
# browsers are; EVERYTHING=1 runs in Firefox, too, what no browser does differently.
set -euo pipefail
cd "$(dirname "$0")"

node compress.mjs --check
node --test --test-reporter=spec unit/
if [ "${1:-}" = unit ]; then exit; fi

# By what is there, not by when: a fresh checkout makes files that are newer.
installed() {
    node -e 'const [wanted, has] = ["", "node_modules/."].map((at) => JSON.parse(fs.readFileSync(`${at}package-lock.json`)).packages);
        delete wanted[""]; assert.deepEqual(has, wanted)' 2>/dev/null
}
installed || npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=5
(cd ../.. && cargo build --quiet --locked --example axum --example session_management --all-features)

in_browser() { BROWSER=$1 timeout --kill-after=20 3600 node --test --test-reporter=spec e2e/; }
# Beside each other: both wait more than they compute.
told=$(mktemp)
trap 'rm -f "$told"' EXIT
in_browser firefox >"$told" 2>&1 &
firefox=$!
failed=0
in_browser chromium || failed=$?
wait "$firefox" || failed=$?
printf '\nin Firefox:\n'
cat "$told"
exit "$failed"
