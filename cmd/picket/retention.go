package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/server"
)

// RetentionCmd groups the verbs on how long events are kept.
type RetentionCmd struct {
	Show RetentionShowCmd `cmd:"" default:"withargs" help:"Print how long events are kept, and what is stored."`
	Set  RetentionSetCmd  `cmd:"" help:"Set how long events are kept; what is not named stays as it is."`
}

// RetentionShowCmd is "picket retention".
type RetentionShowCmd struct {
	Remote
	JSON bool `name:"json" help:"Print one object of JSON."`
}

// Run prints what is set and stored.
func (c *RetentionShowCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		v, err := cl.Retention(e.ctx, client.RetentionParams{})
		if err != nil {
			return err
		}
		return printRetention(e, &v, c.JSON)
	})
}

// RetentionSetCmd is "picket retention set".
type RetentionSetCmd struct {
	Remote
	Days  int64    `help:"Days that events are kept."`
	Bytes string   `placeholder:"SIZE" help:"Bytes on disk that all events may take, such as 200GiB; the oldest go first."`
	Kind  []string `sep:"none" placeholder:"KIND=DAYS[,SIZE]" help:"A kind that is kept shorter or takes less, such as network=30,20GiB; 0 takes a bound away. May be given several times."`
	JSON  bool     `name:"json" help:"Print what is set then as one object of JSON."`
}

// Run changes what is named, and prints what is set then.
func (c *RetentionSetCmd) Run(e *env) error {
	if c.Days == 0 && c.Bytes == "" && len(c.Kind) == 0 {
		return server.Invalidf("retention set", "needs --days, --bytes or --kind")
	}
	return c.with(e, func(cl *client.Client) error {
		was, err := cl.Retention(e.ctx, client.RetentionParams{})
		if err != nil {
			return err
		}
		want := client.Retention{Days: was.Days, Bytes: was.Bytes, Kinds: was.Kinds}
		if c.Days != 0 {
			want.Days = c.Days
		}
		if c.Bytes != "" {
			if want.Bytes, err = sizeOf("--bytes", c.Bytes); err != nil {
				return err
			}
		}
		for _, text := range c.Kind {
			if want.Kinds, err = withKind(want.Kinds, text); err != nil {
				return err
			}
		}
		v, err := cl.SetRetention(e.ctx, want)
		if err != nil {
			return err
		}
		return printRetention(e, &v, c.JSON)
	})
}

// withKind sets what KIND=DAYS[,SIZE] says.
func withKind(kinds []client.RetentionKind, text string) ([]client.RetentionKind, error) {
	name, rest, ok := strings.Cut(text, "=")
	days, size, sized := strings.Cut(rest, ",")
	n, err := strconv.ParseInt(days, 10, 64)
	if !ok || name == "" || err != nil || n < 0 {
		return nil, server.Invalidf("--kind", "%q is not KIND=DAYS or KIND=DAYS,SIZE", text)
	}
	k := client.RetentionKind{Kind: name, Days: n}
	at := slices.IndexFunc(kinds, func(k client.RetentionKind) bool { return k.Kind == name })
	if at >= 0 {
		k.Bytes = kinds[at].Bytes
	}
	if sized {
		if k.Bytes, err = sizeOf("--kind", size); err != nil {
			return nil, err
		}
	}
	kinds = slices.DeleteFunc(slices.Clone(kinds), func(k client.RetentionKind) bool { return k.Kind == name })
	return append(kinds, k), nil
}

var sizes = []struct {
	unit  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// sizeOf reads a number of bytes: 200GiB, 512MiB or a plain number.
func sizeOf(flag, text string) (int64, error) {
	unit := int64(1)
	number := text
	for _, s := range sizes {
		if n, ok := strings.CutSuffix(text, s.unit); ok {
			number, unit = n, s.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 0 || n > 1<<60/unit {
		return 0, server.Invalidf(flag, "%q is no size such as 200GiB", text)
	}
	return n * unit, nil
}

// sizeText is a number of bytes for people.
func sizeText(n int64) string {
	for _, s := range sizes {
		if n >= s.bytes {
			return strconv.FormatFloat(float64(n)/float64(s.bytes), 'f', 1, 64) + " " + s.unit
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

func printRetention(e *env, v *client.RetentionView, asJSON bool) error {
	if asJSON {
		return printLine(e.out, v)
	}
	if _, err := fmt.Fprintf(e.out, "events are kept for %d days, in %s at most\n\n", v.Days, sizeText(v.Bytes)); err != nil {
		return err
	}
	if d := v.Damage; d.Segments > 0 || d.Parts > 0 || d.LogBytes > 0 {
		if _, err := fmt.Fprintf(e.out, "damaged: %d files, %d parts of files and %s of the write-ahead log cannot be read; %d events were in them as far as is known\n\n", d.Segments, d.Parts, sizeText(d.LogBytes), d.Events); err != nil {
			return err
		}
	}
	return table(e.out, func(row func(...any)) {
		row("KIND", "DAYS", "MOST", "EVENTS", "STORED", "OLDEST", "A DAY", "LASTS DAYS")
		for _, s := range v.Stored {
			days, most := "-", "-"
			for _, k := range v.Kinds {
				if k.Kind == s.Kind && k.Days > 0 {
					days = strconv.FormatInt(k.Days, 10)
				}
				if k.Kind == s.Kind && k.Bytes > 0 {
					most = sizeText(k.Bytes)
				}
			}
			row(s.Kind, days, most, s.Events, sizeText(s.Bytes), stamp(s.Oldest), sizeText(s.DayBytes), fmt.Sprintf("%.0f", s.WillHoldDays))
		}
	})
}
