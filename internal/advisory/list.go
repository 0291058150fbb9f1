package advisory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/version"
)

var (
	entryHead = regexp.MustCompile(`^\[([^\]]+)\]\s+(D[SL]A-[0-9]+(?:-[0-9]+)?)\s*(.*)$`)
	entryLine = regexp.MustCompile(`^(?:\[([a-z]+)\]\s+)?-\s+(\S+)\s+(<[a-z-]+>|\S+)\s*(?:\((.*)\))?\s*$`)
)

// listEntry is one advisory of a DSA or DLA list while it is read.
type listEntry struct {
	line   int
	id     string
	date   time.Time
	title  string
	cves   []string
	placed []Placed
}

// debianList reads data/DSA/list or data/DLA/list: entries that begin in the
// first column, followed by indented lines with the flaws, the packages and notes.
// The feed's name comes from the first entry, its date is that of the newest.
func (d *decoding) debianList() error {
	d.h = Header{Mode: Replace}
	lines := newLines(d.r)
	var cur *listEntry
	flush := func() error {
		if cur == nil {
			return nil
		}
		e := cur
		cur = nil
		return d.emit(d.h, d.listRecord(e))
	}
	for {
		text, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if text[0] != ' ' && text[0] != '\t' {
			if err := flush(); err != nil {
				return err
			}
			if cur, err = d.listHead(text, lines.n); err != nil {
				if d.h.Feed == "" {
					return fmt.Errorf("line 1 is not a DSA or DLA entry: %w", err)
				}
				d.drop("", fmt.Sprintf("line %d", lines.n), err)
			}
			continue
		}
		if cur == nil {
			if d.h.Feed == "" {
				return errors.New("line 1 is not a DSA or DLA entry")
			}
			continue // belongs to an entry that was skipped
		}
		if err := cur.add(strings.TrimSpace(text), d.h.Feed); err != nil {
			d.drop(cur.id, "", fmt.Errorf("line %d: %w", lines.n, err))
		}
	}
	if d.h.Feed == "" {
		return errors.New("the file has no entry")
	}
	return flush()
}

func (d *decoding) listHead(text string, n int) (*listEntry, error) {
	m := entryHead.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%.60q is not an entry", text)
	}
	date, err := time.Parse("2 Jan 2006", m[1])
	if err != nil {
		return nil, fmt.Errorf("date %.40q of %s is not readable", m[1], m[2])
	}
	if d.h.Feed == "" {
		d.h.Feed = FeedDSA
		if strings.HasPrefix(m[2], "DLA") {
			d.h.Feed = FeedDLA
		}
	}
	if date.After(d.h.Date) {
		d.h.Date = date
	}
	return &listEntry{line: n, id: m[2], date: date, title: line(m[3], maxTitle)}, nil
}

// add takes one indented line of an entry.
func (e *listEntry) add(text, feed string) error {
	switch {
	case strings.HasPrefix(text, "{"):
		inner, ok := strings.CutSuffix(text[1:], "}")
		if !ok {
			return errors.New("list of flaws has no closing brace")
		}
		for _, id := range strings.Fields(inner) {
			if !validID(id) {
				return badID(id)
			}
			if len(e.cves) < maxWeaknesses {
				e.cves = addOnce(e.cves, id)
			}
		}
		return nil
	case strings.HasPrefix(text, "NOTE:"), strings.HasPrefix(text, "TODO:"):
		return nil
	}
	m := entryLine.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("%.80q is neither flaws, package nor note", text)
	}
	code, name, what, remark := m[1], m[2], m[3], m[4]
	if code == "" {
		code = "sid"
	}
	st := Statement{Advisory: e.id, Feed: feed, URL: trackerPage + e.id, Date: e.date, Note: line(remark, maxNote)}
	switch what {
	case "<unfixed>":
		st.State = Open
	case "<not-affected>":
		st.State = NotAffect
	case "<end-of-life>":
		st.State = EndOfLife
	case "<no-dsa>":
		st.State = NoDSA
	case "<ignored>":
		st.State = Ignored
	case "<postponed>":
		st.State = Postponed
	case "<undetermined>":
		st.State = Undetermined
	default:
		if err := version.Valid("Debian", what); err != nil {
			return fmt.Errorf("fixed version %.80q of %.80s: %w", what, name, err)
		}
		st.State = Fixed
		st.Ranges = []version.Range{{Fixed: what}}
	}
	if !validName(name) {
		return fmt.Errorf("package name %.80q is not usable", name)
	}
	e.placed = append(e.placed, Placed{Key: Key{Ecosystem: "Debian", Release: DebianRelease(code), Name: name}, Statement: st})
	return nil
}

func (d *decoding) listRecord(e *listEntry) Record {
	rec := Record{ID: e.id, Modified: e.date, Statements: e.placed}
	flaws := e.cves
	if len(flaws) == 0 {
		flaws = []string{e.id}
		rec.Facts = &Weakness{ID: e.id, Title: e.title, Published: e.date}
	}
	for i := range rec.Statements {
		rec.Statements[i].Statement.Weaknesses = flaws
	}
	return rec
}

// lines reads a text file line by line. A last line without a newline means
// that the file is truncated; an overlong line is an error.
type lines struct {
	r *bufio.Reader
	n int // of the line that next returned, from 1
}

func newLines(r io.Reader) *lines {
	return &lines{r: bufio.NewReaderSize(r, 64<<10)}
}

func (l *lines) next() (string, error) {
	var long []byte
	l.n++
	for {
		part, err := l.r.ReadSlice('\n')
		if l.n == 1 && long == nil {
			part = bytes.TrimPrefix(part, []byte("\xef\xbb\xbf"))
		}
		switch {
		case err == nil && long == nil:
			return string(bytes.TrimRight(part, "\r\n")), nil
		case err == nil:
			return string(bytes.TrimRight(append(long, part...), "\r\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
			if len(long) > maxLine {
				return "", fmt.Errorf("line %d is longer than %d bytes", l.n, maxLine)
			}
			long = append(long, part...)
		case err == io.EOF && len(part) == 0 && long == nil:
			return "", io.EOF
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			return "", fmt.Errorf("line %d: %w", l.n, errTruncated)
		default:
			return "", fmt.Errorf("line %d: %w", l.n, err)
		}
	}
}
