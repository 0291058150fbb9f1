package server

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/ticket"
)

// ticketDesk is what sending tickets needs besides the store.
type ticketDesk struct {
	vault *vault
	soon  chan struct{} // there may be something to send
	roots *x509.CertPool

	lease time.Duration // an attempt that has not ended by then has failed
	retry time.Duration // before the second attempt; doubled with each
	most  time.Duration // between attempts, at most
	life  time.Duration // given up after this
	poll  time.Duration // between questions about an open ticket
}

func newTicketDesk(v *vault) *ticketDesk {
	return &ticketDesk{vault: v, soon: make(chan struct{}, 1),
		lease: 2 * time.Minute, retry: 15 * time.Second, most: time.Hour, life: 7 * 24 * time.Hour, poll: 5 * time.Minute}
}

// wake lets the outbox look at once.
func (t *ticketDesk) wake() {
	select {
	case t.soon <- struct{}{}:
	default:
	}
}

// maxDestinationsEver caps how many destinations there may be.
const maxDestinationsEver = 100

func ticketKind(d *store.Destination) ticket.Kind { return ticket.Kind(d.Kind) }

// destinations are all of them by id, removed ones included.
func (s *Server) destinations(ctx context.Context) (map[string]store.Destination, error) {
	list, err := s.st.Destinations(ctx)
	if err != nil {
		return nil, fmt.Errorf("read destinations: %w", err)
	}
	out := make(map[string]store.Destination, len(list))
	for _, d := range list {
		out[d.ID] = d
	}
	return out, nil
}

// checkDestinations refuses destinations that a request cannot go to.
func (s *Server) checkDestinations(ctx context.Context, ids []string) error {
	if len(ids) > maxDestinations {
		return Invalidf("destinations", "must be at most %d", maxDestinations)
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if d, ok := dests[id]; !ok || d.Removed || !d.Enabled || seen[id] {
			return Invalidf("destinations", "%q is not a destination that is turned on, or is named twice", id)
		}
		seen[id] = true
	}
	return nil
}

// open makes the destination that sends.
func (t *ticketDesk) open(d *store.Destination) (ticket.Destination, error) {
	var c ticket.Config
	if err := json.Unmarshal(d.Config, &c); err != nil {
		return nil, fmt.Errorf("settings of destination %s: %w", d.ID, err)
	}
	secret, err := t.vault.unseal("ticket:"+d.ID, d.Secret)
	if err != nil {
		return nil, err
	}
	return ticket.New(ticketKind(d), c, secret, ticket.Options{Roots: t.roots, Proxy: http.ProxyFromEnvironment})
}

// Destinations lists the places for tickets, for Settings › Ticketing.
func (s *Server) Destinations(ctx context.Context, caller Caller) ([]DestinationRow, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return nil, err
	}
	list, err := s.st.Destinations(ctx)
	if err != nil {
		return nil, fmt.Errorf("read destinations: %w", err)
	}
	counts, err := s.st.DeliveryCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	out := []DestinationRow{}
	for i := range list {
		if d := &list[i]; !d.Removed {
			n := counts[d.ID]
			row := DestinationRow{ID: d.ID, Kind: ticketKind(d), Name: d.Name, Enabled: d.Enabled, HasSecret: len(d.Secret) > 0, Updated: d.Updated, UpdatedBy: d.By,
				Pending: n.Pending, Failing: n.Failing, Sent: n.Sent, Dead: n.Dead}
			if err := json.Unmarshal(d.Config, &row.Config); err != nil {
				return nil, fmt.Errorf("settings of destination %s: %w", d.ID, err)
			}
			out = append(out, row)
		}
	}
	return out, nil
}

// PutDestination stores a place for tickets; id "" makes a new one. The secret
// is sealed and never told again. When it goes to another address it must be
// entered again: who may change settings must not be able to have it sent to himself.
func (s *Server) PutDestination(ctx context.Context, caller Caller, id string, in DestinationInput) (DestinationRow, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return DestinationRow{}, err
	}
	in.Name = strings.TrimSpace(in.Name)
	if in.Name == "" || len(in.Name) > 100 {
		return DestinationRow{}, Invalidf("name", "must have 1 to 100 characters")
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return DestinationRow{}, err
	}
	now := time.Now().UTC()
	d := store.Destination{ID: newID(), Kind: string(in.Kind), Name: in.Name, Enabled: in.Enabled, Created: now, Updated: now, By: caller.Name}
	secret := in.Secret
	var was any // no settings are noted: addresses may hold secrets
	if id != "" {
		old, ok := dests[id]
		if !ok || old.Removed {
			return DestinationRow{}, fmt.Errorf("destination %q: %w", id, ErrNotFound)
		}
		if old.Kind != d.Kind {
			return DestinationRow{}, Invalidf("kind", "cannot be changed: add another destination")
		}
		d.ID, d.Created = old.ID, old.Created
		was = map[string]any{"name": old.Name, "kind": old.Kind, "enabled": old.Enabled}
		if secret == "" {
			if secret, err = s.keptSecret(&old, &in.Config); err != nil {
				return DestinationRow{}, err
			}
		}
	} else if len(dests) >= maxDestinationsEver {
		return DestinationRow{}, Invalidf("name", "there are %d destinations already, which is the most", maxDestinationsEver)
	}
	if _, err := ticket.New(in.Kind, in.Config, secret, ticket.Options{}); err != nil {
		var f *ticket.FieldError
		if errors.As(err, &f) {
			return DestinationRow{}, Invalidf(f.Field, "%s", f.Message)
		}
		return DestinationRow{}, err
	}
	if d.Config, err = json.Marshal(in.Config); err != nil {
		return DestinationRow{}, fmt.Errorf("encode settings: %w", err)
	}
	if d.Secret, err = s.tickets.vault.seal("ticket:"+d.ID, secret); err != nil {
		return DestinationRow{}, fmt.Errorf("seal secret: %w", err)
	}
	audit.Change(ctx, d.ID, was, map[string]any{"name": d.Name, "kind": d.Kind, "enabled": d.Enabled})
	if err := s.st.PutDestination(ctx, d); err != nil {
		return DestinationRow{}, err
	}
	s.log.InfoContext(ctx, "ticket destination stored", "destination", d.ID, "kind", d.Kind, "by", caller.Name)
	s.tickets.wake()
	rows, err := s.Destinations(ctx, caller)
	if err != nil {
		return DestinationRow{}, err
	}
	for _, r := range rows {
		if r.ID == d.ID {
			return r, nil
		}
	}
	return DestinationRow{}, fmt.Errorf("destination %q: %w", d.ID, ErrNotFound)
}

