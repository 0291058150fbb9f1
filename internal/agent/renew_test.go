package agent

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// The agent gets a new certificate for its key when the server asks it to, and
// by itself when little of the certificate's life is left; it keeps it and
// stays the device that it was.
func TestCertificateIsRenewed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(f *fakeServer, a *agent)
	}{
		{"the server asks", func(f *fakeServer, _ *agent) {
			f.answer = func(*protocol.Deliver) []*protocol.Message { return []*protocol.Message{{Renew: &protocol.Renew{}}} } // no acknowledgement: the session goes on
		}},
		{"near its end", func(f *fakeServer, a *agent) {
			f.answer = func(*protocol.Deliver) []*protocol.Message { return []*protocol.Message{} }
			a.times.wall = func() time.Time { return time.Now().Add(30 * time.Minute) } // of an hour that was left
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeServer(t)
			state := filepath.Join(t.TempDir(), "s")
			r := newRig(t, f, state)
			r.offer(inventory.DPKG, "a")
			r.mustSync()
			id, file := r.a.ident.id, filepath.Join(state, identityFile)
			old, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			tt.prepare(f, r.a)
			f.mu.Unlock()
			r.offer(inventory.DPKG, "a", "b")
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- r.a.connect(ctx) }()
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for renewed := false; !renewed; {
				select {
				case <-tick.C:
					now, err := os.ReadFile(file)
					renewed = err == nil && !bytes.Equal(now, old)
				case err := <-done:
					t.Fatalf("no new certificate: %v", err)
				}
			}
			cancel()
			<-done
			r.a.close()
			f.mu.Lock()
			f.answer = nil
			f.mu.Unlock()
			r = newRig(t, f, state) // from the disk
			r.mustSync()
			if got := r.keys(inventory.DPKG); r.a.ident.id != id || got != "a b" {
				t.Errorf("device %s with %q, want %s", r.a.ident.id, got, id)
			}
		})
	}
}
