package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// The pure packages know nothing of OpenAPI; these types stand in for their
// enumerations, so that the console gets unions of words.

type severityWord string

// Schema lists the severities.
func (severityWord) Schema(huma.Registry) *huma.Schema {
	return enum(advisory.Critical, advisory.High, advisory.Medium, advisory.Low, advisory.Unrated)
}

type exploitWord string

// Schema lists the exploit maturities.
func (exploitWord) Schema(huma.Registry) *huma.Schema {
	return enum(advisory.NoExploit, advisory.ExploitPublic, advisory.ExploitVerified, advisory.ExploitInKit)
}

type stateWord string

// Schema lists the states of findings.
func (stateWord) Schema(huma.Registry) *huma.Schema {
	return enum(exposure.State(advisory.Fixed), exposure.State(advisory.Open), exposure.State(advisory.NoDSA), exposure.State(advisory.Postponed),
		exposure.State(advisory.Ignored), exposure.State(advisory.EndOfLife), exposure.State(advisory.Affected), exposure.State(advisory.NotAffect),
		exposure.State(advisory.Unimportant), exposure.State(advisory.Undetermined),
		exposure.LatentKernel, exposure.KernelToolOnly, exposure.RestartNeeded)
}

type roleWord string

// Schema lists the roles of components.
func (roleWord) Schema(huma.Registry) *huma.Schema {
	return enum(exposure.Plain, exposure.KernelRunning, exposure.KernelLatent, exposure.KernelTools, exposure.InMemory)
}

type statusWord string

// Schema lists the statuses of sections.
func (statusWord) Schema(huma.Registry) *huma.Schema {
	return enum(inventory.Complete, inventory.Partial, inventory.NotApplicable)
}

type sectionWord string

// Schema lists the sections.
func (sectionWord) Schema(huma.Registry) *huma.Schema { return enum(inventory.SectionNames...) }

func enum[T ~string](values ...T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// enumSchemas puts the stand-ins in place.
func enumSchemas(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[advisory.Severity](), reflect.TypeFor[severityWord]())
	r.RegisterTypeAlias(reflect.TypeFor[advisory.Exploit](), reflect.TypeFor[exploitWord]())
	r.RegisterTypeAlias(reflect.TypeFor[exposure.State](), reflect.TypeFor[stateWord]())
	r.RegisterTypeAlias(reflect.TypeFor[exposure.Role](), reflect.TypeFor[roleWord]())
	r.RegisterTypeAlias(reflect.TypeFor[inventory.Status](), reflect.TypeFor[statusWord]())
	r.RegisterTypeAlias(reflect.TypeFor[inventory.SectionName](), reflect.TypeFor[sectionWord]())
}

// finishSchemas marks pointers as nullable and closes enumerations that huma leaves open.
func finishSchemas(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas.Map()
	for name, s := range schemas {
		t := doc.Components.Schemas.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			key, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			if p := s.Properties[key]; p != nil && f.Type.Kind() == reflect.Pointer && !strings.Contains(rest, "omit") {
				s.Properties[key] = &huma.Schema{AnyOf: []*huma.Schema{p, {Type: "null"}}}
			}
		}
	}
	finishEvents(schemas)
	if s := schemas["Status"]; s != nil {
		s.Properties["health"] = enum("ok", "amber")
	}
	if s := schemas["JobRow"]; s != nil {
		s.Properties["state"] = enum("running", "done", "failed", "cancelled")
	}
	if s := schemas["SearchHit"]; s != nil {
		s.Properties["kind"] = enum("device", "software", "weakness")
	}
}
