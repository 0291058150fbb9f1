package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/kql"
	"github.com/picketsec/picket/internal/posture"
)

// stateTables are the tables of what is, not of what happened.
func stateTables() []*huntTable {
	const system = "DeviceId:s DeviceName:s OSPlatform:s OSVersion:s OSArchitecture:s "
	vulns, software := []string{VulnerabilityRead}, []string{SoftwareRead}
	list := []*huntTable{
		{Table: kql.Table{Name: "DeviceInfo", Columns: huntColumns("Timestamp:d DeviceId:s DeviceName:s ClientVersion:s PublicIP:s OSArchitecture:s OSPlatform:s OSBuild:l IsAzureADJoined:b JoinType:s AadDeviceId:s " +
			"LoggedOnUsers:y RegistryDeviceTag:s OSVersion:s MachineGroup:s ReportId:l OnboardingStatus:s AdditionalFields:y DeviceCategory:s DeviceType:s DeviceSubtype:s Model:s Vendor:s OSDistribution:s " +
			"OSVersionInfo:s MergedDeviceIds:s MergedToDeviceId:s IsInternetFacing:b SensorHealthState:s IsExcluded:b ExclusionReason:s ExposureLevel:s AssetValue:s DeviceManualTags:y DeviceDynamicTags:y " +
			"ConnectivityType:s HostDeviceId:s")},
			about: "Devices as they are now: one row each.", needs: []string{MachineRead}, read: readDeviceInfo,
			filled: setOf("Timestamp", "DeviceId", "DeviceName", "ClientVersion", "PublicIP", "LoggedOnUsers", "Model", "Vendor", "OSArchitecture", "OSPlatform", "OSVersion", "MachineGroup", "OnboardingStatus", "DeviceCategory", "OSDistribution", "OSVersionInfo",
				"IsInternetFacing", "SensorHealthState", "IsExcluded", "ExclusionReason", "ExposureLevel", "AssetValue", "DeviceManualTags", "DeviceDynamicTags")},
		{Table: kql.Table{Name: "DeviceNetworkInfo", Columns: huntColumns("Timestamp:d DeviceId:s DeviceName:s ReportId:l NetworkAdapterName:s MacAddress:s NetworkAdapterType:s NetworkAdapterStatus:s IPAddresses:y")},
			about: "Network adapters of devices as they are now.", needs: []string{MachineRead}, read: readNetworkInfo,
			filled: setOf("Timestamp", "DeviceId", "DeviceName", "NetworkAdapterName", "MacAddress", "NetworkAdapterType", "NetworkAdapterStatus", "IPAddresses")},
		{Table: kql.Table{Name: "DeviceTvmSoftwareInventory", Columns: huntColumns(system + "SoftwareVendor:s SoftwareName:s SoftwareVersion:s EndOfSupportStatus:s EndOfSupportDate:d ProductCodeCpe:s")},
			about: "Software of devices, one row for each version.", needs: software, read: readInventory},
		{Table: kql.Table{Name: "DeviceTvmSoftwareVulnerabilities", Columns: huntColumns(system + "SoftwareVendor:s SoftwareName:s SoftwareVersion:s CveId:s VulnerabilitySeverityLevel:s RecommendedSecurityUpdate:s " +
			"RecommendedSecurityUpdateId:s CveTags:y")},
			about: "Weaknesses that count in exposure, one row for each device and version.", needs: vulns, read: readVulns},
		{Table: kql.Table{Name: "DeviceTvmSoftwareVulnerabilitiesKB", Columns: huntColumns("CveId:s CvssScore:s IsExploitAvailable:b VulnerabilitySeverityLevel:s LastModifiedTime:d PublishedDate:d VulnerabilityDescription:s AffectedSoftware:y")},
			about: "What is known of the weaknesses that devices have.", needs: vulns, read: readWeaknessKB},
		{Table: kql.Table{Name: "DeviceTvmSecureConfigurationAssessment", Columns: huntColumns("DeviceId:s DeviceName:s OSPlatform:s Timestamp:d ConfigurationId:s ConfigurationCategory:s ConfigurationSubcategory:s ConfigurationImpact:r " +
			"IsCompliant:b IsApplicable:b Context:y IsExpectedUserImpact:b")},
			about: "Results of configuration checks on devices. What could not be assessed has no row.", needs: vulns, read: readChecks,
			filled: setOf("DeviceId", "DeviceName", "OSPlatform", "Timestamp", "ConfigurationId", "ConfigurationCategory", "ConfigurationSubcategory", "ConfigurationImpact", "IsCompliant", "IsApplicable", "IsExpectedUserImpact")},
		{Table: kql.Table{Name: "DeviceTvmSecureConfigurationAssessmentKB", Columns: huntColumns("ConfigurationId:s ConfigurationImpact:r ConfigurationName:s ConfigurationDescription:s RiskDescription:s ConfigurationCategory:s " +
			"ConfigurationSubcategory:s ConfigurationBenchmarks:y Tags:y RemediationOptions:s")},
			about: "The configuration checks that there are.", needs: vulns, read: readCheckKB,
			filled: setOf("ConfigurationId", "ConfigurationImpact", "ConfigurationName", "RiskDescription", "ConfigurationCategory", "ConfigurationSubcategory", "ConfigurationBenchmarks", "RemediationOptions")},
		{Table: kql.Table{Name: "DeviceTvmInfoGathering", Columns: huntColumns("Timestamp:d LastSeenTime:d DeviceId:s DeviceName:s OSPlatform:s AdditionalFields:y")},
			about: "Facts of devices as they are now, by the names of DeviceTvmInfoGatheringKB: one row each.", needs: vulns, read: readGathered},
		{Table: kql.Table{Name: "DeviceTvmInfoGatheringKB", Columns: huntColumns("IgId:s FieldName:s Description:s Categories:y DataStructure:s")},
			about: "What the facts of DeviceTvmInfoGathering are.", needs: vulns, read: readGatheredKB},
		{Table: kql.Table{Name: "DeviceTvmSoftwareEvidenceBeta", Columns: huntColumns("DeviceId:s SoftwareVendor:s SoftwareName:s SoftwareVersion:s RegistryPaths:y DiskPaths:y LastSeenTime:d")},
			about: "Where software was found on devices.", needs: software, read: readEvidence, filled: setOf("DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "DiskPaths", "LastSeenTime")},
	}
	return list
}

func setOf(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// huntRow fills a row by the names of its columns.
type huntRow struct {
	at  map[string]int
	use []bool
	row []kql.Value
}

func newHuntRow(s kql.Scan) *huntRow {
	r := &huntRow{at: map[string]int{}, use: s.Use, row: make([]kql.Value, len(s.Table.Columns))}
	for i, c := range s.Table.Columns {
		r.at[c.Name] = i
	}
	r.clear(s)
	return r
}

// clear empties the row: texts are empty, the rest is null.
func (r *huntRow) clear(s kql.Scan) {
	for i, c := range s.Table.Columns {
		r.row[i] = kql.Value{}
		if c.Type == kql.String {
			r.row[i] = kql.StringValue("")
		}
	}
}

func (r *huntRow) set(name string, v kql.Value) {
	if i, ok := r.at[name]; ok {
		r.row[i] = v
	}
}

func (r *huntRow) text(name, s string) { r.set(name, kql.StringValue(s)) }

// wanted reports whether a column is looked at.
func (r *huntRow) wanted(name string) bool {
	i, ok := r.at[name]
	return ok && r.use[i]
}

func texts(list []string) kql.Value {
	items := make([]kql.Value, len(list))
	for i, s := range list {
		items[i] = kql.StringValue(s)
	}
	return kql.ArrayValue(items...)
}

// keeps reports whether a text of a column can be in the answer.
func (f *huntFilter) keeps(column, text string) bool {
	for _, c := range f.equal {
		if c.Column == column && c.Op != kql.Has && !slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) }) {
			return false
		}
	}
	return true
}

