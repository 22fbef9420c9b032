#!/usr/bin/env bash
# Runs every test of the project, and installs what they need and is missing.
# Usage: tests/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# Packages for commands that are missing, with the reason.
missing=()
need() { # COMMAND REASON PACKAGE...
    local command=$1 reason=$2
    shift 2
    if ! PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':'):/usr/sbin" command -v "$command" >/dev/null; then
        step "to install: $* ($reason)"
        missing+=("$@")
    fi
}

need cc "signatures are built from C" build-essential
need curl "the guides' lines run as they stand" curl
need mkfs.ext4 "small disks (tests/disk)" e2fsprogs
need prlimit "limits of a process (tests/disk)" util-linux
need initdb "PostgreSQL: tests start servers of their own" postgresql
need pgrep "finding processes of those servers" procps
need python3 "a service in another language shares Redis with ours" python3
need redis-server "Redis: tests start servers of their own" redis-server
need redis-sentinel "its failover" redis-sentinel
need openssl "certificates of servers that speak TLS" openssl
need prometheus "a scrape of the flagship" prometheus
need promtool "rules and figures as Prometheus reads them" prometheus
need nginx "addresses behind a proxy" nginx
need caddy "the other proxy of deploy/" caddy
need node "scripts of the pages" nodejs
need npm "other libraries and the driver of the browser" npm
need chromium "pages in a browser" chromium
need firefox-esr "pages in another one" firefox-esr
need valgrind "instructions of a request are counted" valgrind
python3 -m venv --help >/dev/null 2>&1 || missing+=(python3-venv)

if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
fi

step "installing what the tokens are compared with"
tests/interop/install.sh "$PWD/target/interop"

if [ -z "${JOSE_VECTORS:-}" ]; then
    step "LEFT OUT: test vectors for signatures; JOSE_VECTORS names no folder that holds them (Wycheproof's testvectors_v1)"
fi

# The same draws in every run: what is new to a test then is the change, and not the dice. Whoever
# searches for more exports another number, or runs one test for long with PROPTEST_CASES.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-20261122}
step "properties are tried with PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED"

step "unit and integration tests, every feature"
cargo test --all-features --locked --no-fail-fast

step "every interleaving of the lock-free parts"
cargo test --manifest-path tests/loom/Cargo.toml --release --locked

step "the other library of cryptography"
cargo test --manifest-path tests/ring/Cargo.toml --locked

step "instructions of a request whose token was seen before"
CARGO_TARGET_DIR="$PWD/target/instructions" benches/instructions/check.sh

step "the pages and the token manager, in node, Chromium and Firefox"
tests/browser/run.sh

step "all tests passed"
