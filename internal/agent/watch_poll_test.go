//go:build linux

package agent

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/inventory"
)

// The kernel tells nothing of a file that is changed through memory. The poll
// below the notices finds it.
func TestPollFindsWhatNobodyTells(t *testing.T) {
	root := t.TempDir()
	f, err := os.Create(filepath.Join(root, "status"))
	must(t, err)
	defer func() { must(t, f.Close()) }()
	must(t, f.Truncate(1))
	mem, err := unix.Mmap(int(f.Fd()), 0, 1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	defer func() { must(t, unix.Munmap(mem)) }()
	noticed := listen(t, root, "status")
	found := make(chan bool)
	go func() { found <- noticed() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		mem[0]++
		must(t, unix.Msync(mem, unix.MS_SYNC))
		select {
		case ok := <-found:
			if !ok {
				t.Error("a change that the kernel does not tell of was not found")
			}
			return
		case <-tick.C:
		}
	}
}

// Notices that the kernel dropped may have been of anything: every section is
// looked at.
func TestLostNotices(t *testing.T) {
	n := &inotify{wds: map[int]string{1: "/var/lib/dpkg"}, dirs: map[string]int{"/var/lib/dpkg": 1}}
	event := func(wd int32, mask uint32) []byte {
		b := make([]byte, unix.SizeofInotifyEvent)
		binary.NativeEndian.PutUint32(b, uint32(wd))
		binary.NativeEndian.PutUint32(b[4:], mask)
		return b
	}
	list := []watched{
		{sections: []inventory.SectionName{inventory.DPKG}, points: []point{{"/var/lib/dpkg", ""}}},
		{sections: []inventory.SectionName{inventory.RPM}, points: []point{{"/var/lib/rpm", ""}}},
	}
	for _, tt := range []struct {
		name  string
		event []byte
		want  []inventory.SectionName
	}{
		{"one directory", event(1, unix.IN_CREATE), []inventory.SectionName{inventory.DPKG}},
		{"a watch that is gone", event(7, unix.IN_CREATE), nil},
		{"lost", event(-1, unix.IN_Q_OVERFLOW), []inventory.SectionName{inventory.DPKG, inventory.RPM}},
	} {
		var got []inventory.SectionName
		for _, p := range n.decode(tt.event) {
			got = append(got, touches(list, p)...)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// File systems whose changes others make are polled often.
func TestTellsChanges(t *testing.T) {
	if tellsChanges("/proc") || tellsChanges("/nonexistent") {
		t.Error("a file system that tells nothing is trusted to tell")
	}
	var st unix.Statfs_t
	must(t, unix.Statfs(t.TempDir(), &st))
	if known := st.Type == unix.EXT4_SUPER_MAGIC || st.Type == unix.TMPFS_MAGIC || st.Type == unix.OVERLAYFS_SUPER_MAGIC || st.Type == unix.XFS_SUPER_MAGIC; known && !tellsChanges(t.TempDir()) {
		t.Error("a local disk is polled")
	}
}
