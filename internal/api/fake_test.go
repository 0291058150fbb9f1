package api

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/store"
)

// poison is in every text that an endpoint could have sent.
const poison = `<script>alert(1)</script>"&'` + "\u2028\x00\x1b[31m"

var asOf = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// fake is a product with a little data in memory and the door of the real one.
type fake struct {
	*server.Accounts
	*server.Exports
	devices    []server.DeviceRow
	software   []server.SoftwareRow
	weaknesses []server.WeaknessRow

	asked atomic.Pointer[server.MachineVulnQuery]   // what MachineVulns was asked last
	refs  atomic.Pointer[server.DeviceRefQuery]     // what a list of references asked last
	table atomic.Pointer[server.WeaknessTableQuery] // what WeaknessTable was asked last
	rows  atomic.Pointer[rowsAsked]                 // what any other table was asked last

	mu     sync.Mutex
	last   server.Query     // of the last list
	tagged server.TagChange // the last one

	audited []string // "actor action object status"

	exported server.ExportQuery // of the last export of weaknesses
	broken   int                // exports fail at this device, counted from 1
}

var _ Backend = (*fake)(nil)

func deviceID(n int) inventory.DeviceID { return inventory.DeviceID(fmt.Sprintf("%040x", n)) }

func newFake(a *server.Accounts) *fake {
	f := &fake{Accounts: a}
	for n := 1; n <= 3; n++ {
		f.devices = append(f.devices, server.DeviceRow{
			ID: deviceID(n), Name: fmt.Sprintf("srv-%02d", n), DNSName: fmt.Sprintf("srv-%02d.corp.example", n), OSPlatform: "Debian", OSVersion: "12",
			OSName: "Debian GNU/Linux 12 (bookworm)", Arch: "amd64", Health: "Active", IP: fmt.Sprintf("10.0.0.%d", n),
			FirstSeen: asOf.Add(-time.Hour), LastSeen: asOf.Add(time.Duration(n) * time.Minute), Tags: []string{}, Weaknesses: n, GroupWord: "Unassigned",
		})
	}
	f.devices[1].Tags = []string{"finance", "vip"}
	f.devices[2].Name, f.devices[2].DNSName, f.devices[2].Tags = poison, "", []string{poison}
	f.software = []server.SoftwareRow{
		{ID: "debian-_-openssl", Name: "openssl", Vendor: "debian", Ecosystem: "Debian", Versions: 1, Weaknesses: 2, Exposed: 2, Installed: 3, Tags: []string{},
			Threats: server.Threats{Exploit: advisory.ExploitPublic}},
		{ID: "npm-_-%40babel%2Fcore", Name: "@babel/core", Vendor: "npm", Ecosystem: "npm", Versions: 1, Installed: 1, Tags: []string{}, Threats: server.Threats{Exploit: advisory.NoExploit}},
		{ID: "pypi-_-x", Name: poison, Vendor: poison, Ecosystem: "PyPI", Installed: 1, Tags: []string{poison}},
	}
	f.weaknesses = []server.WeaknessRow{
		{ID: "CVE-2024-1000", Title: poison, Severity: advisory.Critical, CVSS: 9.8, CVSSVer: "3.1", EPSS: 0.123456789, Exposed: 2, Affected: 2, Published: asOf, Updated: asOf,
			Software: []server.SoftwareRef{}, Tags: []string{}, Threats: server.Threats{Exploit: advisory.ExploitVerified, KEV: true}},
		{ID: "CVE-2024-2000", Title: "second", Severity: advisory.Unrated, Exposed: 1, Affected: 1, Software: []server.SoftwareRef{}, Tags: []string{}},
		{ID: "CVE-2024-3000", Title: "latent", Severity: advisory.Low, Affected: 1, Software: []server.SoftwareRef{}, Tags: []string{}},
	}
	return f
}

// need is the door, as in the real server.
func need(c server.Caller, anyOf ...string) error {
	if slices.ContainsFunc(anyOf, c.Has) {
		return nil
	}
	return server.ErrDenied
}

