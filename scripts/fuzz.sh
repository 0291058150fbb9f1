#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz target for TIME ("10s"), one after the other.
# Go would take up to a minute to make each input that reached new code smaller,
# and try no new ones meanwhile; 100 attempts do.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${1:-10s}

found=0
while read -r dir; do
	while read -r name; do
		found=$((found + 1))
		echo "fuzz: $dir $name $time" >&2
		"$go" test "$dir" -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x
	done < <(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$dir"/*_test.go)
done < <(grep -rl --include='*_test.go' '^func Fuzz' . --exclude-dir=node_modules | xargs -r -n 1 dirname | sort -u)
echo "fuzz: $found targets, $time each" >&2
[ "$found" -gt 0 ]
