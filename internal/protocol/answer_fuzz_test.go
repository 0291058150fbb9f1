package protocol

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"testing"
	"time"
)

// FuzzAnswers reads what a server answers to an enrolment: nothing of it is
// taken for a certificate of the agent's authority, and no reason is longer
// than a log takes.
func FuzzAnswers(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	id, err := KeyID(key)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Now()
	root := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Add([]byte(`{"code":"token","reason":"used up"}`))
	f.Add([]byte(`{"code":"busy","reason":"` + string(bytes.Repeat([]byte("x"), 4000)) + `"}`))
	f.Add([]byte(`{"code":[],"reason":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if cert, err := CheckIssued(string(b), id, x509.NewCertPool(), now); err == nil {
			t.Errorf("a certificate of nobody was taken: %v", cert.Subject)
		}
		err := ReadRefusal(&http.Response{StatusCode: 403, Body: io.NopCloser(bytes.NewReader(b))})
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("refusal %v", err)
		}
		if refused, ok := errors.AsType[*RefusedError](err); ok && (refused.Code == "" || refused.Code == RefusedBusy) {
			t.Errorf("refused with code %q", refused.Code)
		}
	})
}

// What is worth it travels compressed, what is short does not.
func TestMessagesAreCompressed(t *testing.T) {
	for _, tt := range []struct {
		reason string
		coding byte
	}{{"short", codingPlain}, {string(bytes.Repeat([]byte("the same words again "), 500)), codingZstd}} {
		frame, err := Encode(&Message{Fork: &Fork{Reason: tt.reason}})
		if err != nil {
			t.Fatal(err)
		}
		if frame[0] != tt.coding || tt.coding == codingZstd && len(frame) > len(tt.reason)/10 {
			t.Errorf("%d bytes travel as %d with coding %d, want coding %d", len(tt.reason), len(frame), frame[0], tt.coding)
		}
	}
}