func paged[T any](f *fake, rows []T, q server.Query, where func(*T) bool) server.Page[T] {
	f.mu.Lock()
	f.last = q
	f.mu.Unlock()
	p := server.Page[T]{AsOf: asOf}
	if order, ok := q.Order.(func(a, b *T) int); ok {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b T) int { return order(&a, &b) })
	}
	for i := range rows {
		if where != nil && !where(&rows[i]) {
			continue
		}
		if p.Total >= q.Offset && (q.Limit == 0 || len(p.Items) < q.Limit) {
			p.Items = append(p.Items, rows[i])
		}
		p.Total++
	}
	return p
}

func (f *fake) lastQuery() server.Query {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *fake) Status(_ context.Context, c server.Caller) (server.Status, error) {
	return server.Status{Version: "test"}, need(c, server.MachineRead)
}

func (f *fake) Search(_ context.Context, c server.Caller, text string) ([]server.SearchHit, error) {
	if text == "panic" {
		panic("secret detail")
	}
	if text == "broken" {
		return nil, fmt.Errorf("secret detail")
	}
	return nil, need(c, server.MachineRead)
}

func (f *fake) Devices(_ context.Context, c server.Caller, q server.Query, where func(*server.DeviceRow) bool) (server.Page[server.DeviceRow], error) {
	rows := slices.Clone(f.devices)
	if len(q.Sort) > 0 && q.Sort[0] == "-last_seen" {
		slices.SortFunc(rows, func(a, b server.DeviceRow) int { return b.LastSeen.Compare(a.LastSeen) })
	}
	return paged(f, rows, q, where), need(c, server.MachineRead)
}

func (f *fake) Events(_ context.Context, c server.Caller, q server.Query) (server.Page[server.EventRow], error) {
	rows := []server.EventRow{{ID: "ev-1", At: asOf, Kind: server.NewVulnerability, Title: poison, Component: poison, Impacted: 2, Counted: 3}}
	return paged(f, rows, q, nil), need(c, server.VulnerabilityRead)
}

func (f *fake) EventCounts(_ context.Context, c server.Caller, _ server.Query) (server.EventCounts, error) {
	return server.EventCounts{}, need(c, server.VulnerabilityRead)
}

func (f *fake) Event(_ context.Context, c server.Caller, id string) (server.EventDetail, error) {
	return server.EventDetail{EventRow: server.EventRow{ID: id}}, need(c, server.VulnerabilityRead)
}

func (f *fake) EventVulns(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.WeaknessRow], error) {
	return paged(f, f.weaknesses, q, nil), need(c, server.VulnerabilityRead)
}

func (f *fake) Dashboard(_ context.Context, c server.Caller) (server.Dashboard, error) {
	return server.Dashboard{}, need(c, server.ScoreRead)
}

func (f *fake) ExposureScore(_ context.Context, c server.Caller) (server.ScoreView, error) {
	return server.ScoreView{Score: 12.345678901, Level: exposure.LevelLow, Version: exposure.ScoreVersion, Devices: 3}, need(c, server.ScoreRead)
}

func (f *fake) SecureScore(_ context.Context, c server.Caller) (server.SecureScoreView, error) {
	return server.SecureScoreView{SecureCategory: server.SecureCategory{Got: 7.5, Max: 10, PerCent: 75}, Version: 1, Categories: []server.SecureCategory{}}, need(c, server.ScoreRead)
}

