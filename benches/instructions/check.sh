#!/usr/bin/env bash
# How many instructions the layer adds to a request whose token was seen before. Fails above the limit.
# The count repeats to the instruction, whatever else the machine does; it is that of an optimised build.
# Usage: benches/instructions/check.sh [write|build]     "build" only builds, NO_BUILD=1 does not; "write" also writes benches/results/instructions.json and .md
set -euo pipefail
cd "$(dirname "$0")"
LIMIT=${LIMIT:-2000}
REQUESTS=10240
target=${CARGO_TARGET_DIR:-$PWD/target}
results=../results

if ! command -v valgrind >/dev/null; then
    echo "LEFT OUT: instructions of a request are counted by valgrind, which is not installed"
    # What an earlier run left must not pass for this one's.
    [ "${1:-}" != write ] || rm -f "$results"/instructions.{md,json}
    exit 0
fi
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "LEFT OUT: the limit of instructions is one for Linux on x86-64"
    exit 0
fi
kept=$target/release/instructions.built
if [ -z "${NO_BUILD:-}" ]; then
    cargo build --quiet --release --locked --target-dir "$target"
    ../report/measured.sh built >"$kept"
fi
[ "${1:-}" != build ] || exit 0

measured=$(../report/measured.sh "$kept" "$target/release/tower-jwt-session-instructions")

count() { # CASE
    local said collected
    said=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*::counted*' \
        "$target/release/tower-jwt-session-instructions" count "$1" 2>&1) || { echo "$said" >&2; return 1; }
    collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$said")
    [ "${collected:-0}" -gt 0 ] || { echo "nothing was counted: $said" >&2; return 1; }
    echo $((collected / REQUESTS))
}

bare=$(count bare)
echo "bare service: $bare instructions a request"
failed=0 rows=
for case in HS256 RS256; do
    over=$(($(count "$case") - bare))
    echo "seen before, $case: $over over that (limit $LIMIT)"
    [ "$over" -le "$LIMIT" ] || failed=1
    rows+=${rows:+, }$(printf '{"case": "%s", "over_bare": %s}' "$case" "$over")
done
if [ "${1:-}" = write ]; then
    mkdir -p "$results"
    printf '{"requests": %s, "limit": %s, "goal": 1500, "bare": %s, "cases": [%s]}\n' \
        "$REQUESTS" "$LIMIT" "$bare" "$rows" >"$results/instructions.json"
    python3 ../report/note.py "$results/instructions.json" "$measured"
    python3 ../report/instructions.py "$results/instructions.json" >"$results/instructions.md"
fi
if [ "$failed" = 1 ]; then
    echo "FAILED: the path of requests has become longer" >&2
    exit 1
fi
