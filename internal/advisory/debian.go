package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/picketsec/picket/internal/version"
)

const trackerPage = "https://security-tracker.debian.org/tracker/"

// debianReleases maps Debian's code names to version numbers.
var debianReleases = map[string]string{
	"potato": "2.2", "woody": "3.0", "sarge": "3.1", "etch": "4", "lenny": "5", "squeeze": "6", "wheezy": "7",
	"jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13",
	"forky": "14", "duke": "15",
}

// DebianRelease returns the number of a Debian code name: "12" for "bookworm".
// "sid" stays "sid", an unknown name stays itself.
func DebianRelease(code string) string {
	if n, ok := debianReleases[code]; ok {
		return n
	}
	return code
}

// trackerRow is one flaw of one source package in the tracker's export.
type trackerRow struct {
	Description string                    `json:"description"`
	Releases    map[string]trackerRelease `json:"releases"`
}

type trackerRelease struct {
	Status      string `json:"status"`
	Fixed       string `json:"fixed_version"`
	Urgency     string `json:"urgency"`
	NoDSA       string `json:"nodsa"`
	NoDSAReason string `json:"nodsa_reason"`
}

// debianTracker reads the tracker's export: source package → id → row.
func (d *decoding) debianTracker() error {
	d.h = Header{Feed: FeedDebianTracker, Mode: Replace}
	s, err := newSplitter(d.r, largeBuffer)
	if err != nil {
		return err
	}
	sources := 0
	err = s.object(func(source string) error {
		sources++
		if c, err := s.peek(); err != nil {
			return err
		} else if c != '{' {
			return fmt.Errorf("source package %.80q is not an object", source)
		}
		return s.object(func(id string) error {
			raw, err := s.value()
			if err != nil && !skippable(err) {
				return err
			}
			var rec Record
			if err == nil {
				rec, err = d.trackerRecord(source, id, raw)
			}
			if err != nil {
				d.drop(source+"/"+id, fmt.Sprintf("source %d", sources), err)
				return nil
			}
			return d.emit(d.h, rec)
		})
	})
	if err != nil {
		return err
	}
	return s.finish()
}

func (d *decoding) trackerRecord(source, id string, raw []byte) (Record, error) {
	if !validName(source) {
		return Record{}, fmt.Errorf("source package name %.80q is not usable", source)
	}
	if !validID(id) {
		return Record{}, badID(id)
	}
	var row trackerRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, plainError(err)
	}
	if len(row.Releases) == 0 {
		return Record{}, errors.New("row has no releases")
	}
	rec := Record{ID: source + "/" + id}
	if text := clean(row.Description, maxDescription); text != "" {
		rec.Facts = &Weakness{ID: id, Description: text}
	}
	page := trackerPage + id
	weaknesses := []string{id}
	rec.Statements = make([]Placed, 0, len(row.Releases))
	for _, code := range sortedKeys(row.Releases) {
		st, err := trackerStatement(row.Releases[code])
		if err == nil && !validName(code) {
			err = errors.New("release name is not usable")
		}
		if err != nil {
			d.drop(rec.ID, id, fmt.Errorf("release %.40q: %w", code, err))
			continue
		}
		st.Advisory, st.Weaknesses, st.Feed, st.URL = id, weaknesses, FeedDebianTracker, page
		rec.Statements = append(rec.Statements, Placed{
			Key:       Key{Ecosystem: "Debian", Release: DebianRelease(code), Name: source},
			Statement: st,
		})
	}
	return rec, nil
}

// trackerStatement turns the tracker's words of one release into a statement.
// "unimportant" and "end-of-life" are urgencies in the tracker; here they are states.
func trackerStatement(r trackerRelease) (Statement, error) {
	st := Statement{Note: line(r.NoDSA, maxNote)}
	if u := line(r.Urgency, 40); u != "not yet assigned" {
		st.Urgency = u
	}
	switch r.Status {
	case "resolved":
		if r.Fixed == "0" {
			st.State = NotAffect
			return st, nil
		}
		if err := version.Valid("Debian", r.Fixed); err != nil {
			return st, fmt.Errorf("fixed version %.80q: %w", r.Fixed, err)
		}
		st.State = Fixed
		st.Ranges = []version.Range{{Fixed: r.Fixed}}
	case "open":
		st.State = Open
		switch {
		case r.NoDSAReason == "ignored":
			st.State = Ignored
		case r.NoDSAReason == "postponed":
			st.State = Postponed
		case r.NoDSA != "" || r.NoDSAReason != "":
			st.State = NoDSA
		}
		if r.Fixed != "" && r.Fixed != "0" && version.Valid("Debian", r.Fixed) == nil {
			st.Ranges = []version.Range{{Fixed: r.Fixed}}
		}
	case "undetermined":
		st.State = Undetermined
	default:
		return st, fmt.Errorf("unknown status %.40q", r.Status)
	}
	switch strings.TrimSuffix(st.Urgency, "*") {
	case "unimportant":
		st.State = Unimportant
	case "end-of-life":
		st.State = EndOfLife
	}
	return st, nil
}
