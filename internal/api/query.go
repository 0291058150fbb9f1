package api

import (
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// Paging is which part of a list is asked for.
type Paging struct {
	Page int `query:"page" minimum:"1" maximum:"10000000" default:"1" doc:"Page, from 1."`
	Size int `query:"size" minimum:"1" maximum:"1000" default:"30" doc:"Rows per page."`
}

func (p Paging) window(q server.Query) server.Query {
	q.Offset, q.Limit = (p.Page-1)*p.Size, p.Size
	return q
}

// ExportFormat is how an export is written.
type ExportFormat struct {
	Format string `query:"format" enum:"csv,jsonl" default:"csv" doc:"csv (RFC 4180) or jsonl (one JSON object a line)."`
}

func (f ExportFormat) format() string { return f.Format }

// ID is the path parameter of routes below one item.
type ID struct {
	ID string `path:"id" maxLength:"2000" doc:"Id of the item."`
}

func (i ID) id() string { return i.ID }

// TextFilter is the free text that every list takes.
type TextFilter struct {
	Q string `query:"q" maxLength:"200" doc:"Free text, matched without regard to case."`
}

func (t TextFilter) queryWith(sort []string, filters ...[]string) server.Query {
	q := server.Query{Text: t.Q, Filter: map[string][]string{}, Sort: sort}
	for _, f := range filters {
		if name, values := f[0], clean(f[1:]); len(values) > 0 {
			q.Filter[name] = values
		}
	}
	return q
}

// clean drops empty values: "os=" is no filter. Commas part values, so a comma
// within one is written "%2C"; what was written is looked for as it is too.
func clean(values []string) []string {
	out := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	for _, v := range out {
		if plain := strings.ReplaceAll(v, "%2C", ","); plain != v {
			out = append(out, plain)
		}
	}
	return out
}

// named is a filter name followed by its values.
func named(name string, values []string) []string { return append([]string{name}, values...) }

// DeviceFilter narrows and orders lists of devices.
type DeviceFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"name,-name,domain,-domain,os,-os,last_seen,-last_seen,first_seen,-first_seen,weaknesses,-weaknesses,exploitable,-exploitable,fixable,-fixable,software,-software,ip,-ip,health,-health,score,-score,group,-group,risk,-risk,alerts,-alerts,mac,-mac,value,-value" doc:"Columns; minus is descending."`
	OS       []string `query:"os" doc:"OS platform, as in os_platform."`
	Version  []string `query:"os_version" doc:"Version of the operating system, as in os_version."`
	OSLife   []string `query:"os_life" enum:"supported,upcoming,ended,unknown" doc:"Support of the operating system's release; upcoming: it ends within 6 months."`
	Health   []string `query:"health" enum:"Active,Inactive,ImpairedCommunication,NoSensorData"`
	Exposure []string `query:"exposure" enum:"None,Low,Medium,High,NoData" doc:"Exposure level."`
	Risk     []string `query:"risk" enum:"None,Informational,Low,Medium,High" doc:"Risk level, by active alerts."`
	Value    []string `query:"value" enum:"Low,Normal,High" doc:"What the device is worth."`
	Tag      []string `query:"tag"`
	Group    []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
	Isolated []string `query:"isolated" enum:"true,false" doc:"Whether it is isolated, as its agent told last."`
	Excluded []string `query:"excluded" enum:"true,false" doc:"Whether somebody took it out of scores and lists."`
	Clone    []string `query:"clone" enum:"true" doc:"Only devices forked from a copied state directory."`
	New      []string `query:"new" enum:"true,false" doc:"Whether it was first seen within 7 days."`
	Source   []string `query:"source" enum:"agent,osquery,simulated,sbom" doc:"Where the inventory comes from."`
	Managed  []string `query:"managed_by" enum:"picket,osquery,nothing" doc:"What can be told to do something on the device; nothing: a document describes it."`
	Facing   []string `query:"internet_facing" enum:"yes,not_assessed" doc:"Whether it is proven that the device stands in the internet."`
}

func (f DeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("os", f.OS), named("os_version", f.Version), named("os_life", f.OSLife), named("health", f.Health), named("tag", f.Tag), named("clone", f.Clone), named("isolated", f.Isolated), named("excluded", f.Excluded),
		named("exposure", f.Exposure), named("risk", f.Risk), named("value", f.Value), named("device_group", f.Group), named("source", f.Source), named("new", f.New),
		named("managed_by", f.Managed), named("internet_facing", f.Facing))
}

// DeviceSoftwareFilter narrows and orders the products of one device.
type DeviceSoftwareFilter struct {
	TextFilter
	Sort       []string `query:"sort" enum:"name,-name,vendor,-vendor,version,-version,weaknesses,-weaknesses,severity,-severity,last_found,-last_found" doc:"Columns; minus is descending."`
	Vendor     []string `query:"vendor"`
	Ecosystem  []string `query:"ecosystem"`
	Code       []string `query:"code" enum:"available,cpe,purl,none" doc:"Kind of product code; available: any; none: there is none."`
	Vulnerable []string `query:"vulnerable" enum:"true" doc:"Only products with weaknesses."`
	Update     []string `query:"update" enum:"true" doc:"Only products that the host's package manager would upgrade."`
	Threat     []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: the device has an active alert."`
	Assessed   []string `query:"assessed" enum:"true,false"`
}

