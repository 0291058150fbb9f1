package protocol

import (
	"fmt"

	"github.com/picketsec/picket/internal/inventory"
)

// The limits of the protocol. Both ends enforce them: the agent so that what
// it sends is accepted, the server because an agent may be hostile.
const (
	MaxFrame   = 16 << 20 // bytes of a message as it travels
	MaxMessage = 32 << 20 // bytes of a message after decompression
	MaxSmall   = 64 << 10 // a message up to this size is read without taking a share of the memory for large ones
	MaxDeltas  = 64       // deltas in one Deliver
	MaxItems   = 50_000   // items in one section
	MaxSection = 24 << 20 // bytes of keys and values in one section
	MaxKey     = 8 << 10  // bytes of an item key
	MaxValue   = 256 << 10
	MaxReason  = 4 << 10
	MaxText    = 200 // bytes of a version or similar short text in Hello
	MaxMACs    = 32
	MaxTags    = 16       // tags in Hello
	MaxTag     = 64       // bytes of one of them
	MaxEnroll  = 64 << 10 // bytes of an enrolment request
	maxWindow  = 8 << 20  // bytes of zstd history
	hashLen    = 64
)

// The limits of tasks.
const (
	MaxAbilities  = 32        // in Response
	MaxSentence   = 1000      // bytes of a sentence about a task
	MaxDetections = 100       // in one result
	MaxSkipped    = 32        // reasons in one result
	MaxPath       = 4096      // bytes of a path
	MaxSignature  = 300       // bytes of the name of a signature
	MaxPackage    = 256 << 20 // bytes of an investigation package, unless the server allows less
	maxCount      = 1 << 62   // of anything that is counted: what a signed column holds, with room
	taskIDLen     = 36        // 128 bits as 8-4-4-4-12 hexadecimal digits
)

// CheckDelta says what is wrong with a delta that arrived, nil if nothing. A
// delta that passes is safe to apply: names are known, sizes are bounded.
func CheckDelta(d *inventory.Delta) error {
	switch {
	case !d.Name.Valid():
		return fmt.Errorf("section %.40q is not known to this server", string(d.Name))
	case !d.Status.Valid():
		return fmt.Errorf("section %q: status %.40q is not known", d.Name, string(d.Status))
	case len(d.Reason) > MaxReason:
		return fmt.Errorf("section %q: reason of %d bytes, at most %d", d.Name, len(d.Reason), MaxReason)
	case !isHash(d.Hash):
		return fmt.Errorf("section %q: hash %.80q is not 64 hexadecimal digits", d.Name, d.Hash)
	case d.Base != "" && !isHash(d.Base):
		return fmt.Errorf("section %q: base %.80q is not 64 hexadecimal digits", d.Name, d.Base)
	case len(d.Put) > MaxItems:
		return fmt.Errorf("section %q: %d items, at most %d", d.Name, len(d.Put), MaxItems)
	case len(d.Del) > MaxItems:
		return fmt.Errorf("section %q: %d removed items, at most %d", d.Name, len(d.Del), MaxItems)
	}
	for i := range d.Put {
		if n := len(d.Put[i].Key); n == 0 || n > MaxKey {
			return fmt.Errorf("section %q: item %d has a key of %d bytes, 1 to %d are allowed", d.Name, i, n, MaxKey)
		}
		if n := len(d.Put[i].Value); n == 0 || n > MaxValue {
			return fmt.Errorf("section %q: item %.80q has a value of %d bytes, 1 to %d are allowed", d.Name, d.Put[i].Key, n, MaxValue)
		}
	}
	for i, k := range d.Del {
		if len(k) > MaxKey {
			return fmt.Errorf("section %q: removed key %d has %d bytes, at most %d", d.Name, i, len(k), MaxKey)
		}
	}
	return nil
}

// Clamp cuts a sealed section down to the limits of the protocol and marks it
// partial when something had to go, so that the server takes it as it is.
func Clamp(s *inventory.Section) {
	if len(s.Reason) > MaxReason {
		s.Reason = s.Reason[:MaxReason]
	}
	kept, size, long := s.Items[:0], 0, 0
	over := 0
	for _, it := range s.Items {
		if len(it.Key) == 0 || len(it.Key) > MaxKey || len(it.Value) == 0 || len(it.Value) > MaxValue {
			long++
			continue
		}
		if len(kept) == MaxItems || size+len(it.Key)+len(it.Value) > MaxSection {
			over++
			continue
		}
		size += len(it.Key) + len(it.Value)
		kept = append(kept, it)
	}
	s.Items = kept
	if long > 0 {
		s.MarkPartial(fmt.Sprintf("%d items with an over-long name or record were left out", long))
	}
	if over > 0 {
		s.MarkPartial(fmt.Sprintf("%d items beyond the limit of %d items or %d MiB were left out", over, MaxItems, MaxSection>>20))
	}
}

func isHash(s string) bool {
	if len(s) != hashLen {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
