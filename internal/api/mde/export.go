package mde

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// Trailers behind a streamed body: how many rows it has, and its SHA-256.
const (
	TrailerRows = "X-Picket-Rows"
	TrailerHash = "X-Picket-Sha256"
)

const (
	defaultPage = 50_000
	largestPage = 200_000
	// writeTime is how long a reader may take for one piece of a stream, and
	// extendEvery after how many rows the next piece begins.
	writeTime   = 2 * time.Minute
	extendEvery = 2000
)

// export is a kind of export: how to read it and how to write its rows.
type export[T any] struct {
	name       string // of its files
	set        string // in @odata.context
	permission string
	delta      bool
	read       func(h *Handler, q *request, x server.ExportQuery) (server.Export[T], error)
	start      func(b []byte, d *server.DeviceExport[T]) []byte
	row        func(b, start []byte, d *server.DeviceExport[T], r *T) []byte
	keep       func(r *T) bool // nil: every row
}

func (h *Handler) exportVulns(q *request, x server.ExportQuery) (server.Export[server.VulnExport], error) {
	return h.opt.Server.ExportVulns(q.ctx(), q.caller, x)
}

func (h *Handler) exportInventory(q *request, x server.ExportQuery) (server.Export[server.InventoryExport], error) {
	return h.opt.Server.ExportInventory(q.ctx(), q.caller, x)
}

func (h *Handler) exportChecks(q *request, x server.ExportQuery) (server.Export[server.CheckExport], error) {
	return h.opt.Server.ExportChecks(q.ctx(), q.caller, x)
}

func vulnStart(b []byte, d *server.DeviceExport[server.VulnExport]) []byte {
	return deviceStart(b, d, true)
}

func inventoryStart(b []byte, d *server.DeviceExport[server.InventoryExport]) []byte {
	return deviceStart(b, d, false)
}

func checkStart(b []byte, d *server.DeviceExport[server.CheckExport]) []byte {
	return deviceStart(b, d, true)
}

func vulnExport() *export[server.VulnExport] {
	return &export[server.VulnExport]{name: "software-vulnerabilities", set: "Collection(microsoft.windowsDefenderATP.api.AssetVulnerability)",
		permission: server.VulnerabilityRead, read: (*Handler).exportVulns, start: vulnStart, row: appendVuln}
}

func deltaExport() *export[server.VulnExport] {
	x := vulnExport()
	x.name, x.set, x.delta = "software-vulnerability-changes", "Collection(microsoft.windowsDefenderATP.api.DeltaAssetVulnerability)", true
	return x
}

func inventoryExport() *export[server.InventoryExport] {
	return &export[server.InventoryExport]{name: "software-inventory", set: "Collection(microsoft.windowsDefenderATP.api.AssetSoftware)",
		permission: server.SoftwareRead, read: (*Handler).exportInventory, start: inventoryStart, row: appendInventory}
}

func uncodedExport() *export[server.InventoryExport] {
	x := inventoryExport()
	x.name, x.set = "software-inventory-non-cpe", "Collection(microsoft.windowsDefenderATP.api.AssetNonCpeSoftware)"
	x.keep = func(r *server.InventoryExport) bool { return !r.Coded }
	return x
}

func checkExport() *export[server.CheckExport] {
	return &export[server.CheckExport]{name: "secure-configurations", set: "Collection(microsoft.windowsDefenderATP.api.AssetConfiguration)",
		permission: server.VulnerabilityRead, read: (*Handler).exportChecks, start: checkStart, row: appendCheck}
}

// exportRoutes are the by-machine exports.
func exportRoutes() []Route {
	get := func(path, permission string, serve func(*Handler, *request) error) Route {
		return Route{Method: "GET", Path: "/machines/" + path, Permission: permission, serve: serve}
	}
	vulns, software := server.VulnerabilityRead, server.SoftwareRead
	return []Route{
		get("SoftwareVulnerabilitiesByMachine", vulns, func(h *Handler, q *request) error { return servePages(h, q, vulnExport()) }),
		get("SoftwareVulnerabilityChangesByMachine", vulns, func(h *Handler, q *request) error { return servePages(h, q, deltaExport()) }),
		get("SoftwareVulnerabilitiesExport", vulns, func(h *Handler, q *request) error { return serveFiles(h, q, vulnExport()) }),
		get("SoftwareInventoryByMachine", software, func(h *Handler, q *request) error { return servePages(h, q, inventoryExport()) }),
		get("SoftwareInventoryExport", software, func(h *Handler, q *request) error { return serveFiles(h, q, inventoryExport()) }),
		get("SoftwareInventoryNoProductCodeByMachine", software, func(h *Handler, q *request) error { return servePages(h, q, uncodedExport()) }),
		get("SoftwareInventoryNonCpeExport", software, func(h *Handler, q *request) error { return serveFiles(h, q, uncodedExport()) }),
		get("SecureConfigurationsAssessmentByMachine", vulns, func(h *Handler, q *request) error { return servePages(h, q, checkExport()) }),
		get("SecureConfigurationsAssessmentExport", vulns, func(h *Handler, q *request) error { return serveFiles(h, q, checkExport()) }),
	}
}

// place is where a page of an export begins, and of which moment it is: what
// $skiptoken says. Rows of a device have a fixed order at a moment.
type place struct {
	At    int64  `json:"t"` // Unix microseconds
	Since int64  `json:"s,omitempty"`
	Num   uint32 `json:"n"`
	Skip  int    `json:"k"` // rows of this device that were on earlier pages
}

