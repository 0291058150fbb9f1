package server

import (
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/demo"
)

// TestStatus: without intelligence, and with stale intelligence, health is
// amber and says why; the demo is told for what it is.
func TestStatus(t *testing.T) {
	s := testServer(t)
	ask := func() (health string, demo bool, notices string) {
		t.Helper()
		st, err := s.Status(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, n := range st.Notices {
			b.WriteString(n.Level + ": " + n.Text + "\n")
		}
		return st.Health, st.Demo, b.String()
	}
	check := func(when, health string, demo bool, notices ...string) {
		t.Helper()
		h, d, text := ask()
		if h != health || d != demo || strings.Count(text, "\n") != len(notices) {
			t.Errorf("%s: health %s, demo %v, notices:\n%s", when, h, d, text)
		}
		for _, n := range notices {
			if !strings.Contains(text, n) {
				t.Errorf("%s: want %q in\n%s", when, n, text)
			}
		}
	}
	check("new", "amber", false, "warning: No intelligence is loaded")
	if err := s.LoadDemo(t.Context(), demo.Intelligence()); err != nil {
		t.Fatal(err)
	}
	check("demo", "ok", true, "info: Running on demo intelligence")
	load(t, s, "tracker-"+time.Now().UTC().Format(time.DateOnly)+".json", "openssl CVE-2024-0001 open")
	check("a fresh feed of packages", "ok", false)
	give(t, s, "epss.csv", "#model_version:v2025.03.14,score_date:2025-06-30T00:00:00Z\ncve,epss,percentile\nCVE-2024-0001,0.1,0.2\n")
	check("a stale feed", "amber", false, "warning: Intelligence is out of date: FIRST EPSS.")
}
