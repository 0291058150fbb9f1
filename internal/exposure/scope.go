package exposure

import "slices"

// Scope is a set of devices, given by their groups: what somebody may see, or
// what an answer is about. The zero Scope holds no device, so that what was
// forgotten shows nothing. A Scope never changes and may be shared.
type Scope struct {
	all    bool
	groups []Group // in order, each once
}

// Everywhere is the scope of all devices, those of groups to come included.
func Everywhere() Scope { return Scope{all: true} }

// Within is the scope of the devices in some groups; 0 is the devices that are in none.
func Within(groups ...Group) Scope {
	return Scope{groups: slices.Compact(slices.Sorted(slices.Values(groups)))}
}

// All reports whether the scope holds every device.
func (s Scope) All() bool { return s.all }

// Groups are the groups of the scope in order: nil for all of them, else never nil.
func (s Scope) Groups() []Group {
	if s.all {
		return nil
	}
	return append([]Group{}, s.groups...)
}

// Has reports whether the devices of a group are in the scope.
func (s Scope) Has(g Group) bool {
	if s.all {
		return true
	}
	_, ok := slices.BinarySearch(s.groups, g)
	return ok
}

// Equal reports whether two scopes are the same.
func (s Scope) Equal(o Scope) bool { return s.all == o.all && slices.Equal(s.groups, o.groups) }

// Only is the part of the scope that lies in some groups; nil: the whole scope.
func (s Scope) Only(groups []Group) Scope {
	if groups == nil {
		return s
	}
	return Within(slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return !s.Has(g) })...)
}

// Covers reports whether every device of o is in the scope, whichever groups there are.
func (s Scope) Covers(o Scope) bool {
	return s.all || !o.all && !slices.ContainsFunc(o.groups, func(g Group) bool { return !s.Has(g) })
}
