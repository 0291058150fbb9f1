package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/syslog"
	"github.com/picketsec/picket/internal/ticket"
)

// ForwardConfig is how a receiver of events is reached. Nothing in it is secret.
type ForwardConfig struct {
	URL  string `json:"url,omitempty" maxLength:"2000" doc:"Of a webhook."`
	Host string `json:"host,omitempty" maxLength:"255" doc:"Of a syslog receiver."`
	Port int    `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Of a syslog receiver; 0 is 6514 with TLS, else 601."`
	TLS  bool   `json:"tls,omitempty" doc:"Syslog over TLS."`
	CA   string `json:"ca,omitempty" maxLength:"65536" doc:"Certificates (PEM) that vouch for a syslog receiver; empty: the system's."`
}

// ForwardInput is a receiver of events as it is entered.
type ForwardInput struct {
	Kind    string        `json:"kind" enum:"webhook,syslog"`
	Name    string        `json:"name" maxLength:"100"`
	Enabled bool          `json:"enabled"`
	Classes []string      `json:"classes" maxItems:"10" doc:"exposure: the event timeline; audit: the audit log."`
	Config  ForwardConfig `json:"config"`
	Secret  string        `json:"secret,omitempty" maxLength:"1000" doc:"Signing key of a webhook; empty: as it was."`
}

// ForwardRow is a receiver of events, and how it does.
type ForwardRow struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind" enum:"webhook,syslog"`
	Name      string        `json:"name"`
	Enabled   bool          `json:"enabled"`
	Classes   []string      `json:"classes"`
	Config    ForwardConfig `json:"config"`
	HasSecret bool          `json:"has_secret"`
	Updated   time.Time     `json:"updated_at"`
	UpdatedBy string        `json:"updated_by"`
	Sent      int64         `json:"sent"`
	Waiting   int64         `json:"waiting"`
	Dropped   int64         `json:"dropped" doc:"Events that it never got, because too many waited or they were too old."`
	LastSent  *time.Time    `json:"last_sent"`
	Attempts  int           `json:"attempts" doc:"That failed since the last success."`
	NextAt    *time.Time    `json:"next_at"`
	Error     string        `json:"error"`
	Mend      string        `json:"mend"`
}

