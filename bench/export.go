package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// exportRows is how many rows are read.
const exportRows = 1_000_000

// export reads the vulnerabilities of a fleet by machine, in pages of 200,000
// rows over the socket, and once as files.
func export(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 10_000)
	srv, _, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Get(b.ctx, "/api/x/exposure-score", nil); err != nil { // scores are settled first
		return nil, err
	}
	before, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	const route = "/api/machines/SoftwareVulnerabilitiesByMachine?pageSize=200000"
	rows, size, took, err := b.pages(c, route)
	if err != nil {
		return nil, err
	}
	after, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%d rows, %s MB, %s s", rows, short(float64(size)/1e6), short(took.Seconds()))
	figures := []figure{
		{what: "export by machine, JSON pages", value: float64(rows) / took.Seconds(), unit: "rows/s", target: 200_000, more: true, note: note},
		{what: "its memory: peak above that before", value: after.peak - before.peak, unit: "MB", note: fmt.Sprintf("resident before %s MB", short(before.rss))},
	}
	var files struct {
		Files []struct {
			Rows int `json:"rows"`
		} `json:"files"`
	}
	began := time.Now()
	if err := c.Get(b.ctx, "/api/machines/SoftwareVulnerabilitiesExport", &files); err != nil {
		return figures, err
	}
	took, rows = time.Since(began), 0
	for _, f := range files.Files {
		rows += f.Rows
	}
	return append(figures, figure{what: "export by machine, gzip files", value: float64(rows) / took.Seconds(), unit: "rows/s", target: 200_000, more: true,
		note: fmt.Sprintf("%d rows, %d files, %s s", rows, len(files.Files), short(took.Seconds()))}), nil
}

var nextPage = regexp.MustCompile(`"@odata\.nextLink":"([^"]*)"\}$`)

// pages reads pages until there are enough rows, or no more. The trailers say how many came.
func (b *bench) pages(c *rig.Client, route string) (rows int, size int64, took time.Duration, err error) {
	began := time.Now()
	for route != "" && rows < exportRows {
		res, err := c.Stream(b.ctx, route)
		if err != nil {
			return rows, size, 0, err
		}
		end := &tail{}
		n, err := io.Copy(end, res.Body)
		_ = res.Body.Close() // it was read to its end, or err says why not
		if err != nil {
			return rows, size, 0, err
		}
		got, err := strconv.Atoi(res.Trailer.Get("X-Picket-Rows"))
		if err != nil || res.Trailer.Get("X-Picket-Sha256") == "" {
			return rows, size, 0, fmt.Errorf("trailers of %s: %v", route, res.Trailer)
		}
		rows, size, route = rows+got, size+n, ""
		if m := nextPage.FindSubmatch(end.last); m != nil {
			route = string(bytes.ReplaceAll(m[1], []byte(`\u0026`), []byte("&")))
		}
	}
	if rows < exportRows {
		b.say("the fleet has only %d rows", rows)
	}
	return rows, size, time.Since(began), nil
}

// tail keeps the end of what is written to it.
type tail struct{ last []byte }

// Write takes everything.
func (t *tail) Write(p []byte) (int, error) {
	const keep = 4 << 10
	t.last = append(t.last, p[max(0, len(p)-keep):]...)
	if len(t.last) > keep {
		t.last = append(t.last[:0], t.last[len(t.last)-keep:]...)
	}
	return len(p), nil
}