func (p *place) token() string {
	raw, err := json.Marshal(p)
	if err != nil { // numbers: there is no reason
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// exportOptions reads the parameters of an export.
func exportOptions(o *options, delta bool) (p place, page int, err error) {
	if o.token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(o.token)
		if err != nil || json.Unmarshal(raw, &p) != nil || p.At <= 0 || p.Skip < 0 || (p.Since > 0) != delta {
			return p, 0, odataError("$skiptoken is not one that this server gave")
		}
	} else if delta {
		text := o.plain["sincetime"]
		if text == "" {
			return p, 0, &Error{Status: http.StatusBadRequest, Code: "MissingRequiredParameter", Message: "The parameter sinceTime is missing: the time of the last export or delta, at most 14 days ago."}
		}
		at, ok := parseTime(strings.Trim(text, `'"`))
		if !ok {
			return p, 0, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The parameter sinceTime is not a date and time."}
		}
		p.Since = max(1, at.Truncate(time.Second).UnixMicro())
	}
	page = defaultPage
	if text, given := o.plain["pagesize"]; given {
		n, err := natural("pageSize", text)
		if err != nil || n < 1 {
			return p, 0, &Error{Status: http.StatusBadRequest, Code: "InvalidInput", Message: "The parameter pageSize is not a whole number from 1 to 200000."}
		}
		page = min(n, largestPage)
	}
	return p, page, nil
}

// query is what to ask the server for.
func (p *place) query() server.ExportQuery {
	x := server.ExportQuery{From: p.Num}
	if p.At > 0 {
		x.At = time.UnixMicro(p.At)
	}
	if p.Since > 0 {
		x.Since = time.UnixMicro(p.Since)
	}
	return x
}

// sink writes an export: it counts rows, hashes bytes and keeps the reader's time.
type sink struct {
	out  *bufio.Writer
	sum  hash.Hash
	ctl  *http.ResponseController
	rows int
}

func newSink(w io.Writer, ctl *http.ResponseController) *sink {
	s := &sink{sum: sha256.New(), ctl: ctl}
	s.out = bufio.NewWriterSize(io.MultiWriter(w, s.sum), 256<<10)
	return s
}

func (s *sink) wrote() {
	if s.rows%extendEvery == 0 && s.ctl != nil {
		_ = s.ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
	}
	s.rows++
}

// servePages answers one page as JSON. Rows are written as they are read; what
// goes wrong then ends the connection, so that a short page never looks whole.
func servePages[T any](h *Handler, q *request, x *export[T]) error {
	o, err := parseOptions(q.r.URL.RawQuery)
	if err != nil {
		return err
	}
	p, page, err := exportOptions(&o, x.delta)
	if err != nil {
		return err
	}
	if o.top >= 0 {
		page = min(o.top, largestPage)
	}
	skip := p.Skip
	if index, err := natural("pageIndex", o.plain["pageindex"]); err == nil && index > 1 && o.token == "" {
		skip = (index - 1) * page
	}
	all, err := x.read(h, q, p.query())
	if err != nil {
		return err
	}
	hd := q.w.Header()
	hd.Set("Content-Type", "application/json; charset=utf-8")
	hd.Set("Trailer", TrailerRows+", "+TrailerHash)
	s := newSink(q.w, http.NewResponseController(q.w))
	var b, start []byte
	b = append(b, `{"@odata.context":`...)
	b = appendText(b, q.context(x.set))
	b = append(b, `,"generatedTime":`...)
	b = appendText(b, all.At.Truncate(time.Second).Format(time.RFC3339))
	b = append(b, `,"value":[`...)
	var next *place
	for d, err := range all.Devices {
		if err != nil {
			return q.abort(h, s.rows == 0, err)
		}
		start = start[:0]
		for i := range d.Rows {
			if x.keep != nil && !x.keep(&d.Rows[i]) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if s.rows == page {
				next = &place{At: all.At.UnixMicro(), Since: p.Since, Num: d.Num, Skip: skipped(x, d, i)}
				break
			}
			if len(start) == 0 {
				start = x.start(start, d)
			}
			if s.rows > 0 {
				b = append(b, ',')
			}
			b = x.row(b, start, d, &d.Rows[i])
			if _, err := s.out.Write(b); err != nil {
				return q.abort(h, false, err)
			}
			b = b[:0]
			s.wrote()
		}
		if next != nil {
			break
		}
	}
	b = append(b, ']')
	if next != nil && o.top < 0 {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendText(b, o.next(q.address(), s.rows, true, next.token()))
	}
	_, err = s.out.Write(append(b, '}'))
	if err == nil {
		err = s.out.Flush()
	}
	if err != nil {
		return q.abort(h, false, err)
	}
	hd.Set(TrailerRows, strconv.Itoa(s.rows))
	hd.Set(TrailerHash, hex.EncodeToString(s.sum.Sum(nil)))
	return nil
}

// skipped counts the rows of a device in front of row i that exports show.
func skipped[T any](x *export[T], d *server.DeviceExport[T], i int) int {
	if x.keep == nil {
		return i
	}
	n := 0
	for j := range d.Rows[:i] {
		if x.keep(&d.Rows[j]) {
			n++
		}
	}
	return n
}

// abort ends an answer that cannot be completed: as an error where nothing was
// sent yet, else by ending the connection.
func (q *request) abort(h *Handler, clean bool, err error) error {
	if clean {
		q.w.Header().Del("Trailer")
		return err
	}
	if h.opt.Broken != nil {
		h.opt.Broken(q.r, err)
	}
	panic(http.ErrAbortHandler)
}
