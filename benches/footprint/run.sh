#!/usr/bin/env bash
# What this crate adds to an axum application, and what two peers add: crates, build time, size.
# Writes docs/footprint.md. Each application has a folder and a target folder of its own, all are built
# by the same profile, and the rounds go through all of them in turn.
#
#   benches/footprint/run.sh [ROUNDS]
#
# With FOOTPRINT_WORK=FOLDER what was measured stays there, and a run that was interrupted goes on with what is missing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-3}
work=${FOOTPRINT_WORK:-}
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
touch "$work/times"
export CARGO_INCREMENTAL=0
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET RUSTFLAGS

tokio='tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }'
authorizer='jwt-authorizer = "0.15"'
# The same with the cryptography of its TLS compiled in, instead of the system's OpenSSL.
authorizer_alone='jwt-authorizer = { version = "0.15", default-features = false, features = ["chrono", "rustls-tls"] }'
sessions='tower-sessions = "0.15"'
# The last one for axum 0.7, which jwt-authorizer is for.
sessions_beside='tower-sessions = "0.13"'
ours() { echo "tower-jwt-session = { path = \"$root\", features = [${1:-}] }"; }
ours_on_ring() { echo "tower-jwt-session = { path = \"$root\", default-features = false, features = [\"ring\"${1:+, $1}] }"; }

# NAME SOURCE AXUM DEPENDENCIES
app() {
    mkdir -p "$work/$1/src"
    cp "$here/apps/$2.rs" "$work/$1/src/main.rs"
    printf '[package]\nname = "app"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\naxum = "%s"\n%s\n%s\n\n[workspace]\n' \
        "$3" "$tokio" "${4:-}" > "$work/$1/Cargo.toml"
    (cd "$work/$1" && cargo fetch --quiet)
    tree "$1" > "$work/$1.crates"
}

# The crates of an application, without itself.
tree() {
    (cd "$work/$1" && cargo tree --offline --edges normal,build --prefix none --format '{p}' |
        sed 's/ (\*)$//; s/ (proc-macro)$//; s/ (\/.*)$//' | grep -v '^app v' | sort -u)
}

apps=(ours-layer ours ours-layer-ring ours-ring together plain plain-0.7 ours-extractors-ring together-alone authorizer sessions ours-sqlite)
app plain plain 0.8
app plain-0.7 plain 0.7
app authorizer jwt_authorizer 0.7 "$authorizer"
app sessions tower_sessions 0.8 "$sessions"
app together together 0.7 "$authorizer
$sessions_beside"
app together-alone together 0.7 "$authorizer_alone
$sessions_beside"
app ours-layer ours_layer 0.8 "$(ours)"
app ours ours 0.8 "$(ours '"axum"')"
app ours-layer-ring ours_layer 0.8 "$(ours_on_ring)"
app ours-ring ours 0.8 "$(ours_on_ring '"axum"')"
app ours-extractors-ring ours_extractors 0.8 "$(ours_on_ring '"axum"')"
app ours-sqlite ours 0.8 "$(ours '"axum", "sqlite"')"

# What each adds to the plain one of its axum.
base() { case $1 in authorizer | together*) echo plain-0.7 ;; *) echo plain ;; esac; }
added() { comm -13 "$work/$(base "$1").crates" "$work/$1.crates"; }

reason() { awk -v name="$1" -F': ' '$1 == name { print $2 }' "$here/reasons.txt"; }

missing=$({ added ours-sqlite; added ours-ring; } | cut -d' ' -f1 | sort -u | while read -r name; do
    [ -n "$(reason "$name")" ] || echo "$name"
done)
if [ -n "$missing" ]; then
    printf 'reasons.txt gives no reason for:\n%s\n' "$missing" >&2
    exit 1
fi

