#!/usr/bin/env bash
# Runs every test of the project, and installs what they need and is missing.
# Usage: tests/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

if ! command -v cc >/dev/null; then
    step "installing a C compiler (signatures are built from C)"
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq build-essential
fi

if ! command -v mkfs.ext4 >/dev/null || ! command -v prlimit >/dev/null; then
    step "installing what makes small disks and sets limits (tests/disk)"
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq e2fsprogs util-linux
fi

if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    step "installing PostgreSQL (the tests start servers of their own)"
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq postgresql procps
fi

step "unit and integration tests, every feature"
cargo test --all-features --locked

step "every interleaving of the lock-free parts"
cargo test --manifest-path tests/loom/Cargo.toml --release --locked

step "all tests passed"
