package ticket

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Headers of a webhook.
const (
	HeaderKey       = "Idempotency-Key"
	HeaderTimestamp = "Picket-Timestamp" // Unix seconds when this attempt was signed
	HeaderSignature = "Picket-Signature" // "v1=" and the HMAC in hexadecimal
	HeaderEvent     = "Picket-Event"
)

// ReplayWindow is how old or new a timestamp may be for a receiver.
const ReplayWindow = 5 * time.Minute

// webhook posts signed JSON.
type webhook struct{ Hook }

// Sign is "v1=" and the HMAC-SHA256 with the secret over timestamp, ".", body.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify reports whether a webhook is from whoever knows the secret, and no
// more than window away from now: what a receiver has to check.
func Verify(secret, timestamp, signature string, body []byte, now time.Time, window time.Duration) error {
	if !hmac.Equal([]byte(Sign(secret, timestamp, body)), []byte(signature)) {
		return errors.New("the signature does not fit")
	}
	s, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	if d := now.Sub(time.Unix(s, 0)); d > window || d < -window {
		return errors.New("the timestamp is outside the window")
	}
	return nil
}

// Send posts the message. The receiver may answer with
// {"ticket":{"id":"…","url":"https://…"}}, which is shown on the activity.
func (h *webhook) Send(ctx context.Context, m *Message) (Ref, error) {
	body, err := json.Marshal(struct {
		Version int    `json:"version"`
		Event   string `json:"event"`
		*Message
	}{1, "remediation." + m.Event, m})
	if err != nil {
		return Ref{}, fmt.Errorf("encode message: %w", err)
	}
	a, err := h.post(ctx, m.Key, "remediation."+m.Event, body)
	if err != nil {
		return Ref{}, err
	}
	var in struct {
		Ticket struct{ ID, URL string } `json:"ticket"`
	}
	if json.Unmarshal(a.body, &in) != nil { // any answer is fine
		return Ref{}, nil
	}
	return Ref{ID: cut(in.Ticket.ID, 200), URL: safeLink(in.Ticket.URL)}, nil
}

// safeLink is an address that a console may link to, else "".
func safeLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2000 || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// State of a webhook is not known.
func (h *webhook) State(context.Context, string, string) (State, error) { return State{}, ErrNoState }

// Test posts a message with the event remediation.test.
func (h *webhook) Test(ctx context.Context, m *Message) error {
	_, err := h.Send(ctx, m)
	return err
}
