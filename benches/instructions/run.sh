#!/usr/bin/env bash
# What the figures cost a warm request: instructions, counted by valgrind, and nanoseconds of processor time, the least of
# many runs that take turns.
# Usage: benches/instructions/run.sh [REVISION]   with a revision of before there were figures, its code without them, too
# BINARIES names a folder to keep the programs in, and to take them from where they are: built at one time, measured at another,
# when the machine does nothing else. ROUNDS says how often they take turns; 0 only builds.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
target=${CARGO_TARGET_DIR:-$here/target}
REQUESTS=10240
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; git -C "$here" worktree prune' EXIT
binaries=${BINARIES:-$scratch}
mkdir -p "$binaries"

# Another revision needs other crates than are locked here; those that both need stay the same.
locked=--locked
build() { # NAME FOLDER [FEATURE]
    names+=("$1")
    if [ -x "$binaries/$1" ]; then return; fi
    echo "building: $1" >&2
    (cd "$2" && cargo build --quiet --release $locked --target-dir "$target" ${3:+--features "$3"})
    cp "$target/release/tower-jwt-session-instructions" "$binaries/$1"
}

names=()
if [ $# -gt 0 ]; then
    tree=$scratch/tree
    git worktree add --quiet --detach "$tree" "$1"
    mkdir -p "$tree/benches/instructions/src"
    cp Cargo.lock "$tree/benches/instructions/"
    # That revision need not know the feature.
    sed 's/^metrics = .*/metrics = []/' Cargo.toml >"$tree/benches/instructions/Cargo.toml"
    cp src/main.rs "$tree/benches/instructions/src/"
    locked='' build before "$tree/benches/instructions"
fi
build without "$here"
build counted "$here" metrics
build recorded "$here" recorder

if [ "${ROUNDS:-15}" = 0 ]; then exit; fi
declare -A least
for _ in $(seq "${ROUNDS:-15}"); do
    for name in "${names[@]}"; do
        took=$("$binaries/$name")
        least[$name]=$(printf '%s\n%s\n' "$took" "${least[$name]:-99999}" | sort -n | head -1)
    done
done

printf '%-10s %24s %10s\n' "" "instructions a request" "ns"
for name in "${names[@]}"; do
    said=$(cd "$binaries" && valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect='*::counted' "./$name" count 2>&1)
    collected=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$said")
    printf '%-10s %24s %10s\n' "$name" "$(awk "BEGIN { printf \"%.1f\", $collected / $REQUESTS }")" "${least[$name]}"
done
