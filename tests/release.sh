#!/usr/bin/env bash
# What is looked at before a release, beyond the gate: what a user downloads builds and runs from the packed
# file alone; licences, sources and known weaknesses of what it depends on; the bill of materials; the public
# interface against the release before (BASELINE=REV names another one).
# Usage: tests/release.sh        What a tool that is missing would have said is left out aloud.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
left_out=()

step() { printf '\n== %s\n' "$*"; }
has() { # TOOL WHAT
    command -v "$1" >/dev/null || { left_out+=("$2: $1 is not installed"); return 1; }
}

step "packing"
cargo package --quiet --no-verify --locked --target-dir "$work/packed"
tar xzf "$work"/packed/package/*.crate -C "$work"
crate=$(find "$work" -maxdepth 1 -name 'tower-jwt-session-*' -type d)
ls -l "$work"/packed/package/*.crate | awk '{ printf "%.1f MiB packed\n", $5 / 1048576 }'

step "the library and every example, from what was packed"
export CARGO_TARGET_DIR=$root/target/release-check
(cd "$crate" && cargo build --locked --all-features --lib --examples)

step "a walk-through, and the flagship as somebody starts it"
(cd "$crate" && cargo run --quiet --locked --all-features --example user_token_tracking)
(cd "$work" && exec env LISTEN_ADDR=127.0.0.1:0 "$CARGO_TARGET_DIR/debug/examples/axum" >"$work/axum.out") &
flagship=$!
trap 'kill $flagship 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 600); do
    address=$(sed -n 's/^listening on //p' "$work/axum.out" 2>/dev/null)
    [ -n "${address:-}" ] && break
    sleep 0.1
done
[ -n "${address:-}" ] || { echo "the flagship does not say where it listens" >&2; exit 1; }
curl --silent --show-error --fail "$address/livez"
curl --silent --show-error --fail "$address/api/token/health"
printf '\nit listens, and is well\n'

if has cargo-deny "licences, sources, double crates"; then
    step "licences, bans and sources of every dependency"
    cargo deny --all-features check licenses bans sources
    step "known weaknesses"
    cargo deny --all-features check advisories ||
        left_out+=("known weaknesses: the advisory database was not to be had, or names one (see above)")
fi

if has cargo-cyclonedx "the bill of materials"; then
    step "bill of materials"
    cargo cyclonedx --quiet --format json --all-features --override-filename tower-jwt-session.cdx
    mv tower-jwt-session.cdx.json "$root/target/"
    echo "target/tower-jwt-session.cdx.json"
fi

if has cargo-semver-checks "the public interface"; then
    step "the public interface against ${BASELINE:-the last release}"
    if [ -n "${BASELINE:-$(git tag --list 'v*')}" ]; then
        cargo semver-checks --all-features --baseline-rev "${BASELINE:-$(git tag --list 'v*' --sort=-v:refname | head -1)}"
    else
        left_out+=("the public interface: nothing was released yet, and BASELINE names nothing")
    fi
fi

step "done"
for one in "${left_out[@]}"; do printf 'LEFT OUT: %s\n' "$one"; done
[ ${#left_out[@]} = 0 ]
