package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/protocol"
)

// evidence is what the inventoried host looks like. Of another root only what
// its files say.
func (a *agent) evidence() protocol.Evidence {
	dir, live := a.cfg.hostRoot()
	var e protocol.Evidence
	if root, err := os.OpenRoot(dir); err == nil {
		// A pipe in its place must not hold the agent up.
		if info, err := root.Lstat("etc/machine-id"); err == nil && info.Mode().IsRegular() && info.Size() < 256 {
			raw, _ := root.ReadFile("etc/machine-id") // unreadable is empty
			if id := strings.TrimSpace(string(raw)); id != "" && id != "uninitialized" {
				sum := sha256.Sum256([]byte(id))
				e.MachineID = hex.EncodeToString(sum[:])
			}
		}
		_ = root.Close() // it was only read
	}
	if !live {
		return e
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "proc/sys/kernel/random/boot_id")); err == nil && len(raw) < 256 {
		e.BootID = strings.TrimSpace(string(raw))
	}
	list, _ := net.Interfaces() // without them the evidence says less
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 || len(i.HardwareAddr) != 6 || software(i.Name) {
			continue
		}
		e.MACs = append(e.MACs, i.HardwareAddr.String())
	}
	slices.Sort(e.MACs)
	e.MACs = slices.Compact(e.MACs)
	if len(e.MACs) > protocol.MaxMACs {
		e.MACs = e.MACs[:protocol.MaxMACs]
	}
	return e
}

// software reports whether an interface is made by software that draws a new
// hardware address each time.
func software(name string) bool {
	for _, p := range []string{"veth", "docker", "br-", "virbr", "vnet", "tap", "tun", "cni", "flannel", "cali", "dummy", "bond", "vmnet", "utun", "awdl", "llw", "bridge"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
