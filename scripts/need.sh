#!/usr/bin/env bash
# need.sh TOOL…: fails with one line per missing tool that says how to get it.
set -euo pipefail

missing=0
say() {
	echo "make: $1 is missing: $2" >&2
	missing=1
}
for tool in "$@"; do
	command -v "$tool" >/dev/null 2>&1 && continue
	case "$tool" in
	go) say go "install Go $(sed -n 's/^go //p' go.mod) or later, https://go.dev/doc/install" ;;
	node) say node "install Node.js 20 or later, https://nodejs.org/en/download" ;;
	npm) say npm "it comes with Node.js, https://nodejs.org/en/download; on Debian: apt-get install npm" ;;
	git) say git "on Debian: apt-get install git" ;;
	*) say "$tool" "install it and run make again" ;;
	esac
done
[ "$missing" = 0 ] || exit 2

for tool in "$@"; do
	case "$tool" in
	go)
		# Asked inside the module: an old toolchain fails here, with its own reason.
		"${GO:-go}" version >/dev/null
		;;
	node)
		major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
		if [ "$major" -lt 20 ]; then
			echo "make: node $(node --version) is too old: install Node.js 20 or later, https://nodejs.org/en/download" >&2
			exit 2
		fi
		;;
	esac
done
