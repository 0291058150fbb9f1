package syslog

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// receiver takes frames of RFC 6587, octet counted.
type receiver struct {
	ln    net.Listener
	lines chan string
	conns chan net.Conn
}

func newReceiver(t *testing.T, cfg *tls.Config) *receiver {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		ln = tls.NewListener(ln, cfg)
	}
	r := &receiver{ln: ln, lines: make(chan string, 100), conns: make(chan net.Conn, 10)}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.conns <- c
			go r.read(c)
		}
	}()
	return r
}

func (r *receiver) read(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		head, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSpace(head))
		if err != nil {
			r.lines <- "no count: " + head
			return
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		r.lines <- string(text)
	}
}

func (r *receiver) next(t *testing.T) string {
	t.Helper()
	select {
	case l := <-r.lines:
		return l
	case <-time.After(20 * time.Second):
		t.Fatal("no message")
	}
	return ""
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

func TestMessagesAreRFC5424(t *testing.T) {
	r := newReceiver(t, nil)
	w := New(Options{Address: r.ln.Addr().String(), Host: "pick et\n", App: "picket"})
	defer func() { _ = w.Close() }()
	err := w.Send(t.Context(), []Message{{At: at, Severity: Warning, ID: "picket.exposure", Text: "{\"a\":\"ü\n<1>1 forged\"}"}, {At: at, Severity: 99, Text: strings.Repeat("x", MaxMessage)}})
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^<108>1 2026-01-02T03:04:05\.678901Z picket picket \d+ picket\.exposure - \{"a":"ü <1>1 forged"\}$`)
	if l := r.next(t); !form.MatchString(l) {
		t.Errorf("message = %q", l)
	}
	if l := r.next(t); len(l) != MaxMessage || !strings.HasPrefix(l, "<109>1 ") || !strings.Contains(l[:80], " - - x") {
		t.Errorf("a long message has %d bytes: %.80q", len(l), l)
	}
}

func TestAConnectionThatWasClosedIsOpenedAgain(t *testing.T) {
	r := newReceiver(t, nil)
	w := New(Options{Address: r.ln.Addr().String()})
	defer func() { _ = w.Close() }()
	for n := range 3 {
		if err := w.Send(t.Context(), []Message{{At: at, Text: strconv.Itoa(n)}}); err != nil {
			t.Fatal(err)
		}
		if l := r.next(t); !strings.HasSuffix(l, " "+strconv.Itoa(n)) {
			t.Errorf("message %d = %q", n, l)
		}
		_ = (<-r.conns).Close()
		time.Sleep(20 * time.Millisecond) // until the end is here
	}
	_ = r.ln.Close()
	if err := w.Send(t.Context(), []Message{{At: at, Text: "lost"}}); err == nil {
		t.Error("sent to nobody")
	}
}

func TestTLSIsVerified(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	good := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	r := newReceiver(t, good)
	w := New(Options{Address: r.ln.Addr().String(), TLS: &tls.Config{RootCAs: pool}})
	defer func() { _ = w.Close() }()
	if err := w.Send(t.Context(), []Message{{At: at, Text: "secret"}}); err != nil {
		t.Fatal(err)
	}
	if l := r.next(t); !strings.HasSuffix(l, "secret") {
		t.Errorf("message = %q", l)
	}
	for name, cfg := range map[string]*tls.Config{"another authority": {RootCAs: x509.NewCertPool()}, "another name": {RootCAs: pool, ServerName: "siem.example"}} {
		if err := New(Options{Address: r.ln.Addr().String(), TLS: cfg}).Send(t.Context(), []Message{{At: at, Text: "x"}}); err == nil {
			t.Errorf("%s is trusted", name)
		}
	}
	old := newReceiver(t, &tls.Config{Certificates: good.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := New(Options{Address: old.ln.Addr().String(), TLS: &tls.Config{RootCAs: pool}}).Send(t.Context(), []Message{{At: at, Text: "x"}}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never reads
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var list []Message
	for range 1000 {
		list = append(list, Message{At: at, Text: strings.Repeat("x", 60<<10)})
	}
	w := New(Options{Address: ln.Addr().String()})
	defer func() { _ = w.Close() }()
	begun := time.Now()
	if err := w.Send(ctx, list); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}
