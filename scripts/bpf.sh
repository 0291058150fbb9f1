#!/usr/bin/env bash
# bpf.sh: compiles the agent's programs for the kernel into the object that is
# committed beside their source, and notes the digests of both: a test compares
# them. The same compiler gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../internal/agent/sense/bpf"
for tool in clang llvm-strip; do
	command -v "$tool" >/dev/null || { echo "bpf: $tool is missing (Debian: apt-get install clang llvm libbpf-dev)" >&2; exit 1; }
done
[ -e /usr/include/bpf/bpf_core_read.h ] || { echo "bpf: the headers of libbpf are missing (Debian: apt-get install libbpf-dev)" >&2; exit 1; }
clang -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -I"/usr/include/$(uname -m)-linux-gnu" -ffile-prefix-map="$PWD"=. -c sense.bpf.c -o sense.o
llvm-strip -g sense.o
sha256sum sense.bpf.c kernel.h sense.o >sense.sums
echo "bpf: $(clang --version | head -1), $(stat -c %s sense.o) bytes" >&2
