#!/usr/bin/env bash
# Installs what the interop tests compare with. Usage: install.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/node"
cd "$1"

# What is installed is what was asked for: nothing to do, and no network needed.
wanted=$(cat "$here/requirements.txt" "$here/package.json" | cksum)
if [ "$(cat installed 2>/dev/null)" = "$wanted" ]; then exit 0; fi

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --retries 5 --requirement "$here/requirements.txt"
cp "$here/package.json" node/
npm install --prefix node --fetch-retries=5 --silent --no-audit --no-fund --no-package-lock
printf '%s\n' "$wanted" >installed
