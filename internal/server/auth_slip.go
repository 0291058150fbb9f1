package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A slip is a sealed note that a browser carries from one step of a sign-in to
// the next. The server keeps nothing until a sign-in succeeds, so beginning
// any number of them costs no memory; what has succeeded once is remembered
// until its slip is too old.
const (
	slipLife = 5 * time.Minute
	maxSlip  = 16 << 10
	maxSpent = 10000
)

type slip struct {
	Ends time.Time       `json:"ends"`
	Note json.RawMessage `json:"note"`
}

// writeSlip seals a note of one kind.
func (a *Accounts) writeSlip(kind string, note any) (string, error) {
	raw, err := json.Marshal(note)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", kind, err)
	}
	if raw, err = json.Marshal(slip{Ends: a.now().Add(slipLife), Note: raw}); err != nil {
		return "", fmt.Errorf("encode %s: %w", kind, err)
	}
	sealed, err := a.vault.seal("slip:"+kind, string(raw))
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", kind, err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// readSlip opens a note of the same kind. One that is damaged, of another
// kind, too old or spent is ErrUnauthenticated.
func (a *Accounts) readSlip(kind, text string, into any) error {
	if len(text) > maxSlip {
		return ErrUnauthenticated
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) == 0 {
		return ErrUnauthenticated
	}
	raw, err := a.vault.unseal("slip:"+kind, sealed)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrUnauthenticated, kind)
	}
	var s slip
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return fmt.Errorf("read %s: %w", kind, err)
	}
	if !s.Ends.After(a.now()) || a.spent.has(text) {
		return fmt.Errorf("%w: %s is too old", ErrUnauthenticated, kind)
	}
	return json.Unmarshal(s.Note, into)
}

// spendSlip makes a slip worthless; false when it is already.
func (a *Accounts) spendSlip(text string) bool { return a.spent.add(text, a.now()) }

// spentSlips are digests of slips that did their work.
type spentSlips struct {
	mu   sync.Mutex
	ends map[string]time.Time // at most maxSpent
}

func (s *spentSlips) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ends[string(digest(text))]
	return ok
}

func (s *spentSlips) add(text string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends == nil {
		s.ends = map[string]time.Time{}
	}
	key := string(digest(text))
	if _, ok := s.ends[key]; ok {
		return false
	}
	if len(s.ends) >= maxSpent {
		for k, end := range s.ends {
			if !end.After(at) {
				delete(s.ends, k)
			}
		}
	}
	if len(s.ends) >= maxSpent {
		return false // so many sign-ins in five minutes are none of people
	}
	s.ends[key] = at.Add(slipLife)
	return true
}
