package simulate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// ErrState says that the directory of the devices' keys cannot be used as it is.
var ErrState = errors.New("directory of the simulated devices")

// book is what simulated devices keep between runs, in one directory:
//
//	fleet.json  seed, first start and age of the fleet
//	devices     one line of slotSize bytes per device: key, certificate, nonce
//	lock        held while they run
//
// Lines have one length, so that a device's is replaced in its place. Safe for
// concurrent use by different devices.
type book struct {
	dir  string
	f    *os.File
	lock *os.File
}

const (
	slotSize  = 1 << 10
	fleetFile = "fleet.json"
)

// fleetState is fleet.json.
type fleetState struct {
	Seed  uint64        `json:"seed"`
	Start time.Time     `json:"start"` // when the devices were first there
	Tick  time.Duration `json:"tick"`  // length of a simulated day at that time, in nanoseconds
	Age   float64       `json:"age"`   // simulated days that have passed
}

// openBook opens a directory, making it (0700) when it does not exist. state is
// what a new fleet begins with, and becomes what an old one had.
func openBook(dir string, state *fleetState) (_ *book, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	case !info.IsDir() || info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%w: %q is not a directory that only its owner can enter (mode 0700)", ErrState, dir)
	}
	b := &book{dir: dir}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrState, errors.Join(err, b.close()))
		}
	}()
	if b.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(b.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("%q is in use by another simulation, or cannot be locked: %w", dir, err)
	}
	if b.f, err = os.OpenFile(filepath.Join(dir, "devices"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	return b, b.begin(state)
}

// begin reads fleet.json, or writes it.
func (b *book) begin(state *fleetState) error {
	raw, err := os.ReadFile(filepath.Join(b.dir, fleetFile))
	if errors.Is(err, fs.ErrNotExist) {
		return b.note(*state)
	}
	if err != nil {
		return err
	}
	var old fleetState
	if err := json.Unmarshal(raw, &old); err != nil || old.Tick <= 0 || old.Age < 0 {
		return fmt.Errorf("%s is not readable (%v): remove the directory to start with new devices", fleetFile, err)
	}
	if old.Seed != state.Seed {
		return fmt.Errorf("%q holds devices of seed %d, not %d: give that seed or another directory", b.dir, old.Seed, state.Seed)
	}
	*state = old
	return nil
}

// note writes fleet.json, all or nothing.
func (b *book) note(state fleetState) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return err
	}
	path := filepath.Join(b.dir, fleetFile)
	if err := os.WriteFile(path+".tmp", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

func (b *book) close() error {
	var errs []error
	for _, f := range []*os.File{b.f, b.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// slot is one line of the file "devices".
type slot struct {
	Key   []byte `json:"key"` // P-256, the scalar
	Cert  []byte `json:"cert,omitempty"`
	Nonce string `json:"nonce,omitempty"`
}

// identity is the key of one simulated device and, once enrolled, its certificate.
type identity struct {
	n     int
	key   *ecdsa.PrivateKey
	id    inventory.DeviceID
	cert  []byte // DER, which takes less memory than what it says; nil: not enrolled
	nonce string // of the last session
}

// load reads the identity of device n, or makes one and writes it before it is used.
func (b *book) load(n int) (*identity, error) {
	raw := make([]byte, slotSize)
	if _, err := b.f.ReadAt(raw, int64(n)*slotSize); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: read device %d: %w", ErrState, n, err)
	}
	i := &identity{n: n}
	if raw = bytes.TrimRight(raw, "\x00"); len(raw) == 0 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make key: %w", err)
		}
		i.key = key
		if i.id, err = protocol.KeyID(key); err != nil {
			return nil, err
		}
		return i, b.save(i)
	}
	var s slot
	err := json.Unmarshal(raw, &s)
	if err == nil {
		i.key, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), s.Key)
	}
	if err == nil {
		i.id, err = protocol.KeyID(i.key)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: device %d is damaged: %w", ErrState, n, err)
	}
	i.cert, i.nonce = s.Cert, s.Nonce
	return i, nil
}

// save writes an identity in its place.
func (b *book) save(i *identity) error {
	key, err := i.key.Bytes()
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	raw, err := json.Marshal(slot{Key: key, Cert: i.cert, Nonce: i.nonce})
	if err != nil {
		return fmt.Errorf("encode device: %w", err)
	}
	if len(raw) >= slotSize {
		return fmt.Errorf("%w: device %d needs %d bytes, more than %d", ErrState, i.n, len(raw), slotSize)
	}
	line := append(raw, bytes.Repeat([]byte{' '}, slotSize-len(raw)-1)...)
	if _, err := b.f.WriteAt(append(line, '\n'), int64(i.n)*slotSize); err != nil {
		return fmt.Errorf("%w: write device %d: %w", ErrState, i.n, err)
	}
	return nil
}
