// Package audit is the record of decisions and changes: who did what, on which
// object, from where, with which outcome. Entries form a chain: each is hashed
// together with the hash of the one before, so that none can be changed, taken
// out or put in between without every later hash telling.
//
//	ctx = audit.With(ctx, &audit.Draft{Entry: audit.Entry{Actor: "alice", Action: "set-device-value"}})
//	// the transaction of the change stores the entry; see store.Store
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Kind says what an actor is.
type Kind string

// The kinds of actors.
const (
	Person      Kind = "person"      // signed in to the console
	Application Kind = "application" // with a token
	Local       Kind = "local"       // at the admin socket
	Agent       Kind = "agent"       // of a device, or one that becomes a device
	Nobody      Kind = "nobody"      // not known: signing in
)

// Outcome says how a request ended.
type Outcome string

// The outcomes.
const (
	Done   Outcome = "done"
	Denied Outcome = "denied" // the caller may not, or is not who it says
	Failed Outcome = "failed" // not possible, or broken
)

// Caps of what an entry takes; what is longer is cut, Detail is left out.
const (
	mostText   = 500
	mostDetail = 16 << 10
)

// Entry is one line of the log. Secrets are never in it.
type Entry struct {
	Seq     int64           `json:"seq"` // from 1, without a gap
	At      time.Time       `json:"at"`  // UTC, to the microsecond
	Kind    Kind            `json:"kind"`
	Actor   string          `json:"actor"`            // name of the person or application
	ActorID string          `json:"actor_id"`         // what the name may not tell apart
	Remote  string          `json:"remote,omitempty"` // address it came from
	Action  string          `json:"action"`           // operation of the API, or command
	Object  string          `json:"object,omitempty"` // id of what it is about
	Outcome Outcome         `json:"outcome"`
	Status  int             `json:"status,omitempty"`  // of the answer, where there is one
	Request string          `json:"request,omitempty"` // id of the request, as X-Request-Id told it
	Detail  json.RawMessage `json:"detail,omitempty"`  // what changed, or was to change: {"before": …, "after": …}
	// NotListed counts requests before this one, refused or repeated by agents, that have no entry of their own.
	NotListed int `json:"not_listed,omitempty"`
}

// Hash is a link of the chain: SHA-256 over the hash before it and the record.
type Hash [sha256.Size]byte

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Seal encodes an entry and links it to the hash before it, which is zero for the first.
func Seal(e *Entry, before Hash) (record []byte, h Hash, err error) {
	for _, text := range []*string{&e.Actor, &e.ActorID, &e.Remote, &e.Action, &e.Object, &e.Request} {
		if len(*text) > mostText {
			*text = string(bytes.ToValidUTF8([]byte((*text)[:mostText]), nil))
		}
	}
	if len(e.Detail) > mostDetail {
		e.Detail = json.RawMessage(`{"left_out":"larger than 16 KiB"}`)
	}
	if record, err = json.Marshal(e); err != nil {
		return nil, Hash{}, fmt.Errorf("encode audit entry: %w", err)
	}
	return record, link(before, record), nil
}

func link(before Hash, record []byte) (h Hash) {
	d := sha256.New()
	d.Write(before[:])
	d.Write(record)
	d.Sum(h[:0])
	return h
}

// ErrBroken says that the chain does not hold.
var ErrBroken = errors.New("the audit log was changed")

// Checker follows a chain from its beginning. The zero Checker is ready.
type Checker struct {
	Seq  int64 // of the last entry that holds
	Head Hash
}

// Next takes the next record with the hash that is stored beside it. An error
// is ErrBroken and says where; the chain is not to be followed further.
func (c *Checker) Next(record []byte, stored []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(record, &e); err != nil {
		return Entry{}, fmt.Errorf("entry %d cannot be read (%w): %w", c.Seq+1, err, ErrBroken)
	}
	if e.Seq != c.Seq+1 {
		return Entry{}, fmt.Errorf("entry %d follows entry %d: %w", e.Seq, c.Seq, ErrBroken)
	}
	h := link(c.Head, record)
	if !bytes.Equal(h[:], stored) {
		return Entry{}, fmt.Errorf("entry %d of %s by %s does not fit its hash: %w", e.Seq, e.At.Format(time.RFC3339), e.Actor, ErrBroken)
	}
	c.Seq, c.Head = e.Seq, h
	return e, nil
}

// Draft is an entry under way with its request. It is stored with the first
// change that the request makes, in the same transaction.
type Draft struct {
	mu     sync.Mutex
	entry  Entry
	stored bool
}

// NewDraft starts an entry.
func NewDraft(e Entry) *Draft { return &Draft{entry: e} }

// Edit changes the entry, unless it is stored already.
func (d *Draft) Edit(fn func(*Entry)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stored {
		fn(&d.entry)
	}
}

// Take hands out the entry to be stored, ok false when it is stored already.
// back undoes that, for a transaction that fails.
func (d *Draft) Take() (e Entry, back func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stored {
		return d.entry, nil, false
	}
	d.stored = true
	return d.entry, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.stored = false
	}, true
}

type draftKey struct{}

// With returns a context that carries a draft.
func With(ctx context.Context, d *Draft) context.Context {
	return context.WithValue(ctx, draftKey{}, d)
}

// From is the draft that a context carries, nil when there is none.
func From(ctx context.Context) *Draft {
	d, _ := ctx.Value(draftKey{}).(*Draft)
	return d
}

// Change notes what an object was and is with the draft of a context. before
// and after are encoded as JSON; nil leaves one out. They must hold no secrets.
func Change(ctx context.Context, object string, before, after any) {
	d := From(ctx)
	if d == nil {
		return
	}
	change := map[string]any{}
	if before != nil {
		change["before"] = before
	}
	if after != nil {
		change["after"] = after
	}
	raw, err := json.Marshal(change)
	if err != nil { // a change that cannot be told is still a change
		raw = nil
	}
	d.Edit(func(e *Entry) {
		if object != "" {
			e.Object = object
		}
		if len(change) > 0 {
			e.Detail = raw
		}
	})
}