func (f *fake) DeviceChecks(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.DeviceCheckRow], error) {
	return paged(f, []server.DeviceCheckRow{{ID: "sca-_-scid-1001", Check: "scid-1001", State: "fail", Evidence: []server.CheckEvidence{}}}, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) DeviceScore(_ context.Context, c server.Caller, _ string) (server.DeviceScore, error) {
	return server.DeviceScore{Terms: []server.ScoreTerm{}}, need(c, server.ScoreRead)
}

func (f *fake) SetDeviceValue(_ context.Context, c server.Caller, _, _ string) error {
	return need(c, server.MachineReadWrite)
}

func (f *fake) SetExclusion(_ context.Context, c server.Caller, _ string, _ *server.Exclusion) error {
	return need(c, server.MachineReadWrite)
}

func (f *fake) DeviceGroups(_ context.Context, c server.Caller) ([]server.DeviceGroup, error) {
	return []server.DeviceGroup{{ID: 7, Name: poison, Rank: 1, Rules: []group.Rule{}}}, need(c, server.MachineRead)
}

func (f *fake) SaveDeviceGroup(_ context.Context, c server.Caller, id exposure.Group, e server.RuleEdit) (server.DeviceGroup, error) {
	return server.DeviceGroup{ID: id, Name: e.Name, Rules: e.Rules}, need(c, server.ManageSettings)
}

func (f *fake) SetGroupAccess(_ context.Context, c server.Caller, id exposure.Group, _ server.GroupAccess) (server.DeviceGroup, error) {
	return server.DeviceGroup{ID: id, Rules: []group.Rule{}, UserGroups: []int64{}}, need(c, server.ManageSettings)
}

func (f *fake) DeleteDeviceGroup(_ context.Context, c server.Caller, _ exposure.Group) error {
	return need(c, server.ManageSettings)
}

func (f *fake) OrderDeviceGroups(_ context.Context, c server.Caller, _ []exposure.Group) error {
	return need(c, server.ManageSettings)
}

func (f *fake) PreviewDeviceGroup(_ context.Context, c server.Caller, _ exposure.Group, _ []group.Rule) (server.RulePreview, error) {
	return server.RulePreview{From: []server.PreviewGroup{}, Devices: []server.PreviewRow{{Name: poison}}}, need(c, server.ManageSettings)
}

func (f *fake) ScoresByGroup(_ context.Context, c server.Caller) ([]server.GroupScore, error) {
	return []server.GroupScore{{ID: 7, Name: "web", Word: "web", ScoreView: server.ScoreView{Score: 1.5, Devices: 2, AsOf: asOf}}, {Name: server.Ungrouped, Word: "Unassigned"}}, need(c, server.ScoreRead)
}

func (f *fake) TagRules(_ context.Context, c server.Caller) ([]server.TagRule, error) {
	return []server.TagRule{{ID: 1, Tag: poison, Rules: []group.Rule{}}}, need(c, server.MachineRead)
}

func (f *fake) SaveTagRule(_ context.Context, c server.Caller, id int64, e server.RuleEdit) (server.TagRule, error) {
	return server.TagRule{ID: id, Tag: e.Name, Rules: e.Rules}, need(c, server.ManageSettings)
}

func (f *fake) DeleteTagRule(_ context.Context, c server.Caller, _ int64) error {
	return need(c, server.ManageSettings)
}

func (f *fake) PreviewTagRule(_ context.Context, c server.Caller, _ int64, _ []group.Rule) (server.RulePreview, error) {
	return server.RulePreview{From: []server.PreviewGroup{}, Devices: []server.PreviewRow{}}, need(c, server.ManageSettings)
}

func (f *fake) Tags(_ context.Context, c server.Caller) ([]server.TagRow, error) {
	return []server.TagRow{{Tag: poison, Kinds: []string{server.TagAgent}}}, need(c, server.MachineRead)
}

func (f *fake) OperatingSystems(_ context.Context, c server.Caller) ([]server.OSRow, error) {
	return []server.OSRow{{Platform: poison, Version: poison, Name: poison, Life: "unknown", Devices: 1}}, need(c, server.MachineRead)
}

func (f *fake) ChangeTags(_ context.Context, c server.Caller, ch server.TagChange) (server.TagResult, error) {
	f.tagged = ch
	return server.TagResult{}, need(c, server.MachineReadWrite)
}

func (f *fake) Recommendations(_ context.Context, c server.Caller, q server.Query, where func(*server.RecommendationRow) bool) (server.Page[server.RecommendationRow], error) {
	return paged(f, f.recommendations(), q, where), need(c, server.RecommendationRead)
}

func (f *fake) recommendations() []server.RecommendationRow {
	return []server.RecommendationRow{{ID: "va-_-debian-_-openssl", Name: "Update " + poison, ProductID: "debian-_-openssl", Component: poison, Vendor: "debian",
		Type: server.RemedyUpdate, Weaknesses: 2, Exposed: 2, Installed: 3, Impact: 1.23456789, Status: "Active", Tags: []string{}}}
}

func (f *fake) Recommendation(_ context.Context, c server.Caller, _ string) (server.Recommendation, error) {
	return server.Recommendation{}, need(c, server.RecommendationRead)
}

func (f *fake) RecommendationSoftware(_ context.Context, c server.Caller, _ string) (server.SoftwareRow, error) {
	return server.SoftwareRow{ID: "debian-_-openssl", Name: "openssl", Vendor: "debian", Impact: 1.5, Installed: 3}, need(c, server.RecommendationRead)
}

func (f *fake) CountCritical(_ context.Context, c server.Caller, rows []server.RecommendationRow) error {
	for i := range rows {
		rows[i].Critical = 1
	}
	return need(c, server.RecommendationRead)
}

func (f *fake) CountUnnoticed(_ context.Context, c server.Caller, rows []server.RecommendationRow) error {
	for i := range rows {
		rows[i].Unnoticed = 2
	}
	return need(c, server.RecommendationRead)
}

func (f *fake) RecommendationDevices(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.DeviceRow], error) {
	return paged(f, f.devices, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) RecommendationVulns(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.WeaknessRow], error) {
	return paged(f, f.weaknesses, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) DeviceRecommendations(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.DeviceRecommendationRow], error) {
	return paged(f, []server.DeviceRecommendationRow{{ID: "va-_-debian-_-openssl", Tags: []string{}}}, q, nil), need(c, server.RecommendationRead)
}

