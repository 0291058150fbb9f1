package advisory

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// epss reads FIRST's daily file: an optional comment line with the model and
// the date, a header line, then one row per CVE. Files of the first model have
// no comment and no percentile.
func (d *decoding) epss() error {
	d.h = Header{Feed: FeedEPSS, Mode: Replace, Date: dateInName(d.name)}
	in := newLines(d.r)
	columns, rows := 0, 0
	var date string
	for {
		text, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case text == "":
			continue
		case text[0] == '#':
			d.epssComment(text[1:])
			continue
		case columns == 0:
			if columns = epssColumns(text); columns == 0 {
				return fmt.Errorf("line %d: %.60q is not the header cve,epss,percentile", in.n, text)
			}
			if !d.h.Date.IsZero() {
				date = d.h.Date.Format("2006-01-02")
			}
			continue
		}
		rows++
		row, id, err := epssRow(text, columns)
		if err != nil {
			d.drop(id, fmt.Sprintf("line %d", in.n), err)
			continue
		}
		row.Date = date
		if err := d.emit(d.h, Record{ID: id, EPSS: &row}); err != nil {
			return err
		}
	}
	if rows == 0 {
		return errors.New("the file has no row")
	}
	return nil
}

// epssComment reads "model_version:v2023.03.01,score_date:2023-03-07T00:00:00+0000".
func (d *decoding) epssComment(text string) {
	for _, part := range strings.Split(text, ",") {
		key, value, _ := strings.Cut(part, ":")
		switch strings.TrimSpace(key) {
		case "model_version":
			d.h.Version = line(value, 40)
		case "score_date":
			if t := when(value); !t.IsZero() {
				d.h.Date = t
			}
		}
	}
}

func epssColumns(text string) int {
	switch strings.ToLower(strings.ReplaceAll(text, " ", "")) {
	case "cve,epss,percentile":
		return 3
	case "cve,epss":
		return 2
	}
	return 0
}

func epssRow(text string, columns int) (EPSS, string, error) {
	id, rest, _ := strings.Cut(text, ",")
	score, rank, more := strings.Cut(rest, ",")
	if !IsCVE(id) {
		return EPSS{}, "", fmt.Errorf("%.60q is not a CVE id", id)
	}
	if more != (columns == 3) {
		return EPSS{}, id, fmt.Errorf("row does not have %d columns", columns)
	}
	var e EPSS
	var err error
	if e.Score, err = fraction(score); err != nil {
		return EPSS{}, id, fmt.Errorf("score: %w", err)
	}
	if columns == 3 {
		if e.Percentile, err = fraction(rank); err != nil {
			return EPSS{}, id, fmt.Errorf("percentile: %w", err)
		}
	}
	return e, id, nil
}

// fraction parses a number from 0 to 1.
func fraction(s string) (float64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, fmt.Errorf("%.40q is not a number from 0 to 1", s)
	}
	return f, nil
}
