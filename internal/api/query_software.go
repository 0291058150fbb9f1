package api

import "github.com/picketsec/picket/internal/server"

// SoftwareDeviceFilter narrows and orders the devices that have a product.
type SoftwareDeviceFilter struct {
	DeviceFilter
	Version []string `query:"version" doc:"Only devices that have one of these versions."`
}

func (f SoftwareDeviceFilter) query() server.Query {
	return with(f.DeviceFilter.query(), "version", f.Version)
}

// SoftwareWeaknessFilter narrows and orders the weaknesses of a product.
type SoftwareWeaknessFilter struct {
	WeaknessFilter
	Version []string `query:"version" doc:"Only weaknesses of these versions."`
}

func (f SoftwareWeaknessFilter) query() server.Query {
	return with(f.WeaknessFilter.query(), "version", f.Version)
}

// with adds a filter to a query.
func with(q server.Query, name string, values []string) server.Query {
	if values = clean(values); len(values) > 0 {
		q.Filter[name] = values
	}
	return q
}

// VersionFilter narrows and orders the versions of a product.
type VersionFilter struct {
	TextFilter
	Sort       []string `query:"sort" enum:"version,-version,installed,-installed,exposed,-exposed,weaknesses,-weaknesses,support,-support" doc:"Columns; minus is descending."`
	Vulnerable []string `query:"vulnerable" enum:"true,false" doc:"Whether a weakness of it counts."`
	Tag        []string `query:"tag"`
}

func (f VersionFilter) query() server.Query {
	return f.queryWith(f.Sort, named("vulnerable", f.Vulnerable), named("tag", f.Tag))
}

// WeaknessSoftwareFilter narrows and orders the products that have a weakness.
type WeaknessSoftwareFilter struct {
	TextFilter
	Sort   []string `query:"sort" enum:"name,-name,vendor,-vendor,installed,-installed,exposed,-exposed,update,-update" doc:"Columns; minus is descending."`
	Vendor []string `query:"vendor"`
	Update []string `query:"update" enum:"true,false" doc:"Whether a version that fixes it can be installed on some device."`
}

func (f WeaknessSoftwareFilter) query() server.Query {
	return f.queryWith(f.Sort, named("vendor", f.Vendor), named("update", f.Update))
}

// InaccuracyFilter narrows and orders what was reported as inaccurate.
type InaccuracyFilter struct {
	TextFilter
	Sort     []string `query:"sort" enum:"at,-at,title,-title,kind,-kind,status,-status,changed,-changed" doc:"Columns; minus is descending."`
	Status   []string `query:"status" enum:"open,resolved"`
	Kind     []string `query:"kind" enum:"software,weakness,recommendation"`
	Category []string `query:"category"`
}

func (f InaccuracyFilter) query() server.Query {
	return f.queryWith(f.Sort, named("status", f.Status), named("kind", f.Kind), named("category", f.Category))
}
