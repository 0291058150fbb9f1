package simulate

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

// judge is how a device's configuration is judged: results by state.
func judge(h *host) map[posture.State]int {
	all := map[inventory.SectionName]*inventory.Section{}
	for _, s := range h.sections(start) {
		all[s.Name] = s
	}
	out := map[posture.State]int{}
	for _, r := range posture.Evaluate(all) {
		out[r.State]++
	}
	return out
}

// Simulated devices are configured as a fleet is: most checks can be judged,
// nobody passes or fails all, and roles that are looked after do better.
func TestSettings(t *testing.T) {
	u := mustUniverse(t)
	c := &clock{start: start, tick: time.Hour}
	pass, judged := map[string]int{}, map[string]int{}
	for n := range 300 {
		h := newHost(u, c, 1, n)
		states := judge(h)
		if n := states[posture.NotAssessed]; n > 3 {
			t.Errorf("device %d (%s %s): %d checks could not be judged", h.n, h.rel.file, h.role.name, n)
		}
		if h.rel.section != inventory.APK && states[posture.Pass]+states[posture.Fail] < 100 {
			t.Errorf("device %d (%s): %v", h.n, h.rel.file, states)
		}
		if states[posture.Pass] == 0 || states[posture.Fail] == 0 {
			t.Errorf("device %d: %v", h.n, states)
		}
		for _, k := range []string{h.role.name, "all"} {
			pass[k] += states[posture.Pass]
			judged[k] += states[posture.Pass] + states[posture.Fail]
		}
	}
	share := func(role string) float64 { return float64(pass[role]) / float64(judged[role]) }
	if s := share("all"); s < 0.5 || s > 0.85 {
		t.Errorf("%.2f of all checks pass", s)
	}
	t.Logf("%.2f of what was judged passes; bastions %.2f, web %.2f, build hosts %.2f", share("all"), share("bastion"), share("web"), share("build"))
	if share("bastion") < share("build")+0.1 {
		t.Errorf("bastions pass %.2f, build hosts %.2f", share("bastion"), share("build"))
	}
}

// The same device has the same settings again, and administrators change some
// of them in time, never by more than they touch.
func TestSettingsChange(t *testing.T) {
	u := mustUniverse(t)
	c := &clock{start: start, tick: time.Hour}
	text := func(h *host) string {
		var out []*inventory.Section
		for _, s := range h.sections(start) {
			if slices.Contains(inventory.SettingSections, s.Name) {
				out = append(out, s)
			}
		}
		raw, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	changed := 0
	for n := range 40 {
		a, b := newHost(u, c, 7, n), newHost(u, c, 7, n)
		before := text(a)
		for range 30 {
			a.advance()
			b.advance()
		}
		if text(a) != text(b) {
			t.Fatalf("device %d: the same seed, other settings", n)
		}
		if text(a) != before {
			changed++
		}
	}
	if changed < 10 || changed == 40 {
		t.Errorf("after thirty steps the settings of %d of 40 devices changed", changed)
	}
}

// The list of settings refuses what it cannot mean.
func TestSettingLineRefuses(t *testing.T) {
	u := mustUniverse(t)
	for _, line := range []string{"topic nowhere x", "topic sshd", "permitrootlogin | no", "a | b | c | d | e"} {
		if err := u.settingLine(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}