// keptSecret is the secret that is there, as long as it goes to the same place.
func (s *Server) keptSecret(old *store.Destination, now *ticket.Config) (string, error) {
	var was ticket.Config
	if err := json.Unmarshal(old.Config, &was); err != nil {
		return "", fmt.Errorf("settings of destination %s: %w", old.ID, err)
	}
	if was.User != "" && now.User == "" && ticketKind(old) == ticket.Email {
		return "", nil // no password without a user
	}
	if len(old.Secret) > 0 && (was.URL != now.URL || was.Host != now.Host || was.Port != now.Port || was.TLS != now.TLS || was.User != now.User) {
		return "", Invalidf("secret", "must be entered again because the address or the user changed")
	}
	return s.tickets.vault.unseal("ticket:"+old.ID, old.Secret)
}

// RemoveDestination forgets a place for tickets and its secret. Activities keep
// what was sent; what still waits is given up.
func (s *Server) RemoveDestination(ctx context.Context, caller Caller, id string) error {
	if err := s.need(caller, ManageSettings); err != nil {
		return err
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return err
	}
	if d, ok := dests[id]; ok {
		audit.Change(ctx, id, map[string]any{"name": d.Name, "kind": d.Kind, "enabled": d.Enabled}, nil)
	}
	if err := s.st.RemoveDestination(ctx, id, caller.Name, time.Now().UTC()); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("destination %q: %w", id, ErrNotFound)
		}
		return err
	}
	s.log.InfoContext(ctx, "ticket destination removed", "destination", id, "by", caller.Name)
	for _, a := range s.core.remediations.all() {
		if a.tickets == "pending" || a.tickets == "failing" {
			s.summarise(ctx, a.ID)
		}
	}
	s.remediationChanged("")
	return nil
}

// TestDestination tries a place for tickets: trackers are asked about the
// project, a webhook and a mail server get a test message.
func (s *Server) TestDestination(ctx context.Context, caller Caller, id string) (TestResult, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return TestResult{}, err
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return TestResult{}, err
	}
	d, ok := dests[id]
	if !ok || d.Removed {
		return TestResult{}, fmt.Errorf("destination %q: %w", id, ErrNotFound)
	}
	to, err := s.tickets.open(&d)
	if err == nil {
		err = to.Test(ctx, &ticket.Message{Key: messageKey(), Event: "test", Title: "Test", Steps: []string{}, By: caller.Name, Link: s.opt.PublicURL, At: time.Now().UTC()})
	}
	if err != nil {
		what, mend := explainTicket(err)
		return TestResult{Text: what, Mend: mend}, nil
	}
	text := "The test message was taken."
	if ticketKind(&d).PollsState() {
		text = "The ticket system answers, and the project is there. Nothing was created."
	}
	return TestResult{OK: true, Text: text}, nil
}

// messageKey names a message for ever.
func messageKey() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// explainTicket says what did not work and how to mend it.
func explainTicket(err error) (what, mend string) {
	var e *ticket.Error
	if errors.As(err, &e) {
		return e.What, e.Mend
	}
	return err.Error(), "Look at the settings under Settings › Ticketing."
}

// delivery makes the message of an event for one destination.
func (s *Server) delivery(a *activity, destination, event, thread, by string, at time.Time, p RemediationProgress) (store.Delivery, error) {
	m := ticket.Message{Key: messageKey(), Thread: thread, Event: event, ID: a.ID, Title: a.Title, Description: a.spec.Description, Steps: append([]string{}, a.spec.Steps...), Type: a.Type,
		Component: a.spec.Component, Priority: a.Priority, Due: a.Due, Notes: a.Notes, By: by, Targets: p.Targets, Fixed: p.Fixed, At: at}
	if thread == "" {
		m.Thread = m.Key
	}
	if s.opt.PublicURL != "" {
		m.Link = strings.TrimRight(s.opt.PublicURL, "/") + "/remediation?open=" + a.ID
	}
	body, err := json.Marshal(m)
	if err != nil {
		return store.Delivery{}, fmt.Errorf("encode message: %w", err)
	}
	return store.Delivery{Key: m.Key, Destination: destination, Event: event, Body: body, State: "pending", Created: at, Next: at, Until: at.Add(s.tickets.life)}, nil
}
