#!/usr/bin/env bash
# Other crates and this one, side by side in one run: what a layer adds to the bare service.
# Usage: benches/peers/run.sh [ROUNDS]     (100 rounds, some three minutes after everything is built)
# BUILD_ONLY=1 only builds; NO_BUILD=1 measures what was built before, and nothing is compiled beside it.
# Writes benches/results/peers.json and peers.md. Needs redis-server, installed with apt-get where it is missing.
# A peer that does not build or does not start is left out by name, and the result says so.
set -euo pipefail
cd "$(dirname "$0")"
whole=100
rounds=${1:-$whole}
results=../results
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_INCREMENTAL=0

# PROGRAM FEATURE
programs="ours ours
raw_aws jsonwebtoken-aws
raw_rust jsonwebtoken-rust
jwt_authorizer jwt-authorizer
axum_jwt_auth axum-jwt-auth
tower_oauth2 tower-oauth2
tower_sessions tower-sessions
axum_login axum-login
axum_session axum-session"

command -v redis-server >/dev/null || {
    echo "to install: redis-server" >&2
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -qq && $sudo apt-get install -y -qq redis-server
}

build() { # PROGRAM [FEATURE]
    if [ -n "${NO_BUILD:-}" ]; then
        [ -x "$target/release/$1" ]
        return
    fi
    echo "building $1" >&2
    cargo build --release --locked --quiet --target-dir "$target" --bin "$1" ${2:+--features "$2"} || {
        # What an older state of it came to is not measured in its place.
        rm -f "$target/release/$1"
        return 1
    }
}

built=() missing=()
build driver || {
    echo "nothing is built: benches/report.sh build" >&2
    exit 1
}
while read -r program feature; do
    if build "$program" "$feature"; then
        built+=("$target/release/$program")
    else
        echo "SKIPPED: $program is not built" >&2
        missing+=("$program")
    fi
done <<<"$programs"
kept=$target/release/peers.built
[ -n "${NO_BUILD:-}" ] || ../report/measured.sh built >"$kept"
[ -z "${BUILD_ONLY:-}" ] || exit 0

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
port=$((20000 + RANDOM % 10000))
redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" --daemonize no >"$work/redis.log" &
server=$!
for _ in $(seq 100); do
    redis-cli -p "$port" ping >/dev/null 2>&1 && break
    sleep 0.1
done
redis-cli -p "$port" ping >/dev/null
printf 'redis://127.0.0.1:%s' "$port" >"$work/redis"

mkdir -p "$results"
measured=$(../report/measured.sh "$kept" "$target/release/ours")
"$target/release/driver" "$work" "$results/peers.json" "$rounds" "${built[@]}"
python3 ../report/note.py "$results/peers.json" "$measured" rounds "$rounds" "$whole"
python3 ../report/peers.py "$results/peers.json" "${missing[@]}" >"$results/peers.md"
cat "$results/peers.md"
