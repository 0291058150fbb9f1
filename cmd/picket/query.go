package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/server"
)

// Listing is how a list is narrowed, ordered and printed.
type Listing struct {
	Remote
	Query  string   `short:"q" help:"Free text, as the search box of the console."`
	Filter []string `short:"f" sep:"none" placeholder:"NAME=VALUE[,VALUE]" help:"A filter of the API, such as os=Debian or tag=production; may be given several times."`
	Sort   []string `placeholder:"COLUMN" help:"Columns to order by, as --sort=name; a minus in front is descending."`
	Limit  int      `help:"Print at most so many rows; 0: all."`
	JSON   bool     `name:"json" help:"Print JSON, one object a line."`
}

// fill puts the filters into the parameters of an operation, by their names in
// the API; a name that the operation does not have is a wrong use.
func (l *Listing) fill(params any) error {
	v := reflect.ValueOf(params).Elem()
	fields := map[string]reflect.Value{}
	var known []string
	for i := range v.NumField() {
		name := apiName(v.Type().Field(i).Name)
		fields[name] = v.Field(i)
		if name != "page" && name != "size" && name != "q" && name != "sort" {
			known = append(known, name)
		}
	}
	set := func(name, value string) error {
		f, ok := fields[name]
		if !ok {
			return server.Invalidf("--filter", "there is no filter %q here; there are: %s", name, strings.Join(known, ", "))
		}
		switch f.Interface().(type) {
		case string:
			f.SetString(value)
		case []string:
			f.Set(reflect.AppendSlice(f, reflect.ValueOf(strings.Split(value, ","))))
		case []int64:
			for _, s := range strings.Split(value, ",") {
				n, err := strconv.ParseInt(s, 10, 64)
				if err != nil {
					return server.Invalidf("--filter", "%s: %q is not a number", name, s)
				}
				f.Set(reflect.Append(f, reflect.ValueOf(n)))
			}
		default:
			return server.Invalidf("--filter", "%s cannot be set", name)
		}
		return nil
	}
	for _, text := range l.Filter {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "page" || name == "size" || name == "format" {
			return server.Invalidf("--filter", "%q is not of the form name=value", text)
		}
		if err := set(strings.TrimSpace(name), value); err != nil {
			return err
		}
	}
	if l.Query != "" {
		if err := set("q", l.Query); err != nil {
			return err
		}
	}
	for _, s := range l.Sort {
		if err := set("sort", s); err != nil {
			return err
		}
	}
	return nil
}

// apiName is the name of a parameter in the API: "DeviceGroup" is "device_group".
func apiName(field string) string {
	var b strings.Builder
	for i, r := range field {
		up := r >= 'A' && r <= 'Z'
		if up && i > 0 && (field[i-1] < 'A' || field[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// with runs fn with a client and closes it.
func (r *Remote) with(e *env, fn func(c *client.Client) error) (err error) {
	c, done, err := r.open(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return remoteError(fn(c))
}

// printRows prints the rows of a list as a table or as JSON lines. A table is
// printed when all rows are there, JSON as they come.
func printRows[T any](e *env, l *Listing, rows iter.Seq2[T, error], head []any, cells func(*T) []any) error {
	n := 0
	each := func(out func(*T) error) error {
		for r, err := range rows {
			if err != nil {
				return err
			}
			if err := out(&r); err != nil {
				return err
			}
			if n++; l.Limit > 0 && n >= l.Limit {
				return nil
			}
		}
		return nil
	}
	if l.JSON {
		return each(func(r *T) error { return printLine(e.out, r) })
	}
	var all []T
	if err := each(func(r *T) error { all = append(all, *r); return nil }); err != nil {
		return err
	}
	return table(e.out, func(row func(...any)) {
		row(head...)
		for i := range all {
			row(cells(&all[i])...)
		}
	})
}

// DevicesCmd is "picket devices".
type DevicesCmd struct{ Listing }

// Run prints devices.
func (c *DevicesCmd) Run(e *env) error {
	var p client.DevicesParams
	if err := c.fill(&p); err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		return printRows(e, &c.Listing, cl.DevicesAll(e.ctx, p), []any{"ID", "NAME", "OS", "HEALTH", "EXPOSURE", "WEAKNESSES", "GROUP", "TAGS", "LAST SEEN"}, func(d *client.DeviceRow) []any {
			return []any{d.ID, d.Name, dash(strings.TrimSpace(d.OSPlatform + " " + d.OSVersion)), dash(d.Health), dash(d.Exposure), d.Weaknesses, dash(d.Group), dash(strings.Join(d.Tags, ",")), stamp(d.LastSeen)}
		})
	})
}

// RecommendCmd is "picket recommend".
type RecommendCmd struct{ Listing }

// Run prints recommendations, in the order of the server: the most useful first.
func (c *RecommendCmd) Run(e *env) error {
	var p client.RecommendationsParams
	if len(c.Sort) == 0 {
		c.Sort = []string{"-impact"}
	}
	if err := c.fill(&p); err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		return printRows(e, &c.Listing, cl.RecommendationsAll(e.ctx, p), []any{"ID", "RECOMMENDATION", "TYPE", "EXPOSED", "WEAKNESSES", "IMPACT", "STATUS"}, func(r *client.RecommendationRow) []any {
			return []any{r.ID, r.Name, r.Type, r.Exposed, r.Weaknesses, fmt.Sprintf("%.2f", r.Impact), r.Status}
		})
	})
}

// CVECmd is "picket cve".
type CVECmd struct {
	Listing
	ID string `arg:"" name:"cve" help:"CVE or other id."`
}

// Run prints what is known of a weakness, then the devices that have it. With
// --json the weakness is the first line and each device one more.
func (c *CVECmd) Run(e *env) error {
	var p client.WeaknessDevicesParams
	if err := c.fill(&p); err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		id := strings.TrimSpace(c.ID)
		if up := strings.ToUpper(id); strings.HasPrefix(up, "CVE-") {
			id = up
		}
		w, err := cl.Weakness(e.ctx, id, client.WeaknessParams{})
		if err != nil {
			return err
		}
		if c.JSON {
			err = printLine(e.out, w)
		} else {
			err = printWeakness(e.out, &w)
		}
		if err != nil {
			return err
		}
		return printRows(e, &c.Listing, cl.WeaknessDevicesAll(e.ctx, id, p), []any{"DEVICE", "NAME", "OS", "STATE", "FIXED IN"}, func(d *client.WeaknessDevice) []any {
			return []any{d.ID, d.Name, dash(d.OSName), d.State, dash(d.FixVersion)}
		})
	})
}

func printWeakness(w io.Writer, d *client.WeaknessDetail) error {
	threats := []string{}
	if d.Threats.KEV {
		threats = append(threats, "known to be exploited")
	}
	if d.Threats.Exploit != "" && d.Threats.Exploit != "NoExploit" {
		threats = append(threats, d.Threats.Exploit)
	}
	_, err := fmt.Fprintf(w, "%s  %s\nseverity %s, CVSS %s, EPSS %s, published %s%s\nexposed devices: %d, with it in any state: %d\n\n", d.ID, oneLine(d.Title), d.Severity,
		score(d.CVSS), score(d.EPSS), day(d.Published), prefixed(", ", strings.Join(threats, ", ")), d.Exposed, d.Affected)
	return err
}

func prefixed(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

func score(f float64) string {
	if f == 0 {
		return "-"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// printLine prints a value as one line of JSON.
func printLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