func (f DeviceSoftwareFilter) query() server.Query {
	return f.queryWith(f.Sort, named("vendor", f.Vendor), named("ecosystem", f.Ecosystem), named("code", f.Code),
		named("vulnerable", f.Vulnerable), named("update", f.Update), named("threat", f.Threat), named("assessed", f.Assessed))
}

// DeviceVulnFilter narrows and orders the weaknesses of one device.
type DeviceVulnFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"id,-id,severity,-severity,cvss,-cvss,epss,-epss,published,-published,updated,-updated,software,-software,state,-state,first_seen,-first_seen" doc:"Columns; minus is descending."`
	Severity []string `query:"severity" enum:"Critical,High,Medium,Low,None"`
	State    []string `query:"state" enum:"fixed,open,no-dsa,postponed,ignored,end-of-life,affected,not-affected,unimportant,undetermined,latent-kernel,kernel-tools,restart-needed"`
	Exposed  []string `query:"exposed" enum:"true,false" doc:"Whether it counts in exposure."`
	Fix      []string `query:"fix" enum:"available,none"`
	Threat   []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
	Software []string `query:"software" doc:"Product ids."`

	Exception      []string `query:"exception" enum:"true,false" doc:"Whether all of it that counts is under exceptions."`
	Recommendation []string `query:"recommendation" doc:"Ids of recommendations that close it on the device."`
}

func (f DeviceVulnFilter) query() server.Query {
	return f.queryWith(f.Sort, named("severity", f.Severity), named("state", f.State), named("exposed", f.Exposed),
		named("fix", f.Fix), named("threat", f.Threat), named("software", f.Software), named("exception", f.Exception), named("recommendation", f.Recommendation))
}

// SoftwareFilter narrows and orders products over all devices.
type SoftwareFilter struct {
	TextFilter
	Sort       []string `query:"sort" enum:"name,-name,vendor,-vendor,weaknesses,-weaknesses,exposed,-exposed,installed,-installed,severity,-severity,impact,-impact,threats,-threats" doc:"Columns; minus is descending."`
	Vendor     []string `query:"vendor"`
	Ecosystem  []string `query:"ecosystem"`
	Vulnerable []string `query:"vulnerable" enum:"true" doc:"Only products with weaknesses."`
	Threat     []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
	Code       []string `query:"code" enum:"available,cpe,purl,none" doc:"Kind of product code; available: any; none: there is none."`
	Assessed   []string `query:"assessed" enum:"true,false"`
	Tag        []string `query:"tag"`
}

func (f SoftwareFilter) query() server.Query {
	return f.queryWith(f.Sort, named("vendor", f.Vendor), named("ecosystem", f.Ecosystem), named("vulnerable", f.Vulnerable),
		named("threat", f.Threat), named("code", f.Code), named("assessed", f.Assessed), named("tag", f.Tag))
}

// WeaknessFilter narrows and orders weaknesses over all devices.
type WeaknessFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"id,-id,severity,-severity,cvss,-cvss,epss,-epss,age,-age,published,-published,updated,-updated,exposed,-exposed,exposed_after,-exposed_after,threats,-threats" doc:"Columns; minus is descending."`
	Severity []string `query:"severity" enum:"Critical,High,Medium,Low,None"`
	Threat   []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
	Fix      []string `query:"fix" enum:"available,none"`
	Exposed  []string `query:"exposed" enum:"true,false,unknown" doc:"Whether it counts on at least one device; unknown: on none, and of some the feed does not know."`
	State    []string `query:"state" enum:"fixed,open,no-dsa,postponed,ignored,end-of-life,affected,not-affected,unimportant,undetermined,latent-kernel,kernel-tools,restart-needed"`

	Exception []string `query:"exception" enum:"true,false" doc:"Whether an exception is about it somewhere."`
	Tag       []string `query:"tag" enum:"Some updates available,No security update,Zero day"`
	Age       []string `query:"age" enum:"week,month,quarter,year,older" doc:"Published within the last 7, 30, 90 or 365 days, or longer ago."`
}

func (f WeaknessFilter) query() server.Query {
	return f.queryWith(f.Sort, named("severity", f.Severity), named("threat", f.Threat), named("fix", f.Fix),
		named("exposed", f.Exposed), named("state", f.State), named("exception", f.Exception), named("tag", f.Tag), named("age", f.Age))
}