// Forwards lists the receivers of events.
func (s *Server) Forwards(ctx context.Context, c Caller) ([]ForwardRow, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return nil, err
	}
	list, err := s.st.Forwards(ctx)
	if err != nil {
		return nil, err
	}
	out := []ForwardRow{}
	for i := range list {
		f := &list[i]
		r := ForwardRow{ID: f.ID, Kind: f.Kind, Name: f.Name, Enabled: f.Enabled, Classes: f.Classes, HasSecret: len(f.Secret) > 0, Updated: f.Updated, UpdatedBy: f.By,
			Sent: f.Sent, Dropped: f.Dropped, LastSent: timeOrNil(f.LastSent), Attempts: f.Attempts, NextAt: timeOrNil(f.Next), Error: f.Error, Mend: f.Mend}
		if err := json.Unmarshal(f.Config, &r.Config); err != nil {
			return nil, fmt.Errorf("settings of receiver %s: %w", f.ID, err)
		}
		if f.Enabled {
			if _, r.Waiting, err = s.st.Outgoing(ctx, f.Cursor, f.Classes, 0); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// PutForward stores a receiver of events; id "" makes a new one, which gets
// what happens from now on. The signing key is sealed and never told again;
// when it goes to another address it must be entered again.
func (s *Server) PutForward(ctx context.Context, c Caller, id string, in ForwardInput) (ForwardRow, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return ForwardRow{}, err
	}
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" || len(in.Name) > 100 {
		return ForwardRow{}, Invalidf("name", "must have 1 to 100 characters")
	}
	slices.Sort(in.Classes)
	in.Classes = slices.Compact(in.Classes)
	if len(in.Classes) == 0 || slices.ContainsFunc(in.Classes, func(k string) bool { return !slices.Contains(forwardClasses, k) }) {
		return ForwardRow{}, Invalidf("classes", "must be at least one of %s", strings.Join(forwardClasses, ", "))
	}
	f := store.Forward{ID: newID(), Kind: in.Kind, Name: in.Name, Enabled: in.Enabled, Classes: in.Classes, Updated: time.Now().UTC(), By: c.Name}
	secret := in.Secret
	var was any // no settings are noted: addresses may hold secrets
	if id != "" {
		old, err := s.forwardByID(ctx, id)
		if err != nil {
			return ForwardRow{}, err
		}
		if old.Kind != f.Kind {
			return ForwardRow{}, Invalidf("kind", "cannot be changed: add another receiver")
		}
		f.ID = old.ID
		was = map[string]any{"name": old.Name, "kind": old.Kind, "enabled": old.Enabled, "classes": old.Classes}
		if secret == "" {
			if secret, err = s.keptForwardSecret(&old, &in.Config); err != nil {
				return ForwardRow{}, err
			}
		}
	}
	var err error
	if f.Config, err = json.Marshal(in.Config); err != nil {
		return ForwardRow{}, fmt.Errorf("encode settings: %w", err)
	}
	if f.Secret, err = s.tickets.vault.seal("forward:"+f.ID, secret); err != nil {
		return ForwardRow{}, fmt.Errorf("seal secret: %w", err)
	}
	to, err := s.newForwarder(&f)
	if err != nil {
		return ForwardRow{}, err
	}
	_ = to.close() // it was made to be checked
	audit.Change(ctx, f.ID, was, map[string]any{"name": f.Name, "kind": f.Kind, "enabled": f.Enabled, "classes": f.Classes})
	if err := s.st.PutForward(ctx, f, maxForwards); errors.Is(err, store.ErrFull) {
		return ForwardRow{}, Invalidf("name", "there are %d receivers already, which is the most", maxForwards)
	} else if err != nil {
		return ForwardRow{}, err
	}
	s.log.InfoContext(ctx, "receiver of events stored", "receiver", f.ID, "kind", f.Kind, "by", c.Name)
	s.forward.wake()
	rows, err := s.Forwards(ctx, c)
	for _, r := range rows {
		if r.ID == f.ID {
			return r, err
		}
	}
	return ForwardRow{}, errors.Join(err, fmt.Errorf("receiver %q: %w", f.ID, ErrNotFound))
}

// keptForwardSecret is the signing key that is there, as long as it goes to the same place.
func (s *Server) keptForwardSecret(old *store.Forward, now *ForwardConfig) (string, error) {
	var was ForwardConfig
	if err := json.Unmarshal(old.Config, &was); err != nil {
		return "", fmt.Errorf("settings of receiver %s: %w", old.ID, err)
	}
	if len(old.Secret) > 0 && was.URL != now.URL {
		return "", Invalidf("secret", "must be entered again because the address changed")
	}
	return s.tickets.vault.unseal("forward:"+old.ID, old.Secret)
}

func (s *Server) forwardByID(ctx context.Context, id string) (store.Forward, error) {
	list, err := s.st.Forwards(ctx)
	for _, f := range list {
		if f.ID == id {
			return f, err
		}
	}
	return store.Forward{}, errors.Join(err, fmt.Errorf("receiver %q: %w", id, ErrNotFound))
}

// RemoveForward forgets a receiver and its key; what waits for it is given up.
func (s *Server) RemoveForward(ctx context.Context, c Caller, id string) error {
	if err := s.need(c, ManageSettings); err != nil {
		return err
	}
	f, err := s.forwardByID(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"name": f.Name, "kind": f.Kind, "classes": f.Classes}, nil)
	if err := notFound(s.st.DeleteForward(ctx, id)); err != nil {
		return err
	}
	s.forward.forget(id)
	s.forward.wake()
	s.log.InfoContext(ctx, "receiver of events removed", "receiver", id, "by", c.Name)
	return nil
}

