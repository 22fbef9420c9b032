#!/usr/bin/env bash
# Tries the mutants of what decides who gets in. cargo-mutants lists them; all are compiled into one copy of the crate.
# Usage: tests/mutants/run.sh [FILES...]     (globs; without any, the modules verify, revocation, session, guard and token)
# Needs cargo-mutants. What came of each is in target/mutants/outcomes.json; with AGAIN=1 those are tried that the last run
# did not settle: what survived, what no test came by, what hung, and what is new. It goes by lines of files: after a
# change of code that leaves lines where they are, try without.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# = 0 ]; then set -- 'src/verify/**' 'src/revocation/**' 'src/session/**' 'src/guard/**' 'src/token/**'; fi
command -v cargo-mutants >/dev/null || { echo "cargo-mutants is missing: cargo install cargo-mutants" >&2; exit 2; }
# Tests in memory that take seconds. Stores of their own kind have their conformance.
tests='conformance_memory middleware local_view sign_in tracking verbs events audit flood background outage edge oauth cookies
broken_store configuration races risk surface pages encryption figures simulation'

work=$PWD/target/mutants
mkdir -p "$work"
files=()
for file; do files+=(--file "$file"); done
cargo mutants --list --json "${files[@]}" >"$work/list.json"
cargo run --quiet --release --locked --manifest-path tests/mutants/Cargo.toml --target-dir target/mutants/tool -- \
    "$PWD" "$work" "$work/list.json" full,test-util "${TESTS-$tests}"
