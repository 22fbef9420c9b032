#!/usr/bin/env bash
# When, of which commit and on what something is measured, as a line of JSON: one key in the result of every part.
# Usage: benches/report/measured.sh                  of what is built from the tree as it is
#        benches/report/measured.sh built            what that is, to be kept beside what was built
#        benches/report/measured.sh KEPT [PROGRAM]   of what was built by then
# A "+" stands behind a commit whose tree was changed.
set -euo pipefail
here=$(dirname "$0")

built() {
    local commit
    if commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null); then
        # Nothing is built from what reports say.
        [ -z "$(git --no-optional-locks -C "$here" status --porcelain -- \
            :/ ':(top,exclude)benches/results' ':(top,exclude)docs' ':(top,exclude)*.md')" ] || commit+=+
    fi
    printf '"commit": "%s", "rustc": "%s"' "${commit:-not noted}" "$(rustc --version | cut -d' ' -f2)"
}

case "${1:-}" in
built)
    built
    exit 0
    ;;
'') from=$(built) ;;
*)
    from='"commit": "not noted", "rustc": "not noted"'
    # Whoever built it since has not said from what.
    if [ -s "$1" ] && [ ! "${2:-$1}" -nt "$1" ]; then from=$(cat "$1"); fi
    ;;
esac
processor=$(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo 2>/dev/null || true)
printf '{"at": "%s", %s, "processor": "%s", "kernel": "%s"}\n' \
    "$(date -u '+%Y-%m-%d %H:%M UTC')" "$from" "${processor:-$(uname -m)}" "$(uname -sr)"