// TestForward sends a test event to a receiver now.
func (s *Server) TestForward(ctx context.Context, c Caller, id string) (TestResult, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return TestResult{}, err
	}
	f, err := s.forwardByID(ctx, id)
	if err != nil {
		return TestResult{}, err
	}
	to, err := s.newForwarder(&f)
	if err == nil {
		doc := s.ecs("test", "picket-test-"+messageKey(), time.Now().UTC(), "Test of event forwarding, asked for by "+c.Name)
		raw, jsonErr := json.Marshal(doc)
		if jsonErr != nil {
			return TestResult{}, jsonErr
		}
		try, cancel := context.WithTimeout(ctx, forwardTime)
		defer cancel()
		err = errors.Join(to.forward(try, "test-"+messageKey(), []json.RawMessage{raw}, syslog.Notice), to.close())
	}
	if err != nil {
		what, mend := explainForward(err)
		return TestResult{Text: what, Mend: mend}, nil
	}
	text := "The test event was taken."
	if f.Kind == "syslog" {
		text = "The test event was written; syslog has no acknowledgement, so look for it at the receiver."
	}
	return TestResult{OK: true, Text: text}, nil
}

// newForwarder makes the sender of a receiver.
func (s *Server) newForwarder(f *store.Forward) (forwarder, error) {
	var cfg ForwardConfig
	if err := json.Unmarshal(f.Config, &cfg); err != nil {
		return nil, fmt.Errorf("settings of receiver %s: %w", f.ID, err)
	}
	switch f.Kind {
	case "webhook":
		secret, err := s.tickets.vault.unseal("forward:"+f.ID, f.Secret)
		if err != nil {
			return nil, err
		}
		hook, err := ticket.NewHook(cfg.URL, secret, ticket.Options{Roots: s.tickets.roots, Proxy: http.ProxyFromEnvironment})
		var field *ticket.FieldError
		if errors.As(err, &field) {
			return nil, Invalidf(field.Field, "%s", field.Message)
		}
		return hookForwarder{hook}, err
	case "syslog":
		w, err := syslogOf(&cfg)
		return syslogForwarder{w}, err
	}
	return nil, Invalidf("kind", "%q is not one of webhook, syslog", f.Kind)
}

func syslogOf(cfg *ForwardConfig) (*syslog.Writer, error) {
	host := strings.TrimSpace(cfg.Host)
	if host == "" || len(host) > 255 || strings.ContainsAny(host, " /@\\\r\n\t") {
		return nil, Invalidf("host", "%q is not the name or address of a machine", cfg.Host)
	}
	opt := syslog.Options{Control: ticket.RefuseLinkLocal}
	port := cfg.Port
	if cfg.TLS {
		opt.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if cfg.CA != "" {
			opt.TLS.RootCAs = x509.NewCertPool()
			if !opt.TLS.RootCAs.AppendCertsFromPEM([]byte(cfg.CA)) {
				return nil, Invalidf("ca", "holds no certificate in PEM")
			}
		}
		if port == 0 {
			port = 6514
		}
	} else if port == 0 {
		port = 601
	}
	opt.Address = net.JoinHostPort(host, strconv.Itoa(port))
	return syslog.New(opt), nil
}

type hookForwarder struct{ hook *ticket.Hook }

func (h hookForwarder) forward(ctx context.Context, key string, events []json.RawMessage, _ int) error {
	var b bytes.Buffer
	b.WriteString(`{"version":1,"events":[`)
	for i, e := range events {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e)
	}
	b.WriteString(`]}`)
	return h.hook.Post(ctx, key, "events", b.Bytes())
}

func (h hookForwarder) close() error { return nil }

type syslogForwarder struct{ w *syslog.Writer }

func (f syslogForwarder) forward(ctx context.Context, _ string, events []json.RawMessage, worst int) error {
	list := make([]syslog.Message, len(events))
	for i, e := range events {
		var head struct {
			At    time.Time `json:"@timestamp"`
			Event struct{ Dataset string }
		}
		if err := json.Unmarshal(e, &head); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		list[i] = syslog.Message{At: head.At, Severity: worst, ID: head.Event.Dataset, Text: string(e)}
	}
	return f.w.Send(ctx, list)
}

func (f syslogForwarder) close() error { return f.w.Close() }
