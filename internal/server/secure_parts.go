package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

// SecureCheckRow is what one configuration check puts into the secure score of
// the devices that somebody looks at. The points of the checks of a category add
// up to those of the category.
type SecureCheckRow struct {
	ID          string  `json:"id"` // of the recommendation: "sca-_-scid-1001"
	Check       string  `json:"check"`
	Name        string  `json:"name"`
	Category    string  `json:"category"`
	Subcategory string  `json:"subcategory"`
	Impact      int     `json:"impact"` // 1 to 10
	Got         float64 `json:"got"`    // points: Impact · (passed + mitigated) / (passed + mitigated + failed + not assessed)
	GotExact    string  `json:"got_exact"`
	Max         int64   `json:"max"`     // Impact; 0 when the check concerns no device
	Missing     float64 `json:"missing"` // Max less Got
	Passed      int     `json:"passed"`  // devices
	Mitigated   int     `json:"mitigated"`
	Failed      int     `json:"failed"` // without those that are mitigated
	NotAssessed int     `json:"not_assessed"`
	NotConcern  int     `json:"not_applicable"`
}

// SecureCheck is a configuration check with what it asks for and why.
type SecureCheck struct {
	SecureCheckRow
	Description string    `json:"description"`
	Steps       []string  `json:"steps"`       // how to make it pass
	UserImpact  string    `json:"user_impact"` // what people notice of the change
	References  []string  `json:"references"`  // places of benchmarks that ask for the same
	AsOf        time.Time `json:"as_of"`
}

// CheckDeviceRow is what a configuration check says of one device.
type CheckDeviceRow struct {
	ID        inventory.DeviceID `json:"id"`
	Name      string             `json:"name"`
	OSName    string             `json:"os_name"`
	GroupID   exposure.Group     `json:"group_id"`
	Group     string             `json:"group"`
	State     string             `json:"state"` // pass, fail, not_applicable, not_assessed
	Reason    string             `json:"reason"`
	Mitigated bool               `json:"mitigated"` // an exception says that the risk is dealt with in another way: it counts as passed
	LastSeen  time.Time          `json:"last_seen"`
}

// stateWords are the results of checks in words of filters.
var stateWords = []string{string(posture.Pass), string(posture.Fail), string(posture.NotApplicable), string(posture.NotAssessed)}

func secureCheckList() *list[SecureCheckRow] {
	return &list[SecureCheckRow]{
		text: func(r *SecureCheckRow, has func(string) bool) bool {
			return has(r.Name) || has(r.ID) || has(r.Subcategory)
		},
		filters: map[string]func(*SecureCheckRow, []string) bool{
			"category": oneOf(func(r *SecureCheckRow) string { return r.Category }),
			"missing":  truth(func(r *SecureCheckRow) bool { return r.Missing > 0 }),
			"state": func(r *SecureCheckRow, want []string) bool {
				n := map[string]int{string(posture.Pass): r.Passed + r.Mitigated, string(posture.Fail): r.Failed, string(posture.NotApplicable): r.NotConcern, string(posture.NotAssessed): r.NotAssessed}
				for _, w := range want {
					if n[w] > 0 {
						return true
					}
				}
				return false
			},
		},
		values: map[string][]string{"category": categoryWords(), "missing": yesNo, "state": stateWords},
		order: map[string]func(a, b *SecureCheckRow) int{
			"name":           byText(func(r *SecureCheckRow) string { return r.Name }),
			"category":       byText(func(r *SecureCheckRow) string { return r.Category }),
			"impact":         byNumber(func(r *SecureCheckRow) int { return r.Impact }),
			"got":            byNumber(func(r *SecureCheckRow) float64 { return r.Got }),
			"missing":        byNumber(func(r *SecureCheckRow) float64 { return r.Missing }),
			"passed":         byNumber(func(r *SecureCheckRow) int { return r.Passed + r.Mitigated }),
			"failed":         byNumber(func(r *SecureCheckRow) int { return r.Failed }),
			"not_assessed":   byNumber(func(r *SecureCheckRow) int { return r.NotAssessed }),
			"not_applicable": byNumber(func(r *SecureCheckRow) int { return r.NotConcern }),
		},
		tie:     func(a, b *SecureCheckRow) int { return strings.Compare(a.Check, b.Check) },
		initial: []string{"-missing", "name"},
	}
}

