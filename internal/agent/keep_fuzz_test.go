package agent

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// FuzzKept reads damaged files of the state directory: kept content that can be
// read is of the section that the file is for, and no key is made up.
func FuzzKept(f *testing.F) {
	sec := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	sec.Put("a", inventory.Package{Name: "a", Version: "1"})
	sec.Seal()
	raw, err := json.Marshal(sec)
	if err != nil {
		f.Fatal(err)
	}
	packed, err := protocol.Compress(nil, raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:len(packed)/2])
	f.Add(raw)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	s, err := openState(filepath.Join(f.TempDir(), "s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.close() })
	k := &keeper{s: s}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := s.replace(sectionFile(inventory.DPKG), b); err != nil {
			t.Fatal(err)
		}
		if got, err := k.load(inventory.DPKG); err == nil {
			if got.Name != inventory.DPKG {
				t.Errorf("section %q", got.Name)
			}
			_ = got.Hash()
			_ = inventory.Diff(got, sec)
		}
		if err := s.replace("damaged.pem", b); err != nil {
			t.Fatal(err)
		}
		if id, err := loadIdentity(s, "damaged.pem"); err == nil && (id.key == nil || !id.id.Valid()) {
			t.Errorf("identity %+v", id)
		}
	})
}
