package intel

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
)

// Skip is a reason why records of a load were left out.
type Skip struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
	Sample string `json:"sample"` // file and record, the first one
}

// maxReasons bounds the distinct reasons that a load keeps; further ones are
// counted together.
const maxReasons = 50

// unit is one feed out of one file or archive: what is accepted or refused as a whole.
type unit struct {
	index   int
	feed    string
	mode    advisory.Mode
	source  string // for people
	dated   string // names that may carry a date, innermost first
	modTime time.Time
	box     *box
	given   *given
	lone    bool // made of many single-record files
	header  advisory.Header
	err     error

	records int // read
	same    int // equal to what is loaded
	older   int // older than what is loaded
	digest  sum // of all its records, whatever their order
	newest  time.Time
	seen    map[uint64]struct{} // record ids, for feeds that are replaced whole
	skipped int
	skips   []Skip
	started time.Time
	took    time.Duration

	staged, added, updated, removed, beaten int
}

func (u *unit) skip(sample, reason string) {
	u.skipped++
	for i := range u.skips {
		if u.skips[i].Reason == reason {
			u.skips[i].Count++
			return
		}
	}
	if len(u.skips) >= maxReasons {
		u.skips[len(u.skips)-1].Count++
		u.skips[len(u.skips)-1].Reason = "further reasons"
		return
	}
	u.skips = append(u.skips, Skip{Reason: reason, Count: 1, Sample: sample})
}

var nameDate = regexp.MustCompile(`(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]`)

// dateOf says of which date a unit's data is, and from where that is known:
// "data", "name", "download" or "file time".
func (u *unit) dateOf(told time.Time) (time.Time, string) {
	if !u.header.Date.IsZero() && !u.lone {
		return u.header.Date, "data"
	}
	if u.mode == advisory.Merge && !u.newest.IsZero() {
		return u.newest, "data"
	}
	if !told.IsZero() {
		return told, "download"
	}
	for _, name := range strings.Split(u.dated, "\x00") {
		// the last date of the innermost name that has one
		if m := nameDate.FindAllString(name, -1); m != nil {
			if t, err := time.Parse(time.DateOnly, m[len(m)-1]); err == nil {
				return t, "name"
			}
		}
	}
	if u.modTime.Year() > 1980 { // archives write 1970 and 1980 for "none"
		return u.modTime.UTC(), "file time"
	}
	return time.Time{}, ""
}

// better orders units of one feed: the newest date, then the firmer source of
// the date, then the larger, then any fixed order.
func (u *unit) better(than *unit, date, otherDate time.Time, from, otherFrom string) bool {
	firm := map[string]int{"data": 3, "download": 2, "name": 2, "file time": 1}
	switch {
	case !date.Equal(otherDate):
		return date.After(otherDate)
	case firm[from] != firm[otherFrom]:
		return firm[from] > firm[otherFrom]
	case u.records != than.records:
		return u.records > than.records
	}
	return bytes.Compare(u.digest[:], than.digest[:]) > 0
}
