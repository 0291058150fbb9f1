package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/inventory"
)

// Caps of collected text, in bytes. Longer text is cut, counted and told.
const (
	maxName    = 512
	maxVersion = 256
	maxPath    = 4096
	maxSummary = 200
)

// result builds one section and keeps the counts that its reason tells.
type result struct {
	s    *inventory.Section
	l    Limits
	over int // items beyond the limit
	cut  int // texts that were cut
	bad  map[string]int
}

func begin(name inventory.SectionName, l Limits) *result {
	return &result{s: inventory.NewSection(name, inventory.Complete, ""), l: l}
}

// absent returns a sealed not_applicable section.
func absent(name inventory.SectionName, format string, args ...any) *inventory.Section {
	s := inventory.NewSection(name, inventory.NotApplicable, fmt.Sprintf(format, args...))
	s.Seal()
	return s
}

// put adds an item unless the section is full; full sections count.
func (r *result) put(key string, v any) {
	if len(r.s.Items) >= r.l.MaxItems {
		r.over++
		return
	}
	r.s.Put(clean(key, maxName+maxPath), v)
}

// text makes foreign text safe to carry: valid UTF-8, one line, no control or
// direction characters, at most max bytes.
func (r *result) text(s string, max int) string {
	if len(s) > max {
		r.cut++
	}
	return clean(s, max)
}

// problem makes the section partial for a reason: what, where, how to mend.
func (r *result) problem(format string, args ...any) {
	r.s.MarkPartial(clean(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", ", "), 1000))
}

// skip counts a record that could not be used, by kind ("package paragraph
// without a name").
func (r *result) skip(kind string) {
	if r.bad == nil {
		r.bad = map[string]int{}
	}
	r.bad[kind]++
}

// done adds the counts to the reason, seals and returns the section.
func (r *result) done(ctx context.Context) *inventory.Section {
	kinds := make([]string, 0, len(r.bad))
	for k := range r.bad {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	for _, k := range kinds {
		r.problem("%d × %s", r.bad[k], k)
	}
	if r.over > 0 {
		r.problem("%d items beyond the limit of %d were left out", r.over, r.l.MaxItems)
	}
	if r.cut > 0 {
		r.problem("%d texts were longer than is carried and were cut", r.cut)
	}
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			r.problem("stopped after the time budget of %s: raise it or exclude large directories", r.l.Budget)
		} else {
			r.problem("stopped before the end")
		}
	}
	r.s.Seal()
	return r.s
}

// clean returns s as one line of valid UTF-8 of at most max bytes, without
// control characters and without characters that change the direction of text;
// each is replaced by U+FFFD.
func clean(s string, max int) string {
	ok := len(s) <= max
	if ok {
		for i := 0; i < len(s); i++ {
			if c := s[i]; c < 0x20 || c >= 0x7f {
				ok = false
				break
			}
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if forbidden(c) {
			c = utf8.RuneError
		}
		if b.Len()+utf8.RuneLen(c) > max {
			break
		}
		b.WriteRune(c)
	}
	return b.String()
}

func forbidden(c rune) bool {
	switch {
	case c < 0x20, c >= 0x7f && c < 0xa0:
		return true
	case c == 0x200e, c == 0x200f, c >= 0x2028 && c <= 0x202e, c >= 0x2066 && c <= 0x2069, c == 0xfeff:
		return true
	}
	return false
}

func sortEntries(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}

// capped reads at most n bytes of r and then fails with errTooLarge, so that a
// file that is too large never looks complete.
type capped struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	if c.n <= 0 {
		var one [1]byte
		if n, err := c.r.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, errTooLarge
	}
	if int64(len(p)) > c.n {
		p = p[:c.n]
	}
	n, err := c.r.Read(p)
	c.n -= int64(n)
	return n, err
}

// short names an error without the path, which the reason gives in its own words.
func short(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

var errReadEnough = errors.New("more would have to be read than is allowed")

// pausingAt yields and checks the context before each read, and ends after
// left bytes.
type pausingAt struct {
	ctx  context.Context
	l    Limits
	r    io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (p *pausingAt) ReadAt(b []byte, off int64) (int, error) {
	p.l.yield()
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	if p.left -= int64(len(b)); p.left < 0 {
		return 0, errReadEnough
	}
	return p.r.ReadAt(b, off)
}
