#!/usr/bin/env bash
# bpf.sh: compiles the agent's programs for the kernel into the object that is
# committed beside their source, and notes the digests of both and the compiler:
# a test compares them. The same compiler gives the same bytes.
#
#   scripts/bpf.sh         compiles it anew
#   scripts/bpf.sh check   compiles it elsewhere and compares; without the compiler
#                          that made it, says so and succeeds
set -euo pipefail
cd "$(dirname "$0")/../internal/agent/sense/bpf"
mode=${1:-make}
missing() { # without what is needed
	if [ "$mode" = check ]; then
		echo "bpf: not compared: $1" >&2
		exit 0
	fi
	echo "bpf: $1 (Debian: apt-get install clang llvm libbpf-dev)" >&2
	exit 1
}
for tool in clang llvm-strip; do
	command -v "$tool" >/dev/null || missing "$tool is missing"
done
[ -e /usr/include/bpf/bpf_core_read.h ] || missing 'the headers of libbpf are missing'
compiler="# $(clang --version | head -1)"
if [ "$mode" = check ]; then
	made=$(grep '^#' sense.sums || true)
	[ "$compiler" = "$made" ] || missing "this is ${compiler#\# }, the object was made by ${made#\# }"
	object=$(mktemp)
	trap 'rm -f "$object"' EXIT
else
	object=sense.o
fi
clang -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I"/usr/include/$(uname -m)-linux-gnu" -ffile-prefix-map="$PWD"=. -c sense.bpf.c -o "$object"
llvm-strip -g "$object"
if [ "$mode" = check ]; then
	cmp "$object" sense.o || { echo 'bpf: the object is not what its source gives: run scripts/bpf.sh' >&2; exit 1; }
	echo "bpf: compiled anew by ${compiler#\# }: the same $(stat -c %s sense.o) bytes" >&2
	exit 0
fi
{ sha256sum sense.bpf.c kernel.h sense.o && echo "$compiler"; } >sense.sums
echo "bpf: ${compiler#\# }, $(stat -c %s sense.o) bytes" >&2
