package server

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	ev "github.com/picketsec/picket/internal/event"
)

// finder finds a text in events: in their texts, as one of their numbers, in their action, and
// in what their rows show, whatever the case.
type finder struct {
	text   string // lower case
	number int64
	digits bool
	// shown says that what a row shows may hold the text where its texts do not: it has a
	// character that stands between two of them, or is in words of ours.
	shown bool
}

func newFinder(text string) *finder {
	f := &finder{text: strings.ToLower(text)}
	n, err := strconv.ParseInt(text, 10, 64)
	f.number, f.digits = n, err == nil
	f.shown = strings.ContainsAny(f.text, " :\\[]") || strings.Contains(ourWords(), f.text)
	return f
}

// in reports whether the text is in an event.
func (f *finder) in(r ev.Record) bool {
	for _, t := range r.Texts {
		if holdsFold(t, f.text) {
			return true
		}
	}
	if holdsFold([]byte(r.Head().Action.String()), f.text) || f.digits && f.isNumber(r) {
		return true
	}
	if !f.shown {
		return false
	}
	e := r.Event()
	return strings.Contains(strings.ToLower(shownOf(&e)), f.text)
}

// isNumber reports whether a port, a process or another number of the event is the one asked for.
func (f *finder) isNumber(r ev.Record) bool {
	found := false
	r.Each(func(x ev.Field, _ []byte) bool {
		switch x.Column.Type() {
		case ev.String, ev.Dynamic, ev.Bool, ev.Time:
		default:
			found = x.Number == f.number
		}
		return !found
	})
	return found
}

// shownOf is what a row shows of an event in words.
func shownOf(e *ev.Event) string {
	return happened(e) + "\n" + eventUser(e) + "\n" + strings.Join(eventInfo(e), "\n")
}

// ourWords are the words that rows show and events do not have, lower case: what is shown of an
// event of each action, with and without texts.
var ourWords = sync.OnceValue(func() string {
	var b strings.Builder
	for a := range ev.Actions {
		for _, protocol := range []string{"", "\x00", "Udp"} {
			e := ev.Event{Action: a}
			for c := range ev.Columns {
				switch {
				case protocol == "":
				case c.Type() == ev.String || c.Type() == ev.Dynamic:
					e.Set(c, "\x00")
				default:
					e.SetInt(c, 2)
				}
			}
			if protocol != "" {
				e.Set(ev.Protocol, protocol)
			}
			b.WriteString(shownOf(&e) + "\n")
		}
	}
	return strings.ToLower(b.String())
})

// holdsFold reports whether a text holds another, which is in lower case, whatever the case
// of the first.
func holdsFold(text []byte, lower string) bool {
	if lower == "" {
		return true
	}
	first := lower[0]
	for i := range text {
		if text[i] >= utf8.RuneSelf { // other alphabets have cases of their own
			return bytes.Contains(bytes.ToLower(text), []byte(lower))
		}
		if low(text[i]) == first && len(text)-i >= len(lower) && foldedAt(text[i:], lower) {
			return true
		}
	}
	return false
}

// foldedAt reports whether a text begins with another, as far as both are ASCII.
func foldedAt(text []byte, lower string) bool {
	for j := 1; j < len(lower); j++ {
		if low(text[j]) != lower[j] {
			return false
		}
	}
	return true
}

func low(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
