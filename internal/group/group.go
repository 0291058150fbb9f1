// Package group decides by rules which devices belong together: it is what
// device groups and rule-based tags are made of. It is pure.
//
//	m, err := group.Compile(rules)  // or what is wrong with them, and where
//	if m.Match(&facts) { … }
package group

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Property is what a condition looks at.
type Property string

// The properties.
const (
	Name       Property = "name"        // short name or full name
	Domain     Property = "domain"      // what follows the first dot of the full name
	Tag        Property = "tag"         // any of the device's tags
	OSPlatform Property = "os_platform" // "Debian"
	OSVersion  Property = "os_version"  // "12"
	IP         Property = "ip"          // any address of the device
	Value      Property = "value"       // Low, Normal or High
	Arch       Property = "arch"        // "amd64"
	Source     Property = "source"      // where the inventory comes from: agent, osquery, sbom, simulated
)

// Properties lists them all, in the order in which people read them.
var Properties = []Property{Name, Domain, Tag, OSPlatform, OSVersion, IP, Value, Arch, Source}

// Operator is how a condition compares.
type Operator string

// The operators. Text is compared without regard to case. For IP, Equals takes
// an address and In addresses and prefixes ("10.1.0.0/16"); nothing else fits.
const (
	Equals     Operator = "equals"
	StartsWith Operator = "starts_with"
	EndsWith   Operator = "ends_with"
	Contains   Operator = "contains"
	In         Operator = "in" // one of several values
)

// Operators lists them all.
var Operators = []Operator{Equals, StartsWith, EndsWith, Contains, In}

// Limits of rules.
const (
	MaxRules      = 20
	MaxConditions = 20  // of one rule
	MaxValues     = 200 // of one condition
	MaxText       = 200 // characters of a value
)

// Condition holds for a device when the property compares to a value. A
// condition on tags or addresses holds when one of them does.
type Condition struct {
	Property Property `json:"property" enum:"name,domain,tag,os_platform,os_version,ip,value,arch,source" doc:"What of the device is looked at."`
	Operator Operator `json:"operator" enum:"equals,starts_with,ends_with,contains,in" doc:"How it is compared, without regard to case. Only in takes several values."`
	Values   []string `json:"values" minItems:"1" maxItems:"200" doc:"What it is compared with; for ip: addresses, or prefixes such as 10.1.0.0/16."`
}

// Rule holds for a device when all its conditions do.
type Rule struct {
	Conditions []Condition `json:"conditions" minItems:"1" maxItems:"20" doc:"All of them must hold."`
}

// Facts are what rules look at of one device.
type Facts struct {
	Name       string
	FullName   string // "web1.example.org", "" when not known
	Tags       []string
	OSPlatform string
	OSVersion  string
	IPs        []string
	Value      string
	Arch       string
	Source     string
}

// Error says what is wrong with rules.
type Error struct {
	Path    string // "rules[0].conditions[2].values[0]"
	Message string // what is wrong and how to mend it
}

// Error is the path and the message.
func (e *Error) Error() string { return e.Path + ": " + e.Message }

// Matcher is compiled rules. It never changes and is safe for concurrent use.
// The zero Matcher matches nothing.
type Matcher struct{ rules [][]condition }

type condition struct {
	property Property
	operator Operator
	values   map[string]bool // Equals, In: in lower case
	text     string          // the others: in lower case
	nets     []netip.Prefix  // IP
}

// Compile checks rules, which are alternatives, and makes them ready. No rules
// at all are rules that match nothing. What is wrong is an *Error.
func Compile(rules []Rule) (*Matcher, error) {
	if len(rules) > MaxRules {
		return nil, &Error{"rules", fmt.Sprintf("are %d, at most %d are taken", len(rules), MaxRules)}
	}
	m := &Matcher{}
	for i, r := range rules {
		at := fmt.Sprintf("rules[%d].conditions", i)
		if len(r.Conditions) == 0 {
			return nil, &Error{at, "are none: a rule without conditions would hold for every device; take the rule out"}
		}
		if len(r.Conditions) > MaxConditions {
			return nil, &Error{at, fmt.Sprintf("are %d, at most %d are taken", len(r.Conditions), MaxConditions)}
		}
		var all []condition
		for j, c := range r.Conditions {
			done, err := compile(fmt.Sprintf("%s[%d]", at, j), c)
			if err != nil {
				return nil, err
			}
			all = append(all, done)
		}
		m.rules = append(m.rules, all)
	}
	return m, nil
}

// closed are properties with few values: a misspelt one would never match.
var closed = map[Property][]string{Value: {"Low", "Normal", "High"}, Source: {"agent", "sbom", "simulated"}}

