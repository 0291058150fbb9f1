package advisory

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes foreign text safe to keep: valid UTF-8, no control characters
// but tab and newline, no direction overrides, trimmed, and at most max bytes,
// cut at a rune border.
func clean(s string, max int) string {
	if len(s) > 4*max { // nothing that far back can survive the cut below
		s = s[:4*max]
	}
	plain := utf8.ValidString(s)
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] < utf8.RuneSelf && (s[i] >= ' ' || s[i] == '\n' || s[i] == '\t') && s[i] != 0x7f
	}
	if !plain {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\t':
				return r
			case r == '\r', r == utf8.RuneError, unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r):
				return -1
			case r == '\u2028' || r == '\u2029':
				return '\n'
			}
			return r
		}, s)
	}
	s = strings.TrimSpace(s)
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.TrimSpace(s[:max])
}

// line is clean for text of one line: white space runs become one blank.
func line(s string, max int) string {
	s = clean(s, 2*max)
	if strings.ContainsAny(s, "\n\t") || strings.Contains(s, "  ") {
		s = strings.Join(strings.Fields(s), " ")
	}
	return clean(s, max)
}

// validID reports whether an id of a record is usable in paths and logs.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !isAlnum(c) && !strings.ContainsRune("._+~:%-", rune(c)) {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// validName reports whether s is usable as a package name or a version: not
// empty, printable ASCII or letters, no white space, not too long.
func validName(s string) bool {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || r >= utf8.RuneSelf && !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// when parses a time as feeds write it. Years before 1980 and after 2200 are
// placeholders and give the zero time, as an unreadable text does.
func when(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly, "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", time.DateTime,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			if t.Year() < 1980 || t.Year() > 2200 {
				return time.Time{}
			}
			return t.UTC()
		}
	}
	return time.Time{}
}

// day returns s when it is a date YYYY-MM-DD (or begins with one), else "".
func day(s string) string {
	if len(s) < 10 {
		return ""
	}
	t := when(s[:10])
	if t.IsZero() {
		return ""
	}
	return s[:10]
}

// link returns the address when it is an absolute http, https or ftp one.
func link(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxURL || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune("<>\"", r)
	}) {
		return "", false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", false
	}
	switch u.Scheme {
	case "http", "https", "ftp":
		return s, true
	}
	return "", false
}

var cweForm = regexp.MustCompile(`^CWE-[0-9]{1,6}$`)

// addCWE appends a CWE id once; placeholders such as "NVD-CWE-Other" are left out.
func addCWE(to []string, id string) []string {
	id = strings.TrimSpace(id)
	if len(to) >= maxCWEs || !cweForm.MatchString(id) {
		return to
	}
	return addOnce(to, id)
}

func addOnce(to []string, s string) []string {
	for _, have := range to {
		if have == s {
			return to
		}
	}
	return append(to, s)
}

// addReference appends a link once, up to the limit.
func addReference(to []Reference, address string, tags []string) []Reference {
	address, ok := link(address)
	if !ok {
		return to
	}
	var kept []string
	for _, t := range tags {
		if t = line(t, 40); t != "" && len(kept) < maxTags && !strings.HasPrefix(t, "x_") {
			kept = addOnce(kept, t)
		}
	}
	for i := range to {
		if to[i].URL == address {
			for _, t := range kept {
				if len(to[i].Tags) < maxTags {
					to[i].Tags = addOnce(to[i].Tags, t)
				}
			}
			return to
		}
	}
	if len(to) >= maxReferences {
		return to
	}
	return append(to, Reference{URL: address, Tags: kept})
}

// badID is the reason for leaving out a record whose id is unusable.
func badID(id string) error {
	return fmt.Errorf("id %.60q is empty, longer than %d bytes or has characters other than letters, digits and ._+~:%%-", id, maxID)
}
