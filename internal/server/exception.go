package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// exception is an exception in memory, guarded by core.mu. Its spec is never
// changed in place: who changes it puts another one in its stead.
type exception struct {
	id        int64
	spec      *exceptionSpec
	suspended bool // while it is open
	row       store.Exception
}

// exceptionSpec is what the store keeps of an exception, as JSON.
type exceptionSpec struct {
	Check    string `json:"check,omitempty"`
	Product  string `json:"product,omitempty"`
	Remedy   string `json:"remedy,omitempty"` // "": any
	Weakness string `json:"weakness,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Path     string `json:"path,omitempty"`

	Key advisory.Key `json:"key,omitzero"`

	Global  bool              `json:"global,omitempty"`
	Targets []exceptionTarget `json:"targets,omitempty"`

	Justification string          `json:"justification"`
	Context       string          `json:"context,omitempty"`
	Created       time.Time       `json:"created"`
	CreatedBy     string          `json:"created_by"`
	Expires       time.Time       `json:"expires,omitzero"` // zero: with its document
	Keep          bool            `json:"keep,omitempty"`
	Source        ExceptionSource `json:"source,omitzero"`
	Was           baseline        `json:"was,omitzero"`

	Ended   time.Time `json:"ended,omitzero"`
	EndedAs string    `json:"ended_as,omitempty"`
	EndedBy string    `json:"ended_by,omitempty"`
	Why     string    `json:"why,omitempty"`
}

// exceptionTarget is one group or device that an exception is for.
type exceptionTarget struct {
	Group   *exposure.Group    `json:"group,omitempty"`
	Device  inventory.DeviceID `json:"device,omitempty"`
	Ended   time.Time          `json:"ended,omitzero"`
	EndedBy string             `json:"ended_by,omitempty"`
}

// open reports whether an exception is not over.
func (e *exceptionSpec) open() bool { return e.Ended.IsZero() }

func (e *exceptionSpec) mitigates() bool {
	return e.Justification == ThirdPartyControl || e.Justification == AlternateMitigation
}

// selector is what the exception is about, ok false when it is about a check
// that is no more.
func (e *exceptionSpec) selector() (w exposure.Selector, ok bool) {
	w = exposure.Selector{Check: -1, Product: e.Product, Remedy: exposure.Gone, Weakness: e.Weakness, From: e.From, To: e.To, Path: e.Path, Key: e.Key}
	if e.Check != "" {
		w.Check, ok = checkNumber(e.Check)
		return w, ok
	}
	for r, word := range remedyTypes {
		if e.Product != "" && word == e.Remedy {
			w.Remedy = r
		}
	}
	return w, true
}

// recommendation is the id of the recommendation that it is about, "" for other kinds.
func (e *exceptionSpec) recommendation() string {
	if e.Check != "" {
		return "sca-_-" + e.Check
	}
	for r, word := range remedyTypes {
		if e.Remedy == word {
			return recommendationID(e.Product, r)
		}
	}
	return ""
}

func (e *exceptionSpec) kind() string {
	switch {
	case e.recommendation() != "":
		return ExceptRecommendation
	case e.Weakness != "":
		return ExceptWeakness
	case e.Path != "":
		return ExceptPath
	}
	return ExceptSoftware
}

func (e *exceptionSpec) scope() string {
	switch {
	case e.Global:
		return ScopeGlobal
	case len(e.Targets) > 0 && e.Targets[0].Group == nil:
		return ScopeDevices
	}
	return ScopeGroups
}

// name says what an exception is about.
func (c *core) exceptionName(e *exceptionSpec) string {
	product := func() string {
		for _, id := range c.fleet.ProductComponents(e.Product, nil) {
			return c.fleet.Component(id).Product
		}
		_, name, _ := strings.Cut(e.Product, "-_-")
		return name
	}
	switch e.kind() {
	case ExceptRecommendation:
		if e.Check != "" {
			if k, ok := posture.ByID(e.Check); ok {
				return k.Title
			}
			return e.Check
		}
		for r, word := range remedyTypes {
			if e.Remedy == word {
				return c.remedyName(e.Product, r, product())
			}
		}
	case ExceptWeakness:
		if e.Product != "" {
			return e.Weakness + " in " + product()
		}
		return e.Weakness
	case ExceptPath:
		if e.Product != "" {
			return product() + " in " + e.Path
		}
		return e.Path
	}
	switch {
	case e.From != "" && e.From == e.To:
		return product() + " " + e.From
	case e.From != "" && e.To != "":
		return product() + " " + e.From + " to " + e.To
	case e.From != "":
		return product() + " from " + e.From
	case e.To != "":
		return product() + " up to " + e.To
	}
	return product()
}

// inForce is an exception for the scores, ok false when it reaches nothing.
// The caller holds mu.
func (c *core) inForce(id int64, e *exceptionSpec) (x exposure.Exception, ok bool) {
	what, ok := e.selector()
	x = exposure.Exception{ID: id, What: what, Global: e.Global, Mitigates: e.mitigates()}
	for _, t := range e.Targets {
		switch num, known := c.byID[t.Device]; {
		case !t.Ended.IsZero():
		case t.Group != nil:
			x.Groups = append(x.Groups, *t.Group)
		case known:
			x.Devices = append(x.Devices, num)
		}
	}
	return x, ok && (x.Global || len(x.Groups)+len(x.Devices) > 0)
}

// applyExceptions brings scores and rows to the exceptions as they are. The
// caller holds mu for writing.
func (c *core) applyExceptions() {
	var list []exposure.Exception
	var of []*exception
	clear(c.excepted)
	for _, e := range c.exceptions {
		e.suspended = false
		if !e.spec.open() {
			continue
		}
		if x, ok := c.inForce(e.id, e.spec); ok {
			list, of = append(list, x), append(of, e)
		}
	}
	force := list[:0:0]
	for i, out := range exposure.Suspended(list) {
		if of[i].suspended = out; !out {
			force = append(force, list[i])
		}
		if id := of[i].spec.recommendation(); id != "" {
			c.excepted[id] = append(c.excepted[id], of[i].spec)
		}
	}
	c.fleet.Scores().SetExceptions(force)
	for rows := range c.caches {
		rows.forgetWeak()
	}
}

// exceptionByID finds an exception that is not over. The caller holds mu.
func (c *core) exceptionByID(id int64) *exception {
	i, ok := slices.BinarySearchFunc(c.exceptions, id, func(e *exception, id int64) int { return int(e.id - id) })
	if !ok {
		return nil
	}
	return c.exceptions[i]
}

// status is how an exception stands.
func (e *exception) status() string {
	switch {
	case !e.spec.open():
		return e.spec.EndedAs
	case e.suspended:
		return StandsSuspended
	}
	return StandsInEffect
}

// takeExceptions makes stored changes of exceptions known. The caller holds mu for writing.
func (c *core) takeExceptions(changes []*exception) {
	for _, e := range changes {
		switch have := c.exceptionByID(e.id); {
		case have != nil:
			have.spec, have.row = e.spec, e.row
		case e.spec.open():
			c.exceptions = append(c.exceptions, e)
		}
	}
	c.exceptions = slices.DeleteFunc(c.exceptions, func(e *exception) bool { return !e.spec.open() })
	slices.SortFunc(c.exceptions, func(a, b *exception) int { return int(a.id - b.id) })
	c.applyExceptions()
}

func parseException(row store.Exception) (*exception, error) {
	spec := &exceptionSpec{}
	if err := json.Unmarshal(row.Spec, spec); err != nil {
		return nil, fmt.Errorf("exception %d: %w", row.ID, err)
	}
	return &exception{id: row.ID, spec: spec, row: row}, nil
}
