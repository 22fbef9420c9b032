#!/usr/bin/env bash
# The same servers over real sockets, HTTP/1.1 and HTTP/2: bare axum, this crate, and peers.
# Usage: benches/peers/sockets.sh [ROUNDS [SECONDS]]     (8 rounds of 3 seconds each: some five minutes)
# BUILD_ONLY=1 only builds; NO_BUILD=1 measures what was built before.
# Writes benches/results/sockets.json and sockets.md. Needs two processors; wrk and h2load are installed with apt-get where
# they are missing.
set -euo pipefail
cd "$(dirname "$0")"
results=../results
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_INCREMENTAL=0

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v h2load >/dev/null || missing+=(nghttp2-client)
command -v taskset >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ]; then
    echo "to install: ${missing[*]}" >&2
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq && $sudo apt-get install -y -qq "${missing[@]}"
fi

for part in ours sessions authorizer; do
    [ -z "${NO_BUILD:-}" ] || continue
    echo "building sockets_$part" >&2
    cargo build --release --locked --quiet --target-dir "$target" --bin "sockets_$part" --features "sockets-$part" ||
        rm -f "$target/release/sockets_$part"
done
[ -z "${BUILD_ONLY:-}" ] || exit 0

mkdir -p "$results"
python3 sockets.py "$target/release" "$results/sockets.json" "${1:-8}" "${2:-3}"
python3 ../report/sockets.py "$results/sockets.json" >"$results/sockets.md"
cat "$results/sockets.md"
