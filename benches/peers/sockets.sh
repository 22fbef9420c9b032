#!/usr/bin/env bash
# The same servers over real sockets, HTTP/1.1 and HTTP/2: bare axum, this crate, and peers.
# Usage: benches/peers/sockets.sh [STARTS [ROUNDS [SECONDS]]]     (all servers started 9 times, 3 rounds of a second each time: some 13 minutes)
# BUILD_ONLY=1 only builds; NO_BUILD=1 measures what was built before.
# A peer that does not build or does not start is left out by name, and the result says so.
# Writes benches/results/sockets.json and sockets.md. Needs two processors; wrk and h2load are installed with apt-get where
# they are missing.
set -euo pipefail
cd "$(dirname "$0")"
results=../results
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_INCREMENTAL=0
whole_starts=9 whole_rounds=3
starts=${1:-$whole_starts} rounds=${2:-$whole_rounds}
kept=$target/release/sockets.built

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v h2load >/dev/null || missing+=(nghttp2-client)
command -v taskset >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ]; then
    echo "to install: ${missing[*]}" >&2
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq && $sudo apt-get install -y -qq "${missing[@]}"
fi

for part in ours sessions authorizer axum_jwt_auth tower_oauth2 axum_login axum_session; do
    [ -z "${NO_BUILD:-}" ] || continue
    echo "building sockets_$part" >&2
    cargo build --release --locked --quiet --target-dir "$target" --bin "sockets_$part" --features "sockets-${part//_/-}" || {
        echo "SKIPPED: sockets_$part is not built" >&2
        # What an older state of it came to is not measured in its place.
        rm -f "$target/release/sockets_$part"
    }
done
[ -n "${NO_BUILD:-}" ] || ../report/measured.sh built >"$kept"
[ -z "${BUILD_ONLY:-}" ] || exit 0

mkdir -p "$results"
measured=$(../report/measured.sh "$kept" "$target/release/sockets_ours")
python3 sockets.py "$target/release" "$results/sockets.json" "$starts" "$rounds" "${3:-1}"
python3 ../report/note.py "$results/sockets.json" "$measured" starts "$starts" "$whole_starts" rounds "$rounds" "$whole_rounds"
{
    python3 ../report/sockets.py "$results/sockets.json"
    python3 sockets.py notes "$results/sockets.json"
} >"$results/sockets.md"
cat "$results/sockets.md"
