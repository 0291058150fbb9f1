package rig

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"sync"
)

// Mail is an SMTP server over loopback (RFC 5321 as far as a client needs it,
// with STARTTLS, AUTH PLAIN and AUTH LOGIN) that keeps what it gets.
type Mail struct {
	Host string
	Port int

	l      net.Listener
	tls    *tls.Config // nil: none
	now    bool        // TLS from the first byte
	login  bool        // AUTH LOGIN alone
	user   string      // "": no authentication
	secret string

	mu    sync.Mutex
	got   []Mailed
	taken func()
	wg    sync.WaitGroup
	open  map[net.Conn]bool
}

// OnTaken sets what is called when a message has been taken, before that is answered.
func (m *Mail) OnTaken(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken = fn
}

// Mailed is one message that a mail server took.
type Mailed struct {
	From string
	To   []string
	TLS  bool
	User string
	Text *mail.Message
	Body string
}

// MailOptions are what a mail server asks for.
type MailOptions struct {
	TLS       *tls.Config
	Now       bool // TLS from the first byte, else STARTTLS
	LoginOnly bool
	User      string
	Password  string
}

// NewMail starts a mail server.
func NewMail(opt MailOptions) (*Mail, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &Mail{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, l: l, tls: opt.TLS, now: opt.Now, login: opt.LoginOnly, user: opt.User, secret: opt.Password, open: map[net.Conn]bool{}}
	m.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.open[c] = true
			m.mu.Unlock()
			m.wg.Go(func() {
				defer func() {
					_ = c.Close()
					m.mu.Lock()
					delete(m.open, c)
					m.mu.Unlock()
				}()
				m.talk(c)
			})
		}
	})
	return m, nil
}

// Close ends the server and its connections.
func (m *Mail) Close() {
	_ = m.l.Close()
	m.mu.Lock()
	for c := range m.open {
		_ = c.Close()
	}
	m.mu.Unlock()
	m.wg.Wait()
}

// Got are the messages so far.
func (m *Mail) Got() []Mailed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mailed{}, m.got...)
}

// talk serves one connection.
func (m *Mail) talk(c net.Conn) {
	secure := false
	if m.now {
		c, secure = tls.Server(c, m.tls), true
	}
	in := bufio.NewReader(c)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(c, format+"\r\n", args...) }
	ask := func(question string) string {
		say("334 %s", base64.StdEncoding.EncodeToString([]byte(question)))
		line, _ := in.ReadString('\n')
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		return string(raw)
	}
	var msg Mailed
	user := ""
	say("220 rig ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb = strings.ToUpper(verb); verb {
		case "EHLO":
			say("250-rig greets you")
			if m.tls != nil && !secure {
				say("250-STARTTLS")
			}
			if m.user != "" {
				say("250-AUTH %s", map[bool]string{true: "LOGIN", false: "PLAIN LOGIN"}[m.login])
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go ahead")
			c, secure = tls.Server(c, m.tls), true
			in = bufio.NewReader(c)
		case "AUTH":
			way, first, _ := strings.Cut(rest, " ")
			var name, word string
			if way == "PLAIN" {
				raw, _ := base64.StdEncoding.DecodeString(first)
				parts := strings.Split(string(raw)+"\x00\x00", "\x00")
				name, word = parts[1], parts[2]
			} else {
				name, word = ask("Username:"), ask("Password:")
			}
			if name != m.user || word != m.secret {
				say("535 5.7.8 Authentication credentials invalid")
				continue
			}
			user = name
			say("235 2.7.0 welcome")
		case "MAIL":
			if m.user != "" && user == "" {
				say("530 5.7.0 Authentication required")
				continue
			}
			msg = Mailed{From: rest, TLS: secure, User: user}
			say("250 ok")
		case "RCPT":
			if strings.Contains(rest, "unknown@") {
				say("550 5.1.1 no such user here")
				continue
			}
			msg.To = append(msg.To, rest)
			say("250 ok")
		case "DATA":
			say("354 end with a dot")
			text, err := dotted(in)
			if err != nil {
				return
			}
			if msg.Text, err = mail.ReadMessage(strings.NewReader(text)); err != nil {
				say("550 not a message: %v", err)
				continue
			}
			_, msg.Body, _ = strings.Cut(text, "\r\n\r\n")
			m.mu.Lock()
			m.got = append(m.got, msg)
			taken := m.taken
			m.mu.Unlock()
			if taken != nil {
				taken()
			}
			say("250 2.0.0 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// dotted reads a message up to the line with a dot alone.
func dotted(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for b.Len() < 10<<20 {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return b.String(), nil
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	return "", errors.New("too long")
}