func (f *fake) find(id string) (*server.DeviceRow, error) {
	for i := range f.devices {
		if d := &f.devices[i]; string(d.ID) == id || strings.EqualFold(d.Name, id) || strings.EqualFold(d.DNSName, id) {
			return d, nil
		}
	}
	return nil, server.ErrNotFound
}

func (f *fake) Device(_ context.Context, c server.Caller, id string) (server.Device, error) {
	d, err := f.find(id)
	if err != nil {
		return server.Device{}, err
	}
	return server.Device{DeviceRow: *d, FQDN: d.DNSName, Interfaces: []inventory.Interface{
		{Name: "lo", Loopback: true, Up: true, Addresses: []string{"127.0.0.1"}},
		{Name: "eth0", MAC: "00:a1:b2:c3:d4:e5", Up: true, Addresses: []string{d.IP, "fe80::1"}},
	}}, need(c, server.MachineRead)
}

func (f *fake) DeviceSoftware(_ context.Context, c server.Caller, id string, q server.Query) (server.Page[server.DeviceSoftwareRow], error) {
	if _, err := f.find(id); err != nil {
		return server.Page[server.DeviceSoftwareRow]{}, err
	}
	var rows []server.DeviceSoftwareRow
	for _, s := range f.software {
		rows = append(rows, server.DeviceSoftwareRow{ID: s.ID, Name: s.Name, Vendor: s.Vendor, Version: "1.0", Weaknesses: s.Weaknesses, Threats: s.Threats, Tags: s.Tags, LastFound: asOf})
	}
	return paged(f, rows, q, nil), need(c, server.SoftwareRead)
}

func (f *fake) DeviceSoftwareOne(_ context.Context, c server.Caller, id, product string) (server.DeviceSoftware, error) {
	return server.DeviceSoftware{DeviceSoftwareRow: server.DeviceSoftwareRow{ID: product, Name: id}}, need(c, server.SoftwareRead)
}

