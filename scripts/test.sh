#!/usr/bin/env bash
# test.sh: all tests. `make test` has installed and built what they need.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

race=(-race)
if ! command -v "$("$go" env CC)" >/dev/null 2>&1; then
	echo 'test: without the race detector: it needs a C compiler (on Debian: apt-get install gcc libc6-dev)' >&2
	race=()
fi
echo "test: go test ${race[*]} ./..." >&2
"$go" test "${race[@]}" -timeout 25m ./...
echo 'test: console' >&2
scripts/web.sh deps
(cd web && npm run --silent test)
echo 'test: browser' >&2
(cd web && npm run --silent e2e)
