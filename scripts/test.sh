#!/usr/bin/env bash
# test.sh: all tests. `make test` has installed and built what they need.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

# SQLite's engine is C made into Go, and the arithmetic of keys shares nothing: their
# reads and writes are not ours to watch, and watching them takes most of the time of
# every test that starts a server. The driver is watched.
race=(-race)
for engine in modernc.org/sqlite/lib modernc.org/libc crypto/internal/fips140/bigmod; do
	race+=("-gcflags=$engine=-race=false -d=checkptr=0")
done
# A function for each route of the API: three minutes of compiling where inlining is tried.
race+=("-gcflags=$("$go" list -m)/internal/api=-l")
if ! command -v "$("$go" env CC)" >/dev/null 2>&1; then
	echo 'test: without the race detector: it needs a C compiler (on Debian: apt-get install gcc libc6-dev)' >&2
	race=()
fi
# `make check` vets everything.
# The race detector sees every package but the tests of the tree itself, which start
# nothing, and those of internal/rig, which start the built programs; what is long because
# it reads whole feeds or kills programs a hundred times runs once more without it, in full.
# The longest begin first: nothing waits for one of them at the end.
mapfile -t all < <("$go" list ./... | sed 1d | grep -v /internal/rig$ | awk '{print (/\/internal\/(server|api|eventlog)$/ ? 1 : /\/internal\/(agent|simulate|rig)/ ? 2 : 3), $0}' | sort -s -k1,1n | cut -d" " -f2)
echo "test: go test ${race[*]} -short, ${#all[@]} packages" >&2
CGO_ENABLED=$((${#race[@]} > 0)) "$go" test "${race[@]}" -vet=off -short -timeout 25m "${all[@]}"
# Those that -short shortens, by name; a package where a helper asks for it runs whole.
short=$(grep -rl --include='*_test.go' 'testing\.Short()' internal cmd bench |
	xargs awk '/^func /{name=$2; sub(/\(.*/, "", name)} /testing\.Short\(\)/{n=split(FILENAME, p, "/"); print "./" substr(FILENAME, 1, length(FILENAME)-length(p[n])-1), name ~ /^Test/ ? name : "-"}' | sort -u)
mapfile -t whole < <(awk '$2 == "-" {print $1}' <<<"$short" | sort -u)
mapfile -t some < <(awk '$2 != "-" {print $1}' <<<"$short" | sort -u | grep -vxF "$(printf '%s\n' "${whole[@]}")")
names=$(awk '$2 != "-" {print $2}' <<<"$short" | sort -u | paste -sd'|')
echo "test: go test . ${whole[*]}" >&2
"$go" test -vet=off -timeout 25m . ./internal/rig "${whole[@]}"
echo "test: go test -run '^($names)\$' ${some[*]}" >&2
"$go" test -vet=off -timeout 25m -run "^($names)\$" "${some[@]}"
echo 'test: console' >&2
scripts/web.sh deps
(cd web && npm run --silent test)
echo 'test: browser' >&2
(cd web && npm run --silent e2e)