func (f *fake) updates(q server.Query) server.Page[server.MissingUpdate] {
	return paged(f, []server.MissingUpdate{{ID: "DSA-1-1", URL: "https://security-tracker.debian.org/tracker/DSA-1-1", Systems: []string{"Debian 12"}, Products: []server.SoftwareRef{{ID: "debian-_-openssl", Name: poison, Vendor: "debian", Version: "1", Fixed: "2"}},
		Weaknesses: 2, WeaknessIDs: []string{"CVE-2024-1000"}, Tags: []string{}, Devices: 2}}, q, nil)
}

func (f *fake) DeviceUpdates(_ context.Context, c server.Caller, id string, q server.Query) (server.Page[server.MissingUpdate], error) {
	if _, err := f.find(id); err != nil {
		return server.Page[server.MissingUpdate]{}, err
	}
	return f.updates(q), need(c, server.SoftwareRead)
}

func (f *fake) SoftwareUpdates(_ context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.MissingUpdate], error) {
	return f.updates(q), need(c, server.SoftwareRead)
}

func (f *fake) DeviceVulns(_ context.Context, c server.Caller, id string, q server.Query) (server.Page[server.DeviceVulnRow], error) {
	if _, err := f.find(id); err != nil {
		return server.Page[server.DeviceVulnRow]{}, err
	}
	var rows []server.DeviceVulnRow
	for _, w := range f.weaknesses {
		rows = append(rows, server.DeviceVulnRow{ID: w.ID, Title: w.Title, Severity: w.Severity, CVSS: w.CVSS, CVSSVer: w.CVSSVer, EPSS: w.EPSS, Exposed: w.Exposed > 0,
			Published: w.Published, Updated: w.Updated, Threats: w.Threats, State: exposure.State(advisory.Fixed), Software: []server.SoftwareRef{}})
	}
	return paged(f, rows, q, nil), need(c, server.VulnerabilityRead)
}

func (f *fake) DeviceVuln(_ context.Context, c server.Caller, id, weakness string) (server.DeviceVuln, error) {
	return server.DeviceVuln{DeviceVulnRow: server.DeviceVulnRow{ID: weakness}}, need(c, server.VulnerabilityRead)
}

func (f *fake) DeviceClosed(_ context.Context, c server.Caller, id string, q server.Query) (server.Page[server.ClosedRow], error) {
	return paged(f, []server.ClosedRow{{ID: "CVE-2024-1", Software: poison, Detail: "=cmd|' /C calc'!A0"}}, q, nil), need(c, server.VulnerabilityRead)
}

func (f *fake) SoftwareList(_ context.Context, c server.Caller, q server.Query, where func(*server.SoftwareRow) bool) (server.Page[server.SoftwareRow], error) {
	return paged(f, f.software, q, where), need(c, server.SoftwareRead)
}

func (f *fake) Software(_ context.Context, c server.Caller, id string) (server.Software, error) {
	for _, s := range f.software {
		if s.ID == id {
			return server.Software{SoftwareRow: s, Distribution: []server.VersionRow{{Version: "1.0", Installed: 2, Weaknesses: 2}}}, need(c, server.SoftwareRead)
		}
	}
	return server.Software{}, server.ErrNotFound
}

func (f *fake) SoftwareDevices(ctx context.Context, c server.Caller, id string, q server.Query) (server.Page[server.DeviceRow], error) {
	if _, err := f.Software(ctx, c, id); err != nil {
		return server.Page[server.DeviceRow]{}, err
	}
	return paged(f, f.devices, q, nil), need(c, server.SoftwareRead)
}

func (f *fake) SoftwareVersions(ctx context.Context, c server.Caller, id string, _ server.Query) (server.Page[server.VersionRow], error) {
	d, err := f.Software(ctx, c, id)
	return server.Page[server.VersionRow]{Items: d.Distribution, Total: len(d.Distribution)}, err
}

