#!/usr/bin/env bash
# web.sh: builds the console into web/dist. Packages are installed again only
# when the lock file changed, the console is built again only when a source changed.
# Without Node it says so and leaves web/dist alone: the server then shows how to build it.
set -euo pipefail
cd "$(dirname "$0")/../web"

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
	../scripts/need.sh node npm || true
	echo 'web: left out; the server will say "console not built"' >&2
	exit 0
fi
../scripts/need.sh node

sum() { sha256sum "$@" | sha256sum | cut -d ' ' -f 1; }

lock=$(sum package-lock.json)
stamp=node_modules/.picket-lock
if [ "$(cat $stamp 2>/dev/null || true)" != "$lock" ]; then
	echo 'web: npm ci' >&2
	npm ci --no-audit --no-fund --loglevel=error >&2
	echo "$lock" >$stamp
fi
[ "${1:-}" = deps ] && exit 0

mapfile -d '' files < <(find . \( -path ./node_modules -o -path ./dist -o -path ./e2e \) -prune -o -type f ! -name '*.go' -print0 | LC_ALL=C sort -z)
sources=$(sum "${files[@]}")
if [ "$(cat node_modules/.picket-sources 2>/dev/null || true)" != "$sources" ] || [ ! -s dist/index.html ]; then
	echo 'web: npm run build' >&2
	npm run --silent build >&2
	[ -e dist/.gitkeep ] || touch dist/.gitkeep
	echo "$sources" >node_modules/.picket-sources
fi