// SecureChecks opens the secure score of what the caller looks at into all configuration checks.
func (s *Server) SecureChecks(_ context.Context, caller Caller, q Query) (Page[SecureCheckRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[SecureCheckRow]{}, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return secureCheckList().page(q, s.core.secureChecks(s.core.lens(caller)))
}

// secureChecks are all checks over the active devices of a lens. The caller
// holds mu for reading.
func (c *core) secureChecks(l lens) []*SecureCheckRow {
	in := l.of(c.active())
	out := make([]*SecureCheckRow, 0, len(posture.Checks()))
	for i := range posture.Checks() {
		out = append(out, c.secureCheck(i, in))
	}
	return out
}

// secureCheck is one check over some devices. The caller holds mu for reading.
func (c *core) secureCheck(i int, in *roaring.Bitmap) *SecureCheckRow {
	k, n := posture.Checks()[i], c.checkCount(i, in)
	row := &SecureCheckRow{ID: "sca-_-" + k.ID, Check: k.ID, Name: k.Title, Category: string(k.Category), Subcategory: k.Subcategory, Impact: k.Impact, GotExact: "0",
		Passed: n.Pass, Mitigated: n.Mitigated, Failed: n.Fail, NotAssessed: n.NotAssessed, NotConcern: int(c.checks.devices(i, posture.NotApplicable).AndCardinality(in))}
	if sum := posture.Score(map[string]posture.Count{k.ID: n}); len(sum.Checks) == 1 {
		one := &sum.Checks[0]
		row.Max, row.GotExact = one.Max, one.Got.RatString()
		row.Got, _ = one.Got.Float64()
		row.Missing, _ = one.Impact.Float64()
	}
	return row
}

// checkNamed is the number of a check by its id or that of its recommendation.
func checkNamed(id string) (int, error) {
	n, ok := checkNumber(strings.TrimPrefix(id, "sca-_-"))
	if !ok {
		return 0, fmt.Errorf("configuration check %q: %w", id, ErrNotFound)
	}
	return n, nil
}

// SecureCheck is one configuration check over the devices that the caller looks
// at, by its id or that of its recommendation; also one that no device fails.
func (s *Server) SecureCheck(_ context.Context, caller Caller, id string) (SecureCheck, error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return SecureCheck{}, err
	}
	n, err := checkNamed(id)
	if err != nil {
		return SecureCheck{}, err
	}
	c, k := s.core, posture.Checks()[n]
	c.mu.RLock()
	defer c.mu.RUnlock()
	return SecureCheck{SecureCheckRow: *c.secureCheck(n, c.lens(caller).of(c.active())), Description: k.Rationale, Steps: checkSteps(k), UserImpact: k.UserImpact,
		References: checkReferences(k), AsOf: time.Now().UTC()}, nil
}

// checkDevice is a device with a result, before it is shown.
type checkDevice struct {
	d     *device
	state posture.State
}

func (c *core) checkDeviceList() *list[checkDevice] {
	return &list[checkDevice]{
		text: func(r *checkDevice, has func(string) bool) bool {
			return has(r.d.sum.Name) || has(r.d.sum.FQDN) || has(string(r.d.id))
		},
		filters: map[string]func(*checkDevice, []string) bool{
			"state":        oneOf(func(r *checkDevice) string { return string(r.state) }),
			"device_group": oneOf(func(r *checkDevice) string { return strconv.Itoa(int(r.d.group)) }),
		},
		values: map[string][]string{"state": stateWords},
		order: map[string]func(a, b *checkDevice) int{
			"name":  byText(func(r *checkDevice) string { return r.d.sum.Name }),
			"os":    byText(func(r *checkDevice) string { return r.d.sum.OSName }),
			"group": byText(func(r *checkDevice) string { return c.sorting.names[r.d.group] }),
			"state": byText(func(r *checkDevice) string { return string(r.state) }),
		},
		tie:     func(a, b *checkDevice) int { return strings.Compare(string(a.d.id), string(b.d.id)) },
		initial: []string{"name"},
	}
}

// CheckDevices lists the devices of which a configuration check (its id, or that
// of its recommendation) says something, with the reason where it is not passed.
func (s *Server) CheckDevices(ctx context.Context, caller Caller, id string, q Query) (Page[CheckDeviceRow], error) {
	if err := s.need(caller, RecommendationRead); err != nil {
		return Page[CheckDeviceRow]{}, err
	}
	n, err := checkNamed(id)
	if err != nil {
		return Page[CheckDeviceRow]{}, err
	}
	p, nums, err := s.core.checkDevices(caller, n, q)
	if err != nil {
		return Page[CheckDeviceRow]{}, err
	}
	for i := range p.Items { // what is not shown is not read
		row := &p.Items[i]
		if row.State == string(posture.Pass) {
			continue
		}
		sections, err := s.st.Sections(ctx, nums[i])
		if err != nil {
			return Page[CheckDeviceRow]{}, fmt.Errorf("read sections of %s: %w", row.ID, err)
		}
		if r := posture.EvaluateOne(posture.Checks()[n], sections); string(r.State) == row.State {
			row.Reason = r.Reason
		}
	}
	return p, nil
}

// checkDevices is a page of the devices of a check without reasons, and their numbers.
func (c *core) checkDevices(caller Caller, check int, q Query) (Page[CheckDeviceRow], []uint32, error) {
	now := time.Now().UTC()
	c.mu.RLock()
	defer c.mu.RUnlock()
	in := c.lens(caller).of(c.active())
	var rows []*checkDevice
	for _, state := range verdictStates {
		if want := q.Filter["state"]; len(want) > 0 && !slices.Contains(want, string(state)) {
			continue
		}
		devs := roaring.And(c.checks.devices(check, state), in)
		all := make([]checkDevice, 0, devs.GetCardinality())
		for it := devs.Iterator(); it.HasNext(); {
			if d := c.at(it.Next()); d != nil {
				all = append(all, checkDevice{d, state})
				rows = append(rows, &all[len(all)-1])
			}
		}
	}
	cut, total, err := c.checkDeviceList().cut(q, rows)
	if err != nil {
		return Page[CheckDeviceRow]{}, nil, err
	}
	other := c.fleet.Scores().CheckMitigated(check)
	p, nums := Page[CheckDeviceRow]{Total: total, AsOf: now, Items: make([]CheckDeviceRow, len(cut))}, make([]uint32, len(cut))
	for i, r := range cut {
		nums[i] = r.d.num
		counts := r.state == posture.Fail || r.state == posture.NotAssessed
		p.Items[i] = CheckDeviceRow{ID: r.d.id, Name: r.d.sum.Name, OSName: r.d.sum.OSName, GroupID: r.d.group, Group: c.groupName(r.d.group), State: string(r.state),
			Mitigated: counts && other != nil && other.Contains(r.d.num), LastSeen: r.d.lastSeen(now)}
	}
	return p, nums, nil
}
