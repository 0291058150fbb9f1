package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/intel"
)

const deskKEV = `{"title":"T","catalogVersion":"2026.06.29","dateReleased":"2026-06-29T00:00:00.0000Z","count":1,"vulnerabilities":[` +
	`{"cveID":"CVE-2024-0001","vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2024-05-01","shortDescription":"S","requiredAction":"A","dueDate":"2024-06-01","knownRansomwareCampaignUse":"Unknown","notes":""}]}`

// newDesk makes a desk on an empty store; changes counts the calls of changed.
func newDesk(t *testing.T) (d *intelDesk, changes *int) {
	t.Helper()
	st, err := intel.Open(filepath.Join(t.TempDir(), "intel.db"), intel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	changes = new(int)
	d = newIntelDesk(st, slog.New(slog.NewTextHandler(io.Discard, nil)), func(context.Context, intel.Result) error { *changes++; return nil })
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, changes
}

// jobEnds waits until no job runs.
func jobEnds(t *testing.T, d *intelDesk) JobRow {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if j := d.intel().Job; j != nil && j.State != "running" {
			return *j
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	t.Fatal("the job does not end")
	return JobRow{}
}

func TestDeskImport(t *testing.T) {
	d, changes := newDesk(t)
	if in := d.intel(); !in.Empty || in.Demo || in.Stale || in.Job != nil {
		t.Errorf("empty: %+v", in)
	}
	path := filepath.Join(t.TempDir(), "kev.json")
	if err := os.WriteFile(path, []byte(deskKEV), 0o600); err != nil {
		t.Fatal(err)
	}
	res, err := d.runImport(t.Context(), []string{path, path + ".missing"}, nil)
	problems, rest := pathProblems(err)
	if rest != nil || !res.Changed || *changes != 1 || len(problems) != 1 || problems[0].Path != path+".missing" {
		t.Errorf("%v %v %d %+v", rest, res.Changed, *changes, problems)
	}
	if _, err := d.runImport(t.Context(), []string{path}, nil); err != nil || *changes != 1 {
		t.Errorf("the same again: %v, %d changes", err, *changes)
	}
	in := d.intel()
	if in.Empty || in.Weaknesses != 1 || !in.Stale || in.Job == nil || in.Job.State != "done" || in.Job.Kind != "import" {
		t.Errorf("%+v %+v", in, in.Job)
	}
	f := in.Feeds[0]
	if f.Name != "kev" || f.Records != 1 || !f.Stale || f.MaxAge != 7 || f.AgeDays < 100 || f.Source != path || f.Licence == "" {
		t.Errorf("%+v", f)
	}
}

func TestFeedRowStale(t *testing.T) {
	now := time.Date(2026, 7, 10, 0, 0, 0, 0, time.UTC)
	f := intel.FeedState{Name: "kev", Date: now.Add(-6 * 24 * time.Hour), MaxAge: advisory.MaxAge("kev")}
	if row := feedRow(&f, now); row.Stale || row.AgeDays != 6 {
		t.Errorf("%+v", row)
	}
	f.Date = now.Add(-8 * 24 * time.Hour)
	if row := feedRow(&f, now); !row.Stale || row.AgeDays != 8 {
		t.Errorf("%+v", row)
	}
	demo := intel.FeedState{Name: "demo", Demo: true, LoadedAt: now.AddDate(-1, 0, 0)}
	if row := feedRow(&demo, now); row.Stale {
		t.Errorf("the demo is never stale: %+v", row)
	}
}

// feedsAt makes every group of feeds come from one server.
func feedsAt(url string) map[string]string {
	base := map[string]string{}
	for g := range intel.Groups() {
		base[g] = url + "/" + g
	}
	return base
}

func TestDeskSync(t *testing.T) {
	d, changes := newDesk(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/kev/known_exploited_vulnerabilities.json" {
			_, _ = io.WriteString(w, deskKEV)
			return
		}
		http.NotFound(w, r)
	}))
	defer up.Close()
	d.configure(feedsAt(up.URL), up.Client())
	job, err := d.startSync(t.Context())
	if err != nil || job.State != "running" || job.Kind != "sync" {
		t.Fatalf("%+v %v", job, err)
	}
	end := jobEnds(t, d)
	if end.ID != job.ID || end.State != "failed" || end.Error == "" || *changes != 1 { // most feeds are not there
		t.Errorf("%+v, %d changes", end, *changes)
	}
	if in := d.intel(); in.Empty || in.Feeds[0].Name != "kev" {
		t.Errorf("%+v", in)
	}
	if err := d.cancel(job.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("cancel of a job that ended: %v", err)
	}
}

func TestDeskOneJobAtATimeAndCancel(t *testing.T) {
	d, _ := newDesk(t)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer up.Close()
	d.configure(feedsAt(up.URL), up.Client())
	job, err := d.startSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.startSync(t.Context()); !errors.Is(err, ErrConflict) {
		t.Errorf("second sync: %v", err)
	}
	if err := d.cancel("intel-99"); !errors.Is(err, ErrNotFound) {
		t.Errorf("cancel of another job: %v", err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := d.runImport(ctx, []string{"/nonexistent"}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an import waits for the sync: %v", err)
	}
	if err := d.cancel(job.ID); err != nil {
		t.Fatal(err)
	}
	if end := jobEnds(t, d); end.State != "cancelled" {
		t.Errorf("%+v", end)
	}
}

func TestSyncArguments(t *testing.T) {
	for name, args := range map[string]IntelSyncArgs{
		"feed":  {Feeds: []string{"nonsense"}},
		"base":  {Base: map[string]string{"osv": "ftp://x"}},
		"group": {Base: map[string]string{"nonsense": "http://x"}},
		"proxy": {Proxy: "::"},
	} {
		if _, err := args.options("d"); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	opt, err := IntelSyncArgs{Feeds: []string{"osv/PyPI"}, Base: map[string]string{"osv": "http://mirror/osv"}}.options("d")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"osv": "http://mirror/osv"}, opt.Base); diff != "" || opt.Dir != "d" || opt.Client == nil {
		t.Error(diff, opt)
	}
}
