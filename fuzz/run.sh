#!/usr/bin/env bash
# Fuzzes every target for a while, one after the other, from the corpus in fuzz/corpus; what is found lands in
# fuzz/artifacts, and what reached new places in target/fuzz-corpus (not in the repository).
# Usage: fuzz/run.sh [SECONDS_EACH] [TARGET...]      Needs a nightly toolchain and cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
if [ $# = 0 ]; then set -- tokens requests clients stored environment; fi
command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 2; }
for target; do
    printf '\n== %s, for %s s\n' "$target" "$seconds"
    grown=target/fuzz-corpus/$target
    mkdir -p "$grown"
    dictionary=(-dict="fuzz/dictionaries/$target")
    cargo +nightly fuzz run "$target" "$grown" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "${dictionary[@]}" 2>&1 |
        grep -E '^#[0-9]+.*(pulse|DONE)|^stat::|panicked|ERROR|SUMMARY|artifact' || true
    if compgen -G "fuzz/artifacts/$target/*" >/dev/null; then
        echo "found: fuzz/artifacts/$target" >&2
        exit 1
    fi
done
