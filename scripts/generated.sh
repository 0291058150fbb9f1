#!/usr/bin/env bash
# generated.sh: generates again what is generated and committed, and fails when
# that changes a file. The new content stays in place, ready to be committed.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

list() {
	find . \( -path ./web/node_modules -o -path ./.git -o -path ./web/dist \) -prune -o \
		-type f \( -name '*.gen.*' -o -name 'openapi.golden.json' -o -path './docs/deps/*' \) -print | LC_ALL=C sort
}
before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
list | xargs -r sha256sum >"$before"
"$go" test ./internal/api -run OpenAPI -update >/dev/null
"$go" test . -run Deps -update >/dev/null
(cd web && npm run --silent types >/dev/null)
list | xargs -r sha256sum >"$after"
if ! diff "$before" "$after" >/dev/null; then
	echo 'generated files were out of date and are generated again; look at them and commit them:' >&2
	diff "$before" "$after" | sed -n 's/^> [0-9a-f]*  //p' >&2
	exit 1
fi