func (f *huntFilter) has(id inventory.DeviceID) bool { return f.devices == nil || f.devices[id] }

// huntSystem is the platform and version of a system, as exports name them.
func huntSystem(id, version string) (platform, release string) {
	switch id {
	case "":
		return "", ""
	case "rhel":
		id = "enterprise_linux"
	case "ubuntu":
		id = "ubuntu_linux"
	}
	if version != "" {
		id += "_" + version
	}
	return "Linux", strings.ToLower(id)
}

// eachDevice calls f with the devices that a scan is about. Nothing is locked
// while yield is called.
func (h *huntReader) eachDevice(s kql.Scan, f *huntFilter, fill func(r *huntRow, d *device, now time.Time) int, yield func(row []kql.Value) error) error {
	c := h.s.core
	ids := make([]inventory.DeviceID, 0, len(h.devices()))
	for id := range h.devices() {
		if f.has(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	r := newHuntRow(s)
	in := h.c.looks()
	for _, id := range ids {
		for part := 0; ; part++ {
			r.clear(s)
			c.mu.RLock()
			d, err := c.named(in, string(id))
			n := 0
			if err == nil {
				if n = fill(r, d, h.now); part < n {
					r.part(d, part)
				}
			}
			c.mu.RUnlock()
			if err != nil || part >= n { // it was removed meanwhile, or there is no more of it
				break
			}
			if err := yield(r.row); err != nil {
				return err
			}
		}
	}
	return nil
}

// part fills in one of several rows of a device: a network adapter.
func (r *huntRow) part(d *device, i int) {
	if _, ok := r.at["NetworkAdapterName"]; !ok {
		return
	}
	n := d.sum.Interfaces[i]
	r.text("NetworkAdapterName", n.Name)
	r.text("MacAddress", n.MAC)
	r.text("NetworkAdapterType", map[bool]string{true: "Loopback", false: "Ethernet"}[n.Loopback])
	r.text("NetworkAdapterStatus", map[bool]string{true: "Up", false: "Down"}[n.Up])
	items := make([]kql.Value, len(n.Addresses))
	for k, a := range n.Addresses {
		items[k] = kql.BagValue([]string{"IPAddress"}, []kql.Value{kql.StringValue(a)})
	}
	r.set("IPAddresses", kql.ArrayValue(items...))
}

func (r *huntRow) device(d *device, now time.Time) {
	r.set("Timestamp", kql.TimeValue(d.lastSeen(now)))
	r.text("DeviceId", string(d.id))
	r.text("DeviceName", cmp.Or(d.sum.FQDN, d.sum.Name))
}

func readNetworkInfo(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	return h.eachDevice(s, f, func(r *huntRow, d *device, now time.Time) int {
		r.device(d, now)
		return len(d.sum.Interfaces)
	}, yield)
}

// walkTable gives the rows that an export makes of each device.
func walkTable[T any](h *huntReader, s kql.Scan, f *huntFilter, rows func(e *era) func(context.Context, *deviceAt, []T) ([]T, error),
	fill func(r *huntRow, d *DeviceExport[T], v *T) bool, yield func(row []kql.Value) error) error {
	e, err := h.s.era(h.c, ExportQuery{})
	if err != nil {
		return err
	}
	of := rows(e)
	x := walk(h.ctx, h.s, h.c, e, 0, func(ctx context.Context, d *deviceAt, out []T) ([]T, error) {
		if !f.has(d.id) {
			return out, nil
		}
		return of(ctx, d, out)
	})
	r := newHuntRow(s)
	for d, err := range x.Devices {
		if err != nil {
			return err
		}
		platform, release := huntSystem(d.OSID, d.OSVersion)
		for i := range d.Rows {
			r.clear(s)
			r.text("DeviceId", string(d.ID))
			r.text("DeviceName", d.Name)
			r.text("OSPlatform", platform)
			r.text("OSVersion", release)
			r.text("OSArchitecture", d.Arch)
			if !fill(r, d, &d.Rows[i]) {
				continue
			}
			if err := yield(r.row); err != nil {
				return err
			}
		}
	}
	return nil
}

func readInventory(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	return walkTable(h, s, f, func(e *era) func(context.Context, *deviceAt, []InventoryExport) ([]InventoryExport, error) {
		return e.inventory
	},
		func(r *huntRow, _ *DeviceExport[InventoryExport], v *InventoryExport) bool {
			r.text("SoftwareVendor", v.Vendor)
			r.text("SoftwareName", v.Product)
			r.text("SoftwareVersion", v.Version)
			r.text("ProductCodeCpe", map[bool]string{true: "", false: "not available"}[v.Coded])
			if v.Support != nil {
				r.text("EndOfSupportStatus", v.Support.Tag)
				if t, err := time.Parse(time.DateOnly, v.Support.Date); err == nil {
					r.set("EndOfSupportDate", kql.TimeValue(t))
				}
			}
			return f.keeps("SoftwareName", v.Product) && f.keeps("SoftwareVendor", v.Vendor)
		}, yield)
}

func readEvidence(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	return walkTable(h, s, f, func(e *era) func(context.Context, *deviceAt, []InventoryExport) ([]InventoryExport, error) {
		return e.inventory
	},
		func(r *huntRow, d *DeviceExport[InventoryExport], v *InventoryExport) bool {
			r.text("SoftwareVendor", v.Vendor)
			r.text("SoftwareName", v.Product)
			r.text("SoftwareVersion", v.Version)
			r.set("DiskPaths", texts(v.Paths))
			r.set("LastSeenTime", kql.TimeValue(d.LastSeen))
			return f.keeps("SoftwareName", v.Product) && f.keeps("SoftwareVendor", v.Vendor)
		}, yield)
}

func readVulns(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	rows := func(e *era) func(context.Context, *deviceAt, []VulnExport) ([]VulnExport, error) {
		return func(_ context.Context, d *deviceAt, out []VulnExport) ([]VulnExport, error) {
			return e.vulnsOf(d.now, false, out), nil
		}
	}
	return walkTable(h, s, f, rows, func(r *huntRow, _ *DeviceExport[VulnExport], v *VulnExport) bool {
		r.text("SoftwareVendor", v.Vendor)
		r.text("SoftwareName", v.Product)
		r.text("SoftwareVersion", v.Version)
		r.text("CveId", v.Weakness)
		r.text("VulnerabilitySeverityLevel", v.Severity)
		r.text("RecommendedSecurityUpdate", v.Fixed)
		r.text("RecommendedSecurityUpdateId", v.FixedBy)
		tags := []string{}
		if v.Fixed == "" {
			tags = append(tags, "NoSecurityUpdate")
		}
		r.set("CveTags", texts(tags))
		return f.keeps("CveId", v.Weakness) && f.keeps("SoftwareName", v.Product)
	}, yield)
}

func readChecks(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	return walkTable(h, s, f, func(e *era) func(context.Context, *deviceAt, []CheckExport) ([]CheckExport, error) { return e.checks },
		func(r *huntRow, d *DeviceExport[CheckExport], v *CheckExport) bool {
			r.set("Timestamp", kql.TimeValue(d.LastSeen))
			r.text("ConfigurationId", v.Check.ID)
			r.text("ConfigurationCategory", string(v.Check.Category))
			r.text("ConfigurationSubcategory", v.Check.Subcategory)
			r.set("ConfigurationImpact", kql.RealValue(float64(v.Check.Impact)))
			r.set("IsCompliant", kql.BoolValue(v.Compliant))
			r.set("IsApplicable", kql.BoolValue(v.Applicable))
			r.set("IsExpectedUserImpact", kql.BoolValue(v.Check.Productivity))
			return f.keeps("ConfigurationId", v.Check.ID)
		}, yield)
}

func readCheckKB(_ *huntReader, s kql.Scan, _ *huntFilter, yield func(row []kql.Value) error) error {
	r := newHuntRow(s)
	for _, c := range posture.Checks() {
		r.clear(s)
		r.text("ConfigurationId", c.ID)
		r.set("ConfigurationImpact", kql.RealValue(float64(c.Impact)))
		r.text("ConfigurationName", c.Title)
		r.text("RiskDescription", c.Rationale)
		r.text("ConfigurationCategory", string(c.Category))
		r.text("ConfigurationSubcategory", c.Subcategory)
		items := make([]kql.Value, len(c.References))
		for i, ref := range c.References {
			items[i] = kql.BagValue([]string{"Benchmark", "Item"}, []kql.Value{kql.StringValue(ref.Benchmark), kql.StringValue(ref.Item)})
		}
		r.set("ConfigurationBenchmarks", kql.ArrayValue(items...))
		var steps []string
		for _, m := range c.Remediation {
			steps = append(steps, m.Steps)
		}
		r.text("RemediationOptions", strings.Join(steps, "\n"))
		if err := yield(r.row); err != nil {
			return err
		}
	}
	return nil
}

// readWeaknessKB tells of the weaknesses that devices have which the caller sees.
func readWeaknessKB(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	h.s.core.mu.RLock()
	var rows []WeaknessRow
	for _, w := range h.s.core.weaknessRows(h.s.core.lens(h.c)) {
		if f.keeps("CveId", w.ID) {
			rows = append(rows, *w)
		}
	}
	h.s.core.mu.RUnlock()
	slices.SortFunc(rows, func(a, b WeaknessRow) int { return compareIDs(a.ID, b.ID) })
	view, release, err := h.s.snapshot()
	if err != nil {
		return err
	}
	defer release()
	r := newHuntRow(s)
	for i := range rows {
		w := &rows[i]
		r.clear(s)
		r.text("CveId", w.ID)
		if w.CVSS > 0 {
			r.text("CvssScore", kql.RealValue(w.CVSS).Text())
		}
		r.set("IsExploitAvailable", kql.BoolValue(w.Threats.Exploit != "" && w.Threats.Exploit != "NoExploit"))
		r.text("VulnerabilitySeverityLevel", string(w.Severity))
		r.set("LastModifiedTime", kql.TimeValue(w.Updated))
		r.set("PublishedDate", kql.TimeValue(w.Published))
		if r.wanted("VulnerabilityDescription") {
			r.text("VulnerabilityDescription", w.Title)
			if full, ok := view.Weakness(w.ID); ok {
				r.text("VulnerabilityDescription", cmp.Or(full.Description, full.Title))
			}
		}
		names := make([]string, len(w.Software))
		for k, ref := range w.Software {
			names[k] = ref.ID
		}
		r.set("AffectedSoftware", texts(names))
		if err := yield(r.row); err != nil {
			return err
		}
	}
	return nil
}
