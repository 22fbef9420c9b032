#!/usr/bin/env bash
# The token manager in node, and the pages in Chromium against the example.
# Usage: tests/browser/run.sh [unit]
# SOAK_SECONDS says how long twenty tabs share a bad network, CHROMIUM which browser it is.
set -euo pipefail
cd "$(dirname "$0")"

node compress.mjs --check
node --test --test-reporter=spec unit/
if [ "${1:-}" = unit ]; then exit; fi

if [ ! -d node_modules/playwright-core ] || [ package-lock.json -nt node_modules ]; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    touch node_modules
fi
(cd ../.. && cargo build --quiet --locked --example axum --example session_management --all-features)
timeout 600 node --test --test-reporter=spec e2e/
