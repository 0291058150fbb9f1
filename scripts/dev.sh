#!/usr/bin/env bash
# dev.sh DATA: the demo server, and the console with live reload in front of it.
# Ctrl-C ends both.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-.picket/demo}

scripts/web.sh deps
make build
bin/picket demo --data "$data" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
cd web
npm run --silent dev
