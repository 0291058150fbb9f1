package server

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// vaultFile holds the key that seals secrets of other systems, 32 random bytes,
// mode 0600, beside the database: a copy of the database alone opens nothing.
const vaultFile = "secrets.key"

// vault seals secrets that the server has to use in the clear later. The key is
// made when it is first needed.
type vault struct {
	dir  string
	mu   sync.Mutex
	aead cipher.AEAD
}

// seal encrypts (AES-256-GCM); what is opened must be asked for by the same name.
func (v *vault) seal(name, secret string) ([]byte, error) {
	if secret == "" {
		return nil, nil
	}
	aead, err := v.open()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, []byte(secret), []byte(name)), nil
}

// unseal is the inverse of seal.
func (v *vault) unseal(name string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	aead, err := v.open()
	if err != nil {
		return "", err
	}
	if len(sealed) < aead.NonceSize() {
		return "", errors.New("sealed secret is damaged")
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(name))
	if err != nil {
		return "", fmt.Errorf("the secret was sealed with another %s: enter it again", vaultFile)
	}
	return string(text), nil
}

func (v *vault) open() (cipher.AEAD, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.aead != nil {
		return v.aead, nil
	}
	key, err := v.key()
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", vaultFile, err)
	}
	v.aead, err = cipher.NewGCM(block)
	return v.aead, err
}

// key reads the key, or makes it: whole and on disk, or not at all.
func (v *vault) key() ([]byte, error) {
	path := filepath.Join(v.dir, vaultFile)
	key, err := os.ReadFile(path)
	if err == nil && len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 32 bytes: put the right file back, or remove it and enter the secrets again", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	rand.Read(key)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", vaultFile, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, err
	}
	dir, err := os.Open(v.dir)
	if err != nil {
		return nil, err
	}
	return key, errors.Join(dir.Sync(), dir.Close())
}
