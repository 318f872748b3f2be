#!/bin/sh
# Lints, type-checks and tests the TypeScript of both front ends, quietly: output only when something is wrong.
set -e
cd "$(dirname "$0")/.."
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for folder in labextension dapp_panel/frontend; do
    [ -d "$folder/node_modules" ] || npm --prefix "$folder" ci --silent --no-audit --no-fund >"$said" 2>&1
    npm --prefix "$folder" run --silent check >"$said" 2>&1 || { cat "$said"; exit 1; }
done
