#!/usr/bin/env bash
# Joins what the benches left in benches/results into BENCHMARKS.md, and names the parts that are missing.
# Usage: benches/report.sh            from the results that are there
#        benches/report.sh build      builds what "measure" runs, and measures nothing: half an hour on two processors
#        benches/report.sh measure    runs instructions, peers, sockets and choices before, as they were built: twenty minutes
#                                     without a compiler beside it
#        benches/report.sh all        builds and measures everything, the stores (docs/figures.md) and the soak too: two hours and more,
#                                     by what the parts take;
#                                     nothing else should run
# The programs lie in CARGO_TARGET_DIR, or else in benches/peers/target.
# Every part leaves PART.md, its raw data as PART.json or PART.csv, and its plots as SVG in benches/results. What stands there
# from earlier runs is joined too: a table says when each was measured, and of which commit.
set -euo pipefail
cd "$(dirname "$0")"

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/peers/target}
build() {
    instructions/check.sh build
    BUILD_ONLY=1 peers/run.sh
    BUILD_ONLY=1 peers/sockets.sh
    BUILD_ONLY=1 peers/choices.sh
}
measure() {
    NO_BUILD=1 instructions/check.sh write
    NO_BUILD=1 peers/run.sh
    NO_BUILD=1 peers/sockets.sh
    NO_BUILD=1 peers/choices.sh
}
# What cargo bench builds lies where cargo puts it.
loads() { env -u CARGO_TARGET_DIR cargo bench --all-features --locked "$@"; }
case "${1:-}" in
'') ;;
build)
    build
    exit 0
    ;;
measure) measure ;;
all)
    build
    loads --bench load --no-run
    loads --bench fleet --no-run
    measure
    loads --bench load
    loads --bench fleet -- --report docs/figures.md
    loads --bench load -- soak
    ;;
*)
    echo "not known: $1 (build, measure, all, or nothing)" >&2
    exit 2
    ;;
esac

# In this order; a part that is not named here comes after them.
parts="instructions profile peers sockets choices hostile churn memory start growth soak"
for found in results/*.md; do
    [ -e "$found" ] || continue
    part=$(basename "$found" .md)
    [ "$part" != notes ] || continue
    case " $parts " in *" $part "*) ;; *) parts+=" $part" ;; esac
done

missing=() present=()
for part in $parts; do
    if [ -s "results/$part.md" ]; then present+=("$part"); else missing+=("$part"); fi
done
# A report of its own.
figures=../docs/figures.md
[ -s "$figures" ] || missing+=("stores (docs/figures.md)")

{
    cat report/head.md
    if [ ${#missing[@]} -gt 0 ]; then
        echo
        printf '**This report is not whole.** Parts without results:%s.\n' "$(printf ' %s;' "${missing[@]}" | sed 's/;$//')"
    fi
    echo
    python3 report/parts.py results "$figures" "${present[@]}"
    # What else ran there, and what is made of the figures.
    if [ -s results/notes.md ]; then echo; cat results/notes.md; fi
    for part in "${present[@]}"; do
        echo
        if ! head -1 "results/$part.md" | grep -q '^#'; then
            printf '## %s\n\n' "${part^}"
        fi
        # Plots lie beside the parts.
        sed -E 's#\]\(([A-Za-z0-9._-]+\.svg)\)#](benches/results/\1)#g' "results/$part.md"
        for raw in "results/$part.json" "results/$part.csv"; do
            if [ -s "$raw" ]; then printf '\nRaw data: [`benches/%s`](benches/%s)\n' "$raw" "$raw"; fi
        done
    done
} | cat -s >../BENCHMARKS.md
for part in "${missing[@]}"; do
    echo "MISSING: $part" >&2
done
echo "written: BENCHMARKS.md with ${present[*]:-nothing}" >&2
