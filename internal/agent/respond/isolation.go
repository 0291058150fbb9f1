package respond

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Isolation is whether the host is cut off now.
type Isolation struct {
	On       bool      `json:"on"`
	Since    time.Time `json:"since,omitzero"`     // of the state that it is in; host clock
	Until    time.Time `json:"until,omitzero"`     // it ends by itself then; host clock; zero: it does not
	Task     string    `json:"task,omitempty"`     // id of the task that it follows from, "" when none
	Cause    string    `json:"cause,omitempty"`    // a sentence: why it is off, when no task ended it
	Repaired uint64    `json:"repaired,omitempty"` // how often its rules were gone or changed, and put back
}

// Why isolation is off without a task that ended it.
const (
	CauseTime  = "its time was over"
	CauseLocal = "somebody with root's rights on the host ended it (picket-agent release)"
)

// kept is what the agent keeps of isolation on its disk.
type kept struct {
	Isolation
	Verified bool             `json:"verified"` // the server was reached since the rules are there
	Servers  []netip.AddrPort `json:"servers,omitempty"`
	DNS      []netip.Addr     `json:"dns,omitempty"` // resolvers that may be asked
}

const (
	isolationFile = "isolation.json"
	isolationLock = "isolation.lock"
	maxKept       = 64 << 10
	maxServers    = 64
	maxResolvers  = 8
)

// StateFiles are the names in the state directory that are this package's.
var StateFiles = []string{isolationFile, isolationLock}

// Isolation returns how the host stands, by what the agent last knew.
func (r *Responder) Isolation() Isolation {
	r.isolation.mu.Lock()
	defer r.isolation.mu.Unlock()
	return r.isolation.now.Isolation
}

// loadKept reads what is kept; nothing is kept where there is no file.
func loadKept(state string) (k kept, err error) {
	root, err := os.OpenRoot(state)
	if err != nil {
		return k, err
	}
	defer root.Close()
	f, err := root.OpenFile(isolationFile, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxKept))
	if err != nil {
		return k, err
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return kept{}, fmt.Errorf("%s in the state directory is damaged: %w; remove it and the host is not isolated", isolationFile, err)
	}
	k.Servers, k.DNS = k.Servers[:min(len(k.Servers), maxServers)], k.DNS[:min(len(k.DNS), maxResolvers)]
	return k, nil
}

// saveKept puts it on the disk: it is there when saveKept returns, and after a
// crash at any moment the old or the new one is.
func saveKept(state string, k kept) (err error) {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(state)
	if err != nil {
		return err
	}
	defer root.Close()
	const tmp = isolationFile + ".tmp"
	_ = root.Remove(tmp) // of an earlier attempt
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, root.Remove(tmp))
	}
	if err := root.Rename(tmp, isolationFile); err != nil {
		return err
	}
	return syncDir(state)
}

// underLock runs fn while no other process changes what is kept.
func underLock(state string, fn func() error) (err error) {
	f, err := lock(filepath.Join(state, isolationLock))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }() // which ends the lock
	return fn()
}

// merge returns the addresses of both, each once, at most maxServers.
func merge(a, b []netip.AddrPort) []netip.AddrPort {
	out := slices.Clone(a)
	for _, s := range b {
		s = netip.AddrPortFrom(s.Addr().Unmap().WithZone(""), s.Port())
		if s.IsValid() && s.Port() != 0 && !s.Addr().IsUnspecified() && !slices.Contains(out, s) && len(out) < maxServers {
			out = append(out, s)
		}
	}
	return out
}

// resolvers reads the name servers of a resolv.conf; those on the host itself need no leave.
func resolvers(text string) (out []netip.Addr) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		a, err := netip.ParseAddr(f[1])
		a = a.Unmap().WithZone("")
		if err == nil && !a.IsLoopback() && !a.IsUnspecified() && !slices.Contains(out, a) && len(out) < maxResolvers {
			out = append(out, a)
		}
	}
	return out
}
