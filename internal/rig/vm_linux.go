package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// VM is a virtual machine with a kernel and a clock of its own, emulated whole,
// so that it needs no help from this machine's processor. Its disk is in memory,
// its programs are busybox and what it was booted with. It reaches this machine's
// loopback interface at the address 10.0.2.2, and nothing else.
type VM struct {
	*Process
	line net.Conn
	in   *bufio.Reader
}

// kernelVar names the folder in which a kernel package was unpacked.
const kernelVar = "PICKET_TEST_KERNEL"

func kernelDir() string {
	if dir := os.Getenv(kernelVar); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "picket-test", "kernel")
}

// VMNeeds says what is missing here to boot a VM, or is empty.
func VMNeeds() string {
	for _, tool := range []string{"qemu-system-x86_64", "busybox"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool + " is not installed"
		}
	}
	if _, _, err := kernel(); err != nil {
		return err.Error()
	}
	return ""
}

// kernel finds the image and the folder of modules of the unpacked kernel.
func kernel() (image, modules string, err error) {
	images, _ := filepath.Glob(filepath.Join(kernelDir(), "boot", "vmlinuz-*")) // the pattern is well-formed
	if len(images) != 1 {
		return "", "", fmt.Errorf("%d kernels are unpacked in %s", len(images), kernelDir())
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	return images[0], filepath.Join(kernelDir(), "lib", "modules", version), nil
}

// vmModules are the modules behind the network of the VM, in the order in which they load.
var vmModules = []string{"drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_modern_dev",
	"drivers/virtio/virtio_pci_legacy_dev", "drivers/virtio/virtio_pci", "net/core/failover", "drivers/net/net_failover", "drivers/net/virtio_net"}

// vmInit is the first program of a VM. It serves the second serial line: a
// command a line, its output, its exit code.
const vmInit = `#!/bin/busybox sh
export PATH=/bin:/usr/bin HOME=/
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /var/lib /usr/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
for m in /modules/*.ko; do insmod "$m"; done
hostname rig-vm
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1
echo up
while read -r line; do
	eval "$line" 2>&1
	printf '\n\001%d\n' $?
done
poweroff -f
`

// VMModule is where a module of the VM's kernel lies on this machine, by its path
// below the kernel's modules without the ending: "drivers/net/dummy".
func VMModule(name string) (string, error) {
	_, modules, err := kernel()
	return filepath.Join(modules, "kernel", name+".ko"), err
}

// BootVM boots a virtual machine with files on its disk: path on the disk →
// path here. It waits until the machine is up.
func BootVM(ctx context.Context, dir string, files map[string]string) (*VM, error) {
	image, modules, err := kernel()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "root")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return nil, err
	}
	all := map[string]string{"bin/busybox": busybox}
	for to, from := range files {
		all[to] = from
	}
	for i, m := range vmModules {
		all[fmt.Sprintf("modules/%d-%s.ko", i, filepath.Base(m))] = filepath.Join(modules, "kernel", m+".ko")
	}
	for to, from := range all {
		if err := place(from, filepath.Join(root, to), 0o755); err != nil {
			return nil, err
		}
	}
	// A VM has an identity and a hosts file that leads to this machine.
	for name, text := range map[string]string{"init": vmInit, "etc/hosts": "10.0.2.2 localhost\n", "etc/machine-id": strings.Repeat("c1", 16) + "\n",
		"etc/os-release": "ID=rig\nVERSION_ID=1\nPRETTY_NAME=\"Rig\"\n", "etc/passwd": "root:x:0:0:root:/:/bin/sh\n", "etc/group": "root:x:0:\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o755); err != nil {
			return nil, err
		}
	}
	disk := filepath.Join(dir, "disk.cpio")
	if _, err := Run(ctx, busybox, "sh", "-c", `cd "$1" && busybox find . | busybox cpio -o -H newc >"$2"`, "sh", root, disk); err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "line")
	v := &VM{}
	v.Process, err = start(filepath.Join(dir, "vm.log"), "qemu-system-x86_64", []string{"-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512", "-smp", "2",
		"-nographic", "-nodefaults", "-no-reboot", "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n,romfile=",
		"-serial", "stdio", "-serial", "unix:" + socket + ",server=on,wait=off",
		"-kernel", image, "-initrd", disk, "-append", "console=ttyS0 loglevel=4 panic=-1 mitigations=off"})
	if err != nil {
		return nil, err
	}
	err = Wait(ctx, 20*time.Second, 20*time.Millisecond, func(ctx context.Context) (ok bool, err error) {
		v.line, err = (&net.Dialer{}).DialContext(ctx, "unix", socket)
		return err == nil, err
	})
	if err == nil {
		v.in = bufio.NewReaderSize(v.line, 64<<10)
		_ = v.line.SetReadDeadline(time.Now().Add(2 * time.Minute)) // a socket has deadlines
		_, err = v.in.ReadString('\n')
	}
	if err != nil {
		text := v.Log()
		v.Kill()
		return nil, fmt.Errorf("boot virtual machine: %w\n%s", err, text)
	}
	return v, nil
}

// Run runs a line of shell on the machine to its end and returns what it wrote.
// The error is for an exit code other than 0. One at a time.
func (v *VM) Run(ctx context.Context, line string) (string, error) {
	if strings.Contains(line, "\n") {
		return "", errors.New("a command of a virtual machine is one line")
	}
	until := time.Now().Add(time.Minute)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	if err := v.line.SetDeadline(until); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(v.line, line); err != nil {
		return "", err
	}
	text, err := v.in.ReadString(1)
	if err != nil {
		return text, fmt.Errorf("run %q on the virtual machine: %w", line, err)
	}
	code, err := v.in.ReadString('\n')
	if err != nil {
		return text, err
	}
	text = strings.TrimSpace(strings.ReplaceAll(strings.TrimSuffix(text, "\x01"), "\r", ""))
	if n, err := strconv.Atoi(strings.TrimSpace(code)); err != nil || n != 0 {
		return text, fmt.Errorf("run %q on the virtual machine: exit code %q: %s", line, strings.TrimSpace(code), text)
	}
	return text, nil
}

// place copies a file and makes the folders above it.
func place(from, to string, mode os.FileMode) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, raw, mode)
}
