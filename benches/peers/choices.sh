#!/usr/bin/env bash
# Hashes, clocks, maps and allocators: what this crate is made of beside what it might be made of. Some two minutes.
# Usage: benches/peers/choices.sh [ROUNDS]     (60) writes benches/results/choices.json and choices.md
# BUILD_ONLY=1 only builds; NO_BUILD=1 measures what was built before.
set -euo pipefail
cd "$(dirname "$0")"
results=../results
target=${CARGO_TARGET_DIR:-$PWD/target}
whole=60
rounds=${1:-$whole}
kept=$target/release/choices.built
export CARGO_INCREMENTAL=0
if [ -z "${NO_BUILD:-}" ]; then
    cargo build --release --locked --quiet --target-dir "$target" --bin choices --features choices
    # The plain one last, as the counting of instructions takes what is there.
    (cd ../instructions && for features in mimalloc ""; do
        cargo build --release --locked --quiet --target-dir "$target" ${features:+--features "$features"}
        cp "$target/release/tower-jwt-session-instructions" "$target/release/allocator-${features:-system}"
    done)
    ../report/measured.sh built | tee "$kept" >"$target/release/instructions.built"
fi
[ -z "${BUILD_ONLY:-}" ] || exit 0
mkdir -p "$results"
measured=$(../report/measured.sh "$kept" "$target/release/choices")
"$target/release/choices" "$rounds" >"$results/choices.json"
declare -A runs=()
for _ in 1 2 3 4 5; do
    for allocator in $(shuf -e system mimalloc); do
        runs[$allocator]+=$("$target/release/allocator-$allocator" time HS256)$'\n'
    done
done
for allocator in system mimalloc; do
    printf '{"for": "allocator", "which": "%s", "ns": %s}\n' \
        "$allocator" "$(printf %s "${runs[$allocator]}" | sort -n | sed -n 3p)" >>"$results/choices.json"
done
python3 ../report/note.py "$results/choices.json" "$measured" rounds "$rounds" "$whole"
python3 ../report/choices.py "$results/choices.json" >"$results/choices.md"
cat "$results/choices.md"
