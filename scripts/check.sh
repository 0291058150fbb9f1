#!/usr/bin/env bash
# check.sh: everything that can be said of the tree without running the product.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
step() { echo "check: $*" >&2; }

step gofmt
mapfile -d '' files < <(find . \( -path ./web/node_modules -o -path ./.git -o -path ./bin -o -path ./.picket \) -prune -o -name '*.go' -print0)
bad=$(gofmt -l "${files[@]}")
if [ -n "$bad" ]; then
	printf 'not formatted; run gofmt -w on:\n%s\n' "$bad" >&2
	exit 1
fi

step 'console: packages'
scripts/web.sh deps
# The console's part takes one processor for minutes, and what follows waits for one package at a time often enough.
console=$(mktemp)
(cd web && npm run --silent check) >"$console" 2>&1 &
linter=$!
trap 'kill "$linter" 2>/dev/null || true; rm -f "$console"' EXIT
step vet
"$go" vet ./...
step staticcheck
"$go" tool staticcheck ./...
step 'floors, budgets, documents'
"$go" test -count=1 .

step 'kernel programs: the object is its source'"'"'s'
"$go" test -count=1 ./internal/agent/sense -run ObjectBelongs
scripts/bpf.sh check

step 'agent for other systems'
for target in windows/amd64 darwin/arm64 linux/arm64; do
	(
		export GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0
		"$go" build -o /dev/null ./cmd/picket-agent
		"$go" vet ./cmd/picket-agent ./internal/agent/... ./internal/protocol/... ./internal/inventory/... # their tests, too
	)
done

step 'agent without response actions'
"$go" build -tags noexec -o /dev/null ./cmd/picket-agent
"$go" vet -tags noexec ./cmd/picket-agent ./internal/agent

step 'console: types, lint'
if ! wait "$linter"; then
	cat "$console" >&2
	exit 1
fi
cat "$console" >&2
step 'generated files'
scripts/generated.sh
step done
