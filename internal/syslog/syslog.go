// Package syslog writes messages of RFC 5424 over TCP or TLS (RFC 6587 with
// octet counting, RFC 5425).
//
//	w := syslog.New(syslog.Options{Address: "siem.example:6514", TLS: &tls.Config{}})
//	err := w.Send(ctx, []syslog.Message{{At: now, ID: "exposure", Text: json}})
//
// The protocol has no acknowledgement: a message counts as sent when the
// operating system has taken it and the receiver had not closed the connection
// by then. What was under way when a connection breaks may be lost or come twice.
package syslog

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Facility and the severities that are used (RFC 5424, section 6.2.1).
const (
	facility = 13 // log audit
	Warning  = 4
	Notice   = 5
)

// MaxMessage is the most bytes of a message; what is longer is cut.
const MaxMessage = 64 << 10

// Options say where the receiver is.
type Options struct {
	Address string      // host:port
	TLS     *tls.Config // nil: plain TCP
	Host    string      // name of this machine in messages; "": its own
	App     string      // APP-NAME; "": "picket"
	Control func(network, address string) error
}

// Message is one message.
type Message struct {
	At       time.Time
	Severity int
	ID       string // MSGID
	Text     string // UTF-8
}

// Writer sends over one connection, which it opens when it is needed. It is
// safe for concurrent use; messages of one call stay together.
type Writer struct {
	opt Options

	mu   sync.Mutex // guards conn
	conn net.Conn
}

// New makes a writer; nothing is sent yet.
func New(opt Options) *Writer {
	if opt.Host == "" {
		opt.Host, _ = os.Hostname() // "-" stands for none
	}
	if opt.App == "" {
		opt.App = "picket"
	}
	return &Writer{opt: opt}
}

// Close ends the connection.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.drop()
}

func (w *Writer) drop() error {
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}

// Send writes messages in their order. On an error none may be taken for
// sent; the connection is closed and the next call opens another.
func (w *Writer) Send(ctx context.Context, list []Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && !w.alive() {
		_ = w.drop() // it is closed at the other end
	}
	if w.conn == nil {
		if err := w.open(ctx); err != nil {
			return err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	deadline := time.Now().Add(30 * time.Second)
	_ = w.conn.SetDeadline(deadline)
	var b bytes.Buffer
	for i := range list {
		text := w.format(&list[i])
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(' ')
		b.WriteString(text)
	}
	_, err := w.conn.Write(b.Bytes())
	if err == nil && !w.alive() {
		err = errors.New("the receiver closed the connection")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("send to %s: %w", w.opt.Address, err), w.drop())
	}
	return nil
}

// alive looks whether the receiver has closed: it has nothing else to say.
func (w *Writer) alive() bool {
	defer func() { _ = w.conn.SetReadDeadline(time.Time{}) }()
	var b [512]byte
	for range 8 {
		if w.conn.SetReadDeadline(time.Now().Add(10*time.Millisecond)) != nil {
			return false
		}
		_, err := w.conn.Read(b[:])
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return true
		}
		if err != nil {
			return false
		}
	}
	return true // it talks; nobody listens
}

func (w *Writer) open(ctx context.Context) error {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", w.opt.Address)
	if err != nil {
		return fmt.Errorf("reach %s: %w", w.opt.Address, err)
	}
	if w.opt.Control != nil {
		if err := w.opt.Control("tcp", conn.RemoteAddr().String()); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	if w.opt.TLS == nil {
		w.conn = conn
		return nil
	}
	cfg := w.opt.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(w.opt.Address)
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	secure := tls.Client(conn, cfg)
	hand, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := secure.HandshakeContext(hand); err != nil {
		return errors.Join(fmt.Errorf("speak TLS with %s: %w", w.opt.Address, err), conn.Close())
	}
	w.conn = secure
	return nil
}

// format is a message in the form of RFC 5424, without structured data. Control
// characters of the text are blanks: receivers take a line end for the end.
func (w *Writer) format(m *Message) string {
	severity := m.Severity
	if severity < 0 || severity > 7 {
		severity = Notice
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(m.Text, "\uFFFD"))
	out := fmt.Sprintf("<%d>1 %s %s %s %d %s - %s", facility*8+severity, m.At.UTC().Format("2006-01-02T15:04:05.000000Z"),
		word(w.opt.Host, 255), word(w.opt.App, 48), os.Getpid(), word(m.ID, 32), text)
	if len(out) > MaxMessage {
		out = strings.ToValidUTF8(out[:MaxMessage], "")
	}
	return out
}

// word is a field of the header: printable ASCII without blanks, "-" for none.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	if s = s[:min(len(s), most)]; s == "" {
		return "-"
	}
	return s
}
