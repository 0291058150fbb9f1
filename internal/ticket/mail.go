package ticket

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mailer sends e-mail. The Message-ID follows from the key: a message that goes
// out twice because its acknowledgement was lost is the same message to every
// mail system that looks.
type mailer struct {
	c        Config
	password string
	roots    *x509.CertPool
}

// Ways of protecting the connection to a mail server.
const (
	tlsStart = "starttls"
	tlsNow   = "tls"
	tlsNone  = "none"
)

const mailTime = 60 * time.Second

func (c *Config) checkMail(secret string) error {
	if c.Host == "" || strings.ContainsAny(c.Host, " /:@") && net.ParseIP(c.Host) == nil {
		return wrong("host", "must be the name or address of a mail server")
	}
	if c.Port < 1 || c.Port > 65535 {
		return wrong("port", "must be from 1 to 65535, usually 587 or 465")
	}
	if !slices.Contains([]string{tlsStart, tlsNow, tlsNone}, c.TLS) {
		return wrong("tls", "must be starttls, tls or none")
	}
	if c.TLS == tlsNone && c.User != "" && !loopback(c.Host) {
		return wrong("tls", "a password would be readable on the way: choose starttls or tls, or leave user and password out")
	}
	if (c.User == "") != (secret == "") {
		return wrong("user", "user and password belong together: enter both or none")
	}
	if a, err := mail.ParseAddress(c.From); err != nil || !strings.Contains(a.Address, "@") {
		return wrong("from", "%q is not a mail address", c.From)
	}
	if len(c.To) == 0 || len(c.To) > 50 {
		return wrong("to", "must be 1 to 50 mail addresses")
	}
	for _, t := range c.To {
		if _, err := mail.ParseAddress(t); err != nil {
			return wrong("to", "%q is not a mail address", t)
		}
	}
	return nil
}

// Send hands the message to the mail server; nil means that the server has
// taken it on.
func (s *mailer) Send(ctx context.Context, m *Message) (Ref, error) {
	id := s.messageID(m.Key)
	if err := s.deliver(ctx, s.compose(m, id)); err != nil {
		return Ref{}, s.explain(err)
	}
	return Ref{ID: id}, nil
}

// State of a mail is not known.
func (s *mailer) State(context.Context, string, string) (State, error) { return State{}, ErrNoState }

// Test sends a mail that says so.
func (s *mailer) Test(ctx context.Context, m *Message) error {
	_, err := s.Send(ctx, m)
	return err
}

func (s *mailer) messageID(key string) string {
	from, _ := mail.ParseAddress(s.c.From) // checked when the destination was made
	return "<" + key + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:] + ">"
}

// compose writes the message (RFC 5322).
func (s *mailer) compose(m *Message, id string) []byte {
	var b bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("Date", m.At.UTC().Format(time.RFC1123Z))
	head("From", address(s.c.From))
	var to []string
	for _, t := range s.c.To {
		to = append(to, address(t))
	}
	head("To", strings.Join(to, ",\r\n "))
	head("Subject", mime.QEncoding.Encode("utf-8", cut("[Picket] "+m.fullTitle(), 200)))
	head("Message-ID", id)
	if m.Thread != "" && m.Thread != m.Key {
		head("In-Reply-To", s.messageID(m.Thread))
		head("References", s.messageID(m.Thread))
	}
	head("Auto-Submitted", "auto-generated")
	head("X-Picket-Activity", cut(m.ID, 100))
	head("MIME-Version", "1.0")
	head("Content-Type", "text/plain; charset=utf-8")
	head("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(w, strings.ReplaceAll(m.text(), "\n", "\r\n")) // into memory
	_ = w.Close()
	return b.Bytes()
}

func address(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return ""
	}
	return a.String()
}

// deliver speaks SMTP.
func (s *mailer) deliver(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	at := net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port))
	conn, err := (&net.Dialer{Timeout: 10 * time.Second, Control: refuseLinkLocal}).DialContext(ctx, "tcp", at)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that cannot have one fails at the next step
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	conn = &boundedConn{Conn: conn, left: maxAnswer}
	conf := &tls.Config{ServerName: s.c.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if s.c.TLS == tlsNow {
		conn = tls.Client(conn, conf)
	}
	c, err := smtp.NewClient(conn, s.c.Host)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if s.c.TLS == tlsStart {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return &Error{What: "The mail server offers no STARTTLS.", Mend: "Choose TLS (usually port 465), or another port."}
		}
		if err := c.StartTLS(conf); err != nil {
			return err
		}
	}
	if s.c.User != "" {
		if err := c.Auth(s.auth(c)); err != nil {
			return err
		}
	}
	from, _ := mail.ParseAddress(s.c.From) // checked when the destination was made
	if err := c.Mail(from.Address); err != nil {
		return err
	}
	for _, t := range s.c.To {
		to, _ := mail.ParseAddress(t)
		if err := c.Rcpt(to.Address); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil { // the server answers here
		return err
	}
	_ = c.Quit() // the message is theirs
	return nil
}

// auth is PLAIN where the server has it, else LOGIN.
func (s *mailer) auth(c *smtp.Client) smtp.Auth {
	if _, ways := c.Extension("AUTH"); strings.Contains(" "+ways+" ", " PLAIN ") || !strings.Contains(ways, "LOGIN") {
		return smtp.PlainAuth("", s.c.User, s.password, s.c.Host)
	}
	return &loginAuth{user: s.c.User, password: s.password, host: s.c.Host}
}

// loginAuth is the mechanism LOGIN, over TLS or to this machine alone.
type loginAuth struct{ user, password, host string }

// Start begins.
func (l *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS && !loopback(l.host) {
		return "", nil, errors.New("the connection is not encrypted")
	}
	return "LOGIN", nil, nil
}

// Next answers the server's questions.
func (l *loginAuth) Next(question []byte, more bool) ([]byte, error) {
	switch q := strings.ToLower(string(question)); {
	case !more:
		return nil, nil
	case strings.HasPrefix(q, "user"):
		return []byte(l.user), nil
	case strings.HasPrefix(q, "pass"):
		return []byte(l.password), nil
	}
	return nil, errors.New("the server asks for something else than user and password")
}

// explain says what a mail server did not take, and how to mend it.
func (s *mailer) explain(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var said *textproto.Error
	if !errors.As(err, &said) {
		return unreachable(net.JoinHostPort(s.c.Host, strconv.Itoa(s.c.Port)), err)
	}
	words := said.Msg
	if len(s.password) >= leastRedacted { // it may say back what it was told
		words = strings.ReplaceAll(words, s.password, "[redacted]")
	}
	e := &Error{What: fmt.Sprintf("The mail server answered %d: %s", said.Code, cut(words, 300)) + ".", Mend: "Check the settings of this destination against what the mail server says."}
	switch {
	case said.Code == 535 || said.Code == 530 || said.Code == 534:
		e.Mend = "Check user and password in Settings › Ticketing: the mail server does not take them."
	case said.Code == 550 || said.Code == 553 || said.Code == 551:
		e.Mend = "Check the addresses: the mail server does not take the sender or a recipient."
	case said.Code/100 == 4:
		e.Mend = "Nothing to do if it passes: it is tried again."
	}
	return e
}

// boundedConn reads at most left bytes in all.
type boundedConn struct {
	net.Conn
	left int
}

// Read hands on what is within the bound.
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the server talks too much")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