func compile(at string, c Condition) (condition, error) {
	out := condition{property: c.Property, operator: c.Operator}
	if !slices.Contains(Properties, c.Property) {
		return out, &Error{at + ".property", fmt.Sprintf("%q is not one of %s", c.Property, join(Properties))}
	}
	if !slices.Contains(Operators, c.Operator) {
		return out, &Error{at + ".operator", fmt.Sprintf("%q is not one of %s", c.Operator, join(Operators))}
	}
	exact := c.Operator == Equals || c.Operator == In
	if !exact && (c.Property == IP || closed[c.Property] != nil) {
		return out, &Error{at + ".operator", fmt.Sprintf("%s cannot be compared by %s; use equals or in", c.Property, c.Operator)}
	}
	switch n := len(c.Values); {
	case n == 0:
		return out, &Error{at + ".values", "are none: say what to compare with"}
	case n > 1 && c.Operator != In:
		return out, &Error{at + ".values", fmt.Sprintf("are %d, but %s takes one; use in, or a rule for each", n, c.Operator)}
	case n > MaxValues:
		return out, &Error{at + ".values", fmt.Sprintf("are %d, at most %d are taken", n, MaxValues)}
	}
	out.values = make(map[string]bool, len(c.Values))
	for i, v := range c.Values {
		err := out.add(v)
		if err != "" {
			return out, &Error{fmt.Sprintf("%s.values[%d]", at, i), err}
		}
	}
	return out, nil
}

// add takes in a value, or says what is wrong with it.
func (c *condition) add(v string) string {
	switch {
	case strings.TrimSpace(v) == "":
		return "is empty: say what to compare with"
	case utf8.RuneCountInString(v) > MaxText:
		return fmt.Sprintf("has more than %d characters", MaxText)
	case v != strings.TrimSpace(v):
		return fmt.Sprintf("%q begins or ends with a blank", v)
	case strings.IndexFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		return "holds a character that cannot be shown"
	}
	low := strings.ToLower(v)
	if c.property == IP {
		p, err := prefix(v)
		if err != nil {
			return fmt.Sprintf("%q is no address such as 10.1.2.3 or 2001:db8::1%s", v, orPrefix(c.operator))
		}
		if c.operator == Equals && !p.IsSingleIP() {
			return fmt.Sprintf("%q is a prefix; use in for prefixes", v)
		}
		c.nets = append(c.nets, p)
		return ""
	}
	if words := closed[c.property]; words != nil {
		ok := false
		for _, w := range words {
			ok = ok || strings.ToLower(w) == low
		}
		if !ok {
			return fmt.Sprintf("%q is not one of %s", v, strings.Join(words, ", "))
		}
	}
	c.text, c.values[low] = low, true
	return ""
}

func orPrefix(op Operator) string {
	if op == In {
		return " nor a prefix such as 10.1.0.0/16"
	}
	return ""
}

// prefix reads an address or a prefix; a v4 address in v6 form counts as v4.
func prefix(v string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(v); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(v)
	return p.Masked(), err
}

// Match reports whether one of the rules holds for a device.
func (m *Matcher) Match(f *Facts) bool {
	for _, all := range m.rules {
		holds := true
		for i := range all {
			if holds = all[i].holds(f); !holds {
				break
			}
		}
		if holds {
			return true
		}
	}
	return false
}

// Empty reports whether there is no rule: no device can match.
func (m *Matcher) Empty() bool { return len(m.rules) == 0 }

func (c *condition) holds(f *Facts) bool {
	switch c.property {
	case Name:
		return c.is(f.Name) || c.is(f.FullName)
	case Domain:
		_, domain, _ := strings.Cut(f.FullName, ".")
		return c.is(domain)
	case Tag:
		for _, t := range f.Tags {
			if c.is(t) {
				return true
			}
		}
	case OSPlatform:
		return c.is(f.OSPlatform)
	case OSVersion:
		return c.is(f.OSVersion)
	case IP:
		for _, s := range f.IPs {
			if a, err := netip.ParseAddr(s); err == nil && c.covers(a.Unmap().WithZone("")) {
				return true
			}
		}
	case Value:
		return c.is(f.Value)
	case Arch:
		return c.is(f.Arch)
	case Source:
		return c.is(f.Source)
	}
	return false
}

func (c *condition) covers(a netip.Addr) bool {
	for _, p := range c.nets {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// is compares one text; what is not known equals nothing.
func (c *condition) is(s string) bool {
	if s == "" {
		return false
	}
	s = strings.ToLower(s)
	switch c.operator {
	case StartsWith:
		return strings.HasPrefix(s, c.text)
	case EndsWith:
		return strings.HasSuffix(s, c.text)
	case Contains:
		return strings.Contains(s, c.text)
	}
	return c.values[s]
}

// CheckTagRules says whether rules for tags, by tag, name a tag that rules
// give: they see only the tags that people and agents give, so that no order
// of evaluation and no loop can matter.
func CheckTagRules(byTag map[string][]Rule) error {
	given := map[string]bool{}
	for tag := range byTag {
		given[strings.ToLower(tag)] = true
	}
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		for i, r := range byTag[tag] {
			for j, c := range r.Conditions {
				if c.Property != Tag || c.Operator != Equals && c.Operator != In {
					continue
				}
				for k, v := range c.Values {
					if given[strings.ToLower(v)] {
						return &Error{fmt.Sprintf("rules[%d].conditions[%d].values[%d]", i, j, k),
							fmt.Sprintf("the rules for the tag %q name %q, which rules give too: they see only tags that people and agents give", tag, v)}
					}
				}
			}
		}
	}
	return nil
}

func join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}