// UpdateFilter narrows and orders updates that devices lack.
type UpdateFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"id,-id,products,-products,weaknesses,-weaknesses,severity,-severity,devices,-devices" doc:"Columns; minus is descending."`
	Severity []string `query:"severity" enum:"Critical,High,Medium,Low,None" doc:"The highest of what it fixes."`
	Threat   []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
}

func (f UpdateFilter) query() server.Query {
	return f.queryWith(f.Sort, named("severity", f.Severity), named("threat", f.Threat))
}

// ClosedFilter narrows and orders findings that are gone.
type ClosedFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"closed_at,-closed_at" doc:"Columns; minus is descending."`
	Reason []string `query:"reason" enum:"upgraded,removed,rejected,advisory-changed,kernel-changed,restarted"`
}

func (f ClosedFilter) query() server.Query { return f.queryWith(f.Sort, named("reason", f.Reason)) }

// WeaknessDeviceFilter narrows and orders the devices that have a weakness.
type WeaknessDeviceFilter struct {
	TextFilter
	Sort    []string `query:"sort" enum:"name,-name,domain,-domain,os,-os,last_seen,-last_seen" doc:"Columns; minus is descending."`
	Exposed []string `query:"exposed" enum:"true,false" doc:"Whether it counts on the device."`
	Update  []string `query:"update" enum:"true,false" doc:"Whether a version that fixes it can be installed."`
}

func (f WeaknessDeviceFilter) query() server.Query {
	return f.queryWith(f.Sort, named("exposed", f.Exposed), named("update", f.Update))
}

// RecommendationFilter narrows and orders recommendations.
type RecommendationFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"name,-name,component,-component,weaknesses,-weaknesses,exposed,-exposed,impact,-impact,type,-type,severity,-severity,secure,-secure,status,-status,exposed_after,-exposed_after,impact_after,-impact_after,os,-os,threats,-threats,activities,-activities,tags,-tags,category,-category,subcategory,-subcategory,ecosystem,-ecosystem,vendor,-vendor,version,-version" doc:"Columns; minus is descending."`
	Type     []string `query:"type" enum:"Update,Upgrade,Uninstall,AttentionRequired,Restart,ConfigurationChange" doc:"Type of remediation."`
	Category []string `query:"category" enum:"Application,OS,Network,Accounts,SecurityControls"`
	Threat   []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
	Status   []string `query:"status" enum:"Active,PartialException,FullException"`
	Tag      []string `query:"tag"`
	Vendor   []string `query:"vendor"`

	Component []string `query:"component" doc:"Related component, as the column has it."`

	Weaknesses []string `query:"weaknesses" enum:"true,false" doc:"Whether it closes weaknesses."`
	OS         []string `query:"os" doc:"OS platforms of the exposed devices, as in os_platforms."`
}

func (f RecommendationFilter) query() server.Query {
	return f.queryWith(f.Sort, named("type", f.Type), named("threat", f.Threat), named("status", f.Status), named("tag", f.Tag), named("vendor", f.Vendor), named("category", f.Category), named("component", f.Component),
		named("weaknesses", f.Weaknesses), named("os", f.OS))
}

// DeviceRecommendationFilter narrows and orders the recommendations of one device.
type DeviceRecommendationFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"name,-name,component,-component,weaknesses,-weaknesses,impact,-impact,type,-type,severity,-severity,threats,-threats,status,-status,share,-share,points,-points,tags,-tags,vendor,-vendor,version,-version" doc:"Columns; minus is descending."`
	Type   []string `query:"type" enum:"Update,Upgrade,Uninstall,AttentionRequired,Restart,ConfigurationChange" doc:"Type of remediation."`
	Threat []string `query:"threat" enum:"exploit,verified,kit,kev,ransomware,alert" doc:"alert: an exposed device has an active alert."`
	Status []string `query:"status" enum:"Active,PartialException,FullException"`
	Tag    []string `query:"tag"`

	Exception []string `query:"exception" enum:"true,false" doc:"Whether some of it is under an exception."`
}

func (f DeviceRecommendationFilter) query() server.Query {
	return f.queryWith(f.Sort, named("type", f.Type), named("threat", f.Threat), named("status", f.Status), named("tag", f.Tag), named("exception", f.Exception))
}

// DeviceCheckFilter narrows and orders the configuration checks of one device.
type DeviceCheckFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"name,-name,category,-category,impact,-impact,state,-state" doc:"Columns; minus is descending."`
	State    []string `query:"state" enum:"pass,fail,not_applicable,not_assessed"`
	Category []string `query:"category" enum:"Application,OS,Network,Accounts,SecurityControls"`
}

func (f DeviceCheckFilter) query() server.Query {
	return f.queryWith(f.Sort, named("state", f.State), named("category", f.Category))
}