# Notes what each call of the compiler takes; what is left is what build scripts do, as compiling C.
cat > "$work/rustc" <<'RUSTC'
#!/usr/bin/env bash
crate=-
for ((i = 1; i < $#; i++)); do
    [ "${!i}" != --crate-name ] || { next=$((i + 1)); crate=${!next}; }
done
TIMEFORMAT="$crate %U %S"
{ time "$@" >&3 2>&4; } 3>&1 4>&2 2>> "$FOOTPRINT_CRATES"
RUSTC
chmod +x "$work/rustc"
export RUSTC_WRAPPER=$work/rustc FOOTPRINT_CRATES

TIMEFORMAT='%U %S'
for ((round = 1; round <= rounds; round++)); do
    for name in "${apps[@]}"; do
        [ "$(awk -v name="$name" '$1 == name' "$work/times" | wc -l)" -lt "$round" ] || continue
        rm -rf "$work/$name/target"
        FOOTPRINT_CRATES=$work/$name.rustc
        : > "$FOOTPRINT_CRATES"
        { time (cd "$work/$name" && cargo build --offline --release --quiet >&3 2>&4); } 3>&1 4>&2 2> "$work/time"
        stat -c %s "$work/$name/target/release/app" > "$work/$name.size"
        nm -C -S -t d --defined-only "$work/$name/target/release/app" > "$work/$name.symbols"
        awk -v name="$name" '{ print name, $1 + $2 }' "$work/time" | tee -a "$work/times" >&2
        rm -rf "$work/$name/target"
    done
done

median() { awk -v name="$1" '$1 == name { print $2 }' "$work/times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
minus() { awk -v a="$1" -v b="$2" -v f="$3" 'BEGIN { printf f, a - b }'; }

# LABEL NAME; a dash for what is not measured yet.
row() {
    local base size=– seconds=–
    base=$(base "$2")
    if [ -n "$(median "$2")" ] && [ -n "$(median "$base")" ]; then
        size=$(awk -v s="$(minus "$(cat "$work/$2.size")" "$(cat "$work/$base.size")" '%d')" 'BEGIN { printf "%.2f", s / 1048576 }')
        seconds=$(minus "$(median "$2")" "$(median "$base")" '%.0f')
    fi
    printf '| %s | %d | %s | %s |\n' "$1" "$(added "$2" | wc -l)" "$seconds" "$size"
}

# LABEL NAME PEERS: whether each figure is less than that of the peers.
less() {
    local of figures=()
    for of in "$2" "$3"; do
        figures+=("$(row '' "$of" | tr -d ' ')")
    done
    printf '%s\n' "${figures[@]}" | awk -F'|' -v label="$1" '
        NR == 1 { for (i = 3; i <= 5; i++) ours[i] = $i }
        NR == 2 {
            printf "| %s |", label
            for (i = 3; i <= 5; i++) {
                verdict = ours[i] + 0 < $i + 0 ? "met" : "**missed**"
                if (ours[i] == "–" || $i == "–") verdict = "not measured"
                printf " %s: %s to %s |", verdict, ours[i], $i
            }
            print ""
        }'
}

# Sums lines "GROUP AMOUNT" by their group.
summed() { awk '{ sum[$1] += $2 } END { for (group in sum) print group, sum[group] }'; }

# Of whom a crate or a symbol is. What is generic is named for who uses it, which is mostly right.
group='function group(name) {
    if (name ~ /tower_jwt_session|^app$/) return "ours"
    if (name ~ /aws_lc|^ring|^cc$|^cmake$/) return "c"
    if (name ~ /moka|crossbeam|parking_lot/) return "moka"
    return "other"
}'

# Where the time of the latest build of an application went, and the bytes of its symbols.
where_time() {
    {
        awk "$group"' { print group($1), $2 + $3 }' "$work/$1.rustc"
        awk -v all="$(awk -v name="$1" '$1 == name { last = $2 } END { print last }' "$work/times")" \
            '{ sum += $2 + $3 } END { print "c", all - sum }' "$work/$1.rustc"
    } | summed
}
where_bytes() {
    # Functions of the C library that are not exported have names of their own, without a path.
    awk "$group"' $3 ~ /[tTwWrRdD]/ && !seen[$1]++ {
        size = $2; name = $4
        for (i = 5; i <= NF; i++) name = name " " $i
        which = group(name)
        if (which == "other" && name !~ /::/ && name !~ /^_?(_ZN|anon|rust|T$)/) which = "c"
        print which, size
    }' "$work/$1.symbols" | summed
}
of() { awk -v group="$1" '$1 == group { print $2 }'; }
where() {
    where_time ours > "$work/where.time"
    where_bytes ours > "$work/where.bytes"
    while [ $# -gt 0 ]; do
        awk -v label="$2" -v seconds="$(of "$1" < "$work/where.time")" -v bytes="$(of "$1" < "$work/where.bytes")" \
            'BEGIN { printf "| %s | %.0f | %.2f |\n", label, seconds, bytes / 1048576 }'
        shift 2
    done
}

version() { grep -h "^$1 v" "$work/$2.crates" | cut -d' ' -f2 | head -1; }

{
    cat <<HEAD
# What it adds to an application

Measured by \`benches/footprint/run.sh\`, which writes this file. Each row is what is added to the same axum application with one
route: crates that are compiled (those of build scripts and macros included), seconds of processor time of a release build from nothing
(rounds through all applications in turn: $rounds, of which the median), and the size of the executable.

| added | crates | seconds | MiB |
|---|---|---|---|
HEAD
    row "jwt-authorizer $(version jwt-authorizer authorizer)" authorizer
    row "tower-sessions $(version tower-sessions sessions)" sessions
    row "both of them (tower-sessions $(version tower-sessions together))" together
    row "both of them, with \`rustls-tls\` for the system's OpenSSL" together-alone
    row "\`tower-jwt-session\`, no features: the layer, sessions in memory, no ready endpoints" ours-layer
    row "\`tower-jwt-session\`, feature \`axum\`: extractors and ready endpoints, sessions in memory" ours
    row "\`tower-jwt-session\`, feature \`ring\` instead of \`aws-lc\`: the same as without features" ours-layer-ring
    row "\`tower-jwt-session\`, features \`ring\`, \`axum\`: extractors, and no ready endpoint in use" ours-extractors-ring
    row "\`tower-jwt-session\`, features \`ring\`, \`axum\`: with the ready endpoints" ours-ring
    row "\`tower-jwt-session\`, features \`axum\`, \`sqlite\`" ours-sqlite
    cat <<LESS

Neither peer has endpoints: both check a token and keep a session in memory, and leave the sign-in to the application. So like for like
are the rows without ready endpoints, whose applications do that and sign in, too; the other rows have more than both peers together. The peers check signatures by \`ring\`. Wanted is less of everything
than both peers add:

| | crates | seconds | MiB |
|---|---|---|---|
LESS
    less 'no features' ours-layer together
    less 'no features, TLS of the peers compiled in' ours-layer together-alone
    less 'feature `ring`' ours-layer-ring together
    less 'feature `axum`' ours together
    less 'feature `axum`, TLS of the peers compiled in' ours together-alone
    less 'features `ring`, `axum`, no ready endpoint' ours-extractors-ring together
    less 'features `ring`, `axum`, ready endpoints' ours-ring together
    cat <<PLAIN

The application itself: $(wc -l < "$work/plain.crates") crates, $(printf %.0f "$(median plain)") seconds, $(awk -v s="$(cat "$work/plain.size")" 'BEGIN { printf "%.2f", s / 1048576 }') MiB. $(rustc --version | cut -d' ' -f1,2), default release profile.
The peers have the features that \`cargo add\` gives them; jwt-authorizer is for axum 0.7, so what it adds is measured against that.
Its TLS is that of the system's OpenSSL, which is in no figure here; the cryptography of this crate is compiled in. When \`ring\` is enough
is in [cryptography.md](cryptography.md).

## Where it goes

Of the build with the feature \`axum\`, the application and its framework included; seconds of the latest round, bytes of what has a
name in the executable. What is generic counts where it is used.

| | seconds | MiB |
|---|---|---|
$(where ours 'this crate, and the application' c 'aws-lc: the C library and its bindings' moka 'moka with its queues and locks' other 'axum, tokio and everything else')

## Every crate, and why it is there

Those that an axum application has already are not listed.

| crate | for |
|---|---|
PLAIN
    added ours | cut -d' ' -f1 | sort -u | while read -r name; do
        printf '| `%s` | %s |\n' "$name" "$(reason "$name")"
    done
    cat <<RING

With the feature \`ring\`, in the stead of \`aws-lc\`:

| crate | for |
|---|---|
RING
    comm -13 "$work/ours.crates" "$work/ours-ring.crates" | cut -d' ' -f1 | sort -u | while read -r name; do
        printf '| `%s` | %s |\n' "$name" "$(reason "$name")"
    done
    cat <<MORE

With the feature \`sqlite\`, also:

| crate | for |
|---|---|
MORE
    comm -13 "$work/ours.crates" "$work/ours-sqlite.crates" | cut -d' ' -f1 | sort -u | while read -r name; do
        printf '| `%s` | %s |\n' "$name" "$(reason "$name")"
    done
} > "$root/docs/footprint.md"
sed -n '/^| added/,/^$/p' "$root/docs/footprint.md"
