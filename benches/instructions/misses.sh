#!/usr/bin/env bash
# How many lines of cache a warm request fetches from beyond a cache of 2 MiB, with 100,000 tokens drawn by zipf(1.0), over the
# bare service, which copies the same tokens: simulated by valgrind, so that it says nothing of what the lines cost.
# Usage: benches/instructions/misses.sh       some minutes; NO_BUILD=1 counts what was built before
set -euo pipefail
cd "$(dirname "$0")"
REQUESTS=10240
target=${CARGO_TARGET_DIR:-$PWD/target}
[ -n "${NO_BUILD:-}" ] || cargo build --quiet --release --locked --target-dir "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for case in bare-many HS256-many; do
    echo "$case: tokens are made" >&2
    mkfifo "$work/in"
    valgrind --tool=callgrind --instr-atstart=no --cache-sim=yes --D1=49152,12,64 --LL=2097152,16,64 \
        --callgrind-out-file="$work/$case.out" --toggle-collect='*::counted*' \
        "$target/release/tower-jwt-session-instructions" count "$case" <"$work/in" >"$work/said" 2>"$work/log" &
    counted=$!
    exec 3>"$work/in"
    until grep -q prepared "$work/said"; do
        kill -0 "$counted" || { cat "$work/log" >&2; exit 1; }
        sleep 1
    done
    callgrind_control -i on "$counted" >/dev/null
    exec 3>&-
    wait "$counted"
    rm "$work/in"
done
python3 - "$work" "$REQUESTS" <<'END'
import sys

folder, requests = sys.argv[1], int(sys.argv[2])
counts = []
for case in ("bare-many", "HS256-many"):
    lines = open(f"{folder}/{case}.out").read().splitlines()
    names = next(line for line in lines if line.startswith("events:")).split()[1:]
    totals = next(line for line in lines if line.startswith(("totals:", "summary:"))).split()[1:]
    counts.append(dict(zip(names, map(int, totals))))
bare, ours = counts
print("| of a request | bare service | over that |")
print("|---|---:|---:|")
for name, events in (
    ("instructions", ["Ir"]),
    ("lines of data beyond 48 KiB", ["D1mr", "D1mw"]),
    ("lines of data beyond 2 MiB", ["DLmr", "DLmw"]),
    ("of them read", ["DLmr"]),
):
    of = [sum(count.get(event, 0) for event in events) / requests for count in (bare, ours)]
    print(f"| {name} | {of[0]:.1f} | {of[1] - of[0]:.1f} |")
END