func (f *fake) SoftwareRecommendations(ctx context.Context, c server.Caller, _ string, q server.Query) (server.Page[server.RecommendationRow], error) {
	return f.Recommendations(ctx, c, q, nil)
}

func (f *fake) ReportInaccuracy(_ context.Context, c server.Caller, in server.InaccuracyReport) (server.InaccuracyRow, error) {
	return server.InaccuracyRow{ID: "1", Kind: in.Kind}, need(c, server.ManageSettings)
}

func (f *fake) Inaccuracies(_ context.Context, c server.Caller, _ server.Query) (server.Page[server.InaccuracyRow], error) {
	return server.Page[server.InaccuracyRow]{Items: []server.InaccuracyRow{{ID: "1", Title: "openssl"}}, Total: 1}, need(c, server.ManageSettings)
}

func (f *fake) Inaccuracy(_ context.Context, c server.Caller, id string) (server.Inaccuracy, error) {
	return server.Inaccuracy{InaccuracyRow: server.InaccuracyRow{ID: id}, Evidence: []byte(`{}`)}, need(c, server.ManageSettings)
}

func (f *fake) SetInaccuracyStatus(_ context.Context, c server.Caller, _, _ string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) SoftwareVulns(ctx context.Context, c server.Caller, id string, q server.Query) (server.Page[server.WeaknessRow], error) {
	return f.Weaknesses(ctx, c, q, nil)
}

func (f *fake) Weaknesses(_ context.Context, c server.Caller, q server.Query, where func(*server.WeaknessRow) bool) (server.Page[server.WeaknessRow], error) {
	only := len(q.Filter["exposed"]) > 0
	return paged(f, f.weaknesses, q, func(w *server.WeaknessRow) bool {
		return (!only || w.Exposed > 0) && (where == nil || where(w))
	}), need(c, server.VulnerabilityRead)
}

