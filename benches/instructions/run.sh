#!/usr/bin/env bash
# What the figures cost a warm request: instructions, counted by valgrind, and nanoseconds of processor time, the least of
# many runs that take turns.
# Usage: benches/instructions/run.sh
# It builds a copy of this tree four times: with the calls that count on the path of requests taken out of the source, without the
# feature `metrics`, with it, and with Prometheus' recorder. Fails where the second is one instruction longer than the first, and says how many
# instructions differ in the whole of the two programs, whether or not a request comes by.
# BINARIES names a folder to keep the programs in, and to take them from where they are: built at one time, measured at another,
# when the machine does nothing else. ROUNDS says how often they take turns; 0 only builds.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$PWD/target}
root=$(cd ../.. && pwd)
REQUESTS=10240
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
binaries=${BINARIES:-$scratch}
mkdir -p "$binaries"

# All are built in one place: that paths have another length must not be a difference.
tree=$scratch/tree
mkdir "$tree"
git -C "$root" ls-files -z --cached --others --exclude-standard -- Cargo.toml Cargo.lock README.md benches examples src tests |
    tar -C "$root" --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -x -C "$tree"

# Every call of `Telemetry` and every watch outside of `telemetry` itself is a line of its own.
tells='telemetry\.(answered|begin|confirmed|looked_up)\(|Watch::started\('
telling() { find "$tree/src" -name '*.rs' -not -path '*/telemetry/*' -exec grep -lE "$tells" {} +; }
take_out() {
    local files
    mapfile -t files < <(telling)
    echo "taken out: $(cat "${files[@]}" | grep -cE "$tells") lines of ${files[*]#"$tree/"}" >&2
    sed -E -i '/^ *(let watch = )?((self|core)\.telemetry\.(answered|begin|confirmed|looked_up)\(.*\)|Watch::started\(\));$/d' "${files[@]}"
    if telling >&2; then
        echo "these still count" >&2
        return 1
    fi
}
# What is gone leaves names that nobody uses.
sed -i '1i #![allow(unused)]' "$tree/src/lib.rs"

build() { # NAME [FEATURE]
    names+=("$1")
    if [ -x "$binaries/$1" ]; then return; fi
    echo "building: $1" >&2
    (cd "$tree/benches/instructions" && cargo build --quiet --release --locked --target-dir "$target" ${2:+--features "$2"})
    cp "$target/release/tower-jwt-session-instructions" "$binaries/$1"
}

names=()
build without
build counted metrics
build recorded recorder
take_out
build taken-out

if [ "${ROUNDS:-15}" = 0 ]; then exit; fi
declare -A least instructions
for _ in $(seq "${ROUNDS:-15}"); do
    for name in "${names[@]}"; do
        took=$("$binaries/$name")
        least[$name]=$(printf '%s\n%s\n' "$took" "${least[$name]:-99999}" | sort -n | head -1)
    done
done

printf '%-10s %24s %10s\n' "" "instructions a request" "ns"
for name in "${names[@]}"; do
    said=$(cd "$binaries" && valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect='*::counted*' "./$name" count 2>&1)
    instructions[$name]=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$said")
    [ "${instructions[$name]:-0}" -gt 0 ] || { echo "nothing was counted: $said" >&2; exit 1; }
    printf '%-10s %24s %10s\n' "$name" "$(awk "BEGIN { printf \"%.4f\", ${instructions[$name]} / $REQUESTS }")" "${least[$name]}"
done
# Addresses aside: what is elsewhere is no other instruction.
code() {
    objdump -d --no-show-raw-insn -j .text "$binaries/$1" | grep -P '^\s+[0-9a-f]+:\t' | cut -f2- |
        sed -E 's/ +#.*//; s/<[^>]*>//g; s/-?0x[0-9a-f]+\(%rip\)/there(%rip)/g; s/^(call|j[a-z]+) +[0-9a-f]+/\1 there/'
}
differ=$(diff <(code taken-out) <(code without) | grep -c '^[<>]' || true)
echo "without and taken-out: $differ of $(code without | wc -l) instructions of the programs differ"
if [ "${instructions[without]}" -gt "${instructions[taken-out]}" ]; then
    echo "FAILED: without the feature there are $((instructions[without] - instructions[taken-out])) instructions more in $REQUESTS requests" >&2
    exit 1
fi
