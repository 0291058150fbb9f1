package api

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// fetchExport asks over a real connection, where trailers travel.
func fetchExport(t *testing.T, srv *httptest.Server, session []string, target string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(session[0], session[1])
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.fake.devices[0].Tags = []string{"=1+1", "-x"}
	w.fake.devices[1].Name = "@SUM(A1)"
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	session := w.session()
	resp, body := fetchExport(t, srv, session, "/api/x/devices/export?q=s&health=Active&sort=name&format=csv")
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), `attachment; filename="devices-2026-01-02.csv"`) ||
		resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	if q := w.fake.lastQuery(); q.Text != "s" || q.Limit != 0 || q.Offset != 0 || q.Filter["health"][0] != "Active" || q.Sort[0] != "name" {
		t.Errorf("the export asked for %+v", q)
	}
	sum := sha256.Sum256([]byte(body))
	if resp.Trailer.Get(trailerRows) != "3" || resp.Trailer.Get(trailerHash) != hex.EncodeToString(sum[:]) {
		t.Errorf("trailers = %v", resp.Trailer)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][0] != "device_id" || rows[1][0] != string(deviceID(1)) {
		t.Fatalf("%v %v", rows, err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				if _, err := strconv.ParseFloat(cell, 64); err != nil {
					t.Errorf("column %s: a spreadsheet would run %q", rows[0][i], cell)
				}
			}
		}
	}
	if !strings.HasSuffix(body, "\r\n") {
		t.Error("lines do not end as RFC 4180 says")
	}
	resp, body = fetchExport(t, srv, session, "/api/x/devices/export?format=jsonl")
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if len(lines) != 3 || resp.Trailer.Get(trailerRows) != "3" {
		t.Fatalf("%d lines, trailers %v", len(lines), resp.Trailer)
	}
	for _, l := range lines {
		var d server.DeviceRow
		if err := json.Unmarshal([]byte(l), &d); err != nil || !d.ID.Valid() || strings.Contains(l, "<script") {
			t.Errorf("line %q: %v", l, err)
		}
	}
	if _, body = fetchExport(t, srv, session, "/api/x/devices/srv-01/closed/export"); !strings.HasPrefix(body, "device_id,weakness_id") || !strings.Contains(body, "\n"+string(deviceID(1))+",CVE-2024-1,") {
		t.Errorf("closed = %q", body)
	}
}

// TestExportSaysWhatItBelongsTo holds that every row of a list below a device,
// a product or a weakness carries its stable id first, in both formats, also
// when the device was named by its name.
func TestExportSaysWhatItBelongsTo(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.h)
	defer srv.Close()
	session := w.session()
	for _, tt := range []struct{ path, column, id string }{
		{"devices/srv-01/software", "device_id", string(deviceID(1))},
		{"devices/srv-01/vulnerabilities", "device_id", string(deviceID(1))},
		{"devices/" + string(deviceID(1)) + "/vulnerabilities", "device_id", string(deviceID(1))},
		{"devices/srv-01/closed", "device_id", string(deviceID(1))},
		{"software/debian-_-openssl/devices", "software_id", "debian-_-openssl"},
		{"software/debian-_-openssl/vulnerabilities", "software_id", "debian-_-openssl"},
		{"weaknesses/CVE-2024-1000/devices", "weakness_id", "CVE-2024-1000"},
		{"weaknesses/CVE-2024-1000/software", "weakness_id", "CVE-2024-1000"},
	} {
		_, text := fetchExport(t, srv, session, "/api/x/"+tt.path+"/export?format=csv")
		table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(table) < 2 {
			t.Fatalf("%s as CSV: %d rows, %v", tt.path, len(table), err)
		}
		for i, row := range table {
			if want := map[bool]string{true: tt.column, false: tt.id}[i == 0]; row[0] != want {
				t.Errorf("%s as CSV, row %d begins with %q, want %q", tt.path, i, row[0], want)
			}
		}
		resp, text := fetchExport(t, srv, session, "/api/x/"+tt.path+"/export?format=jsonl")
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		sum := sha256.Sum256([]byte(text))
		if len(lines) != len(table)-1 || resp.Trailer.Get(trailerRows) != strconv.Itoa(len(lines)) || resp.Trailer.Get(trailerHash) != hex.EncodeToString(sum[:]) {
			t.Errorf("%s as JSON Lines: %d lines for %d rows, trailers %v", tt.path, len(lines), len(table)-1, resp.Trailer)
		}
		for _, l := range lines {
			var row map[string]any
			if err := json.Unmarshal([]byte(l), &row); err != nil || row[tt.column] != tt.id || len(row) < 3 || strings.Contains(l, "<script") {
				t.Errorf("%s as JSON Lines: %q: %v", tt.path, l, err)
			}
		}
	}
}

// TestPoison asks every route for data and finds no markup that a browser
// would take for its own.
func TestPoison(t *testing.T) {
	w := newWorld(t)
	session := w.session()
	for name, rt := range table {
		method, _, _ := strings.Cut(name, " ")
		if method != "GET" {
			continue
		}
		a := w.stop(w.request(method, rt.target, "", session...))
		ct := a.header.Get("Content-Type")
		if strings.Contains(ct, "html") || a.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s %v", name, ct, a.header)
		}
		if strings.Contains(ct, "json") && strings.ContainsAny(a.body, "<>\x1b\x00\u2028") {
			t.Errorf("%s: markup or control characters are not escaped: %.200s", name, a.body)
		}
		if strings.HasPrefix(ct, "text/csv") {
			if _, err := csv.NewReader(strings.NewReader(a.body)).ReadAll(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