func (f *fake) Weakness(_ context.Context, c server.Caller, id string) (server.WeaknessDetail, error) {
	for _, w := range f.weaknesses {
		if w.ID == id {
			d := server.WeaknessDetail{WeaknessRow: w, Weakness: advisory.Weakness{ID: id, Description: "about " + w.Title}}
			if w.CVSS > 0 {
				d.Weakness.Scores = []advisory.Score{{Version: "4.0", Base: 8.1, Vector: "CVSS:4.0/AV:N"}, {Version: "3.1", Base: w.CVSS, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
				d.Weakness.References = []advisory.Reference{{URL: "https://example.org/poc", Tags: []string{"Exploit"}}, {URL: "https://example.org/"}}
			}
			return d, need(c, server.VulnerabilityRead)
		}
	}
	return server.WeaknessDetail{}, server.ErrNotFound
}

func (f *fake) WeaknessDevices(ctx context.Context, c server.Caller, id string, q server.Query) (server.Page[server.WeaknessDevice], error) {
	if _, err := f.Weakness(ctx, c, id); err != nil {
		return server.Page[server.WeaknessDevice]{}, err
	}
	var rows []server.WeaknessDevice
	for i, d := range f.devices {
		rows = append(rows, server.WeaknessDevice{ID: d.ID, Name: d.Name, OSName: d.OSName, OSPlatform: d.OSPlatform, DNSName: d.DNSName, Exposed: i < 2})
	}
	only := len(q.Filter["exposed"]) > 0
	return paged(f, rows, q, func(d *server.WeaknessDevice) bool { return !only || d.Exposed }), need(c, server.VulnerabilityRead)
}

func (f *fake) WeaknessSoftware(_ context.Context, c server.Caller, id string, q server.Query) (server.Page[server.WeaknessSoftwareRow], error) {
	var rows []server.WeaknessSoftwareRow
	for _, s := range f.software {
		rows = append(rows, server.WeaknessSoftwareRow{ID: s.ID, Name: s.Name, Update: true})
	}
	return paged(f, rows, q, nil), need(c, server.VulnerabilityRead)
}

// WeaknessTable has its rows in the order of ids.
func (f *fake) WeaknessTable(_ context.Context, c server.Caller, q server.WeaknessTableQuery) (page server.WeaknessTablePage, err error) {
	var rows []server.WeaknessColumns
	for _, w := range f.weaknesses {
		if named := q.IDs == nil || slices.ContainsFunc(q.IDs, func(id string) bool { return strings.EqualFold(id, w.ID) }); w.Exposed > 0 && named {
			rows = append(rows, server.WeaknessColumns{ID: w.ID, Title: w.Title, Severity: w.Severity, CVSS: w.CVSS, CVSSVer: w.CVSSVer, CVSS3: w.CVSS, EPSS: w.EPSS,
				Exploit: w.Threats.Exploit, Published: w.Published, Updated: w.Updated, Exposed: w.Exposed})
		}
	}
	f.table.Store(&q)
	page.RowPage = q.Of(server.Each(rows))
	return page, need(c, server.VulnerabilityRead)
}

func (f *fake) WeaknessFacts(ctx context.Context, c server.Caller, id string) (advisory.Weakness, error) {
	d, err := f.Weakness(ctx, c, id)
	return d.Weakness, err
}

// MachineVulns answers in the order of rows, and by $orderby=machineId.
func (f *fake) MachineVulns(_ context.Context, c server.Caller, q server.MachineVulnQuery) (page server.MachineVulnPage, err error) {
	var rows []server.MachineVuln
	for n, d := range f.devices {
		for i, w := range f.weaknesses[:2] {
			row := server.MachineVuln{Num: uint32(n), Device: d.ID, CVE: w.ID, Vendor: "debian", Product: "openssl", Version: "3.0.15-1", Severity: string(w.Severity),
				FixingID: []string{"DSA-5764-1", ""}[i]}
			if (q.Device == "" || q.Device == d.ID) && (q.Weakness == "" || q.Weakness == w.ID) && q.Where.Holds(&row) {
				rows = append(rows, row)
			}
		}
	}
	if q.Count {
		page.Total = len(rows)
	}
	if len(q.Order) > 0 && q.Order[0].Desc {
		slices.SortFunc(rows, func(a, b server.MachineVuln) int { return strings.Compare(string(b.Device), string(a.Device)) })
	}
	if q.After != nil {
		rows = slices.DeleteFunc(rows, func(r server.MachineVuln) bool { return r.Order(q.After) <= 0 })
	}
	f.asked.Store(&q)
	rows = rows[min(q.Skip, len(rows)):]
	page.Rows, page.More = rows[:min(q.Limit, len(rows))], q.Limit > 0 && len(rows) > q.Limit
	return page, need(c, server.VulnerabilityRead)
}

func (f *fake) Intel(_ context.Context, c server.Caller) (server.Intel, error) {
	return server.Intel{}, need(c, server.ManageSettings)
}

func (f *fake) SyncIntel(_ context.Context, c server.Caller) (server.JobRow, error) {
	return server.JobRow{ID: "1", State: "running"}, need(c, server.ManageSettings)
}

func (f *fake) CancelJob(_ context.Context, c server.Caller, id string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) Onboarding(_ context.Context, c server.Caller) (server.Onboarding, error) {
	return server.Onboarding{}, need(c, server.ManageSettings)
}

func (f *fake) Tokens(_ context.Context, c server.Caller) ([]server.TokenRow, error) {
	return nil, need(c, server.ManageSettings)
}

func (f *fake) CreateToken(_ context.Context, c server.Caller, note string, maxUses, hours int) (string, server.TokenRow, error) {
	return "shown-once", server.TokenRow{ID: "t1", Note: note, MaxUses: maxUses}, need(c, server.ManageSettings)
}

func (f *fake) RevokeToken(_ context.Context, c server.Caller, id string) error {
	return need(c, server.ManageSettings)
}

func (f *fake) Subscribe(ctx context.Context, c server.Caller) (<-chan server.LiveEvent, error) {
	if err := need(c, server.MachineRead); err != nil {
		return nil, err
	}
	ch := make(chan server.LiveEvent, 4)
	ch <- server.LiveEvent{Resource: "devices"}
	return ch, nil
}

// world is a handler over a fake, with everything that a test asks with.
type world struct {
	t      *testing.T
	st     *store.Store
	fake   *fake
	h      http.Handler
	tenant string
	apps   map[string][]string // Authorization headers, by permissions
}

func newWorld(t *testing.T) *world {
	t.Helper()
	st, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	a, err := server.OpenAccounts(t.Context(), st, discard())
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(a)
	if f.Exports, err = server.OpenExports(t.TempDir(), discard()); err != nil {
		t.Fatal(err)
	}
	web := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "console") })
	return &world{t: t, apps: map[string][]string{}, st: st, fake: f, h: New(Options{Server: f, Web: web, Log: discard(), Now: func() time.Time { return asOf }}), tenant: a.TenantID()}
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (w *world) do(method, target, body string, header ...string) answer {
	w.t.Helper()
	return w.send(w.request(method, target, body, header...))
}

func (w *world) send(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Result().Header, rec.Body.String()}
}

func (w *world) request(method, target, body string, header ...string) *http.Request {
	w.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(w.t.Context(), method, "http://picket.test/", in)
	path, query, _ := strings.Cut(target, "?")
	plain, err := url.PathUnescape(path)
	if err != nil {
		w.t.Fatal(err)
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = plain, path, query
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// app makes an application, once for each set of permissions, and returns an Authorization header.
func (w *world) app(permissions ...string) []string {
	w.t.Helper()
	key := strings.Join(permissions, " ")
	if have := w.apps[key]; have != nil {
		return have
	}
	_, client, secret, err := w.fake.CreateApp(w.t.Context(), "test", permissions)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := w.fake.IssueToken(w.t.Context(), "http://picket.test", client, secret)
	if err != nil {
		w.t.Fatal(err)
	}
	w.apps[key] = []string{"Authorization", "Bearer " + token.Token}
	return w.apps[key]
}

// session signs the administrator in and returns a Cookie header.
func (w *world) session() []string {
	w.t.Helper()
	link, err := w.fake.SignInLink(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.do("POST", "/api/x/session/redeem", `{"token":"`+link+`"}`, "Content-Type", "application/json")
	if a.code != 200 {
		w.t.Fatalf("redeem = %d %s", a.code, a.body)
	}
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return []string{"Cookie", cookie}
}

func (f *fake) Audit(_ context.Context, c server.Caller, _ server.Query) (server.Page[server.AuditRow], error) {
	return server.Page[server.AuditRow]{Items: []server.AuditRow{{ID: "1", Actor: "admin", Action: "sign-in"}}, Total: 1}, need(c, server.ManageSettings)
}

func (f *fake) AuditExport(_ context.Context, c server.Caller, _ server.Query) (iter.Seq2[server.AuditRow, error], error) {
	return func(yield func(server.AuditRow, error) bool) {
		yield(server.AuditRow{ID: "1", Actor: "admin", Action: "sign-in"}, nil)
	}, need(c, server.ManageSettings)
}

func (f *fake) AuditWords(_ context.Context, c server.Caller) (server.AuditWords, error) {
	return server.AuditWords{Actors: []string{"admin"}, Actions: []string{"sign-in"}, Remotes: []string{}}, need(c, server.ManageSettings)
}

type auditedKey struct{}

func (f *fake) Audited(ctx context.Context, c server.Caller, action, object, _ string) context.Context {
	return context.WithValue(ctx, auditedKey{}, c.Name+" "+action+" "+object)
}

func (f *fake) AuditEnd(ctx context.Context, status int) {
	if what, ok := ctx.Value(auditedKey{}).(string); ok {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.audited = append(f.audited, fmt.Sprintf("%s %d", what, status))
	}
}
