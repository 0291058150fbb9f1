package posture

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// op is a comparison of a setting with an expectation.
type op string

// The comparisons. Those of the first group look at a setting's value, of the
// second at its list.
const (
	opIs      op = "is"     // the value is exactly this
	opNot     op = "not"    // it is not this; a setting that is not set is not this either
	opIn      op = "in"     // it is one of these
	opAtLeast op = ">="     // a number
	opAtMost  op = "<="     // a number
	opLike    op = "like"   // it matches one of these patterns with "*"
	opUnlike  op = "unlike" // it matches none
	opWithin  op = "within" // a file's mode has no bit beyond this one, owner and group are among these
	opMasks   op = "masks"  // a umask, or every one of a list, takes these bits away

	opHas   op = "has"   // the list has all of these (patterns with "*")
	opLacks op = "lacks" // it has none of them
	opOnly  op = "only"  // it has nothing else
	opEmpty op = "empty" // it has nothing

	opPresent op = "present" // the setting is set, or the package is installed
	opAbsent  op = "absent"  // it is not
)

// arity is how many arguments a comparison takes.
func (o op) arity() (least, most int, ok bool) {
	switch o {
	case opIs, opNot, opAtLeast, opAtMost, opMasks:
		return 1, 1, true
	case opIn, opLike, opUnlike, opHas, opLacks, opOnly:
		return 1, math.MaxInt, true
	case opWithin:
		return 1, 3, true
	case opEmpty, opPresent, opAbsent:
		return 0, 0, true
	}
	return 0, 0, false
}

// packages is the section word for what is installed, whichever database says so.
const packages inventory.SectionName = "packages"

func sectionWord(s string) inventory.SectionName {
	n := inventory.SectionName(s)
	if n == packages || slices.Contains(inventory.SettingSections, n) {
		return n
	}
	return ""
}

// cond is one condition on one setting, or on all that match a pattern.
type cond struct {
	section inventory.SectionName
	name    string // "*" in it stands for any text: all settings that match
	op      op
	args    []string
	num     int64
	quiet   bool // no evidence worth showing
}

// line is a list of conditions of which one is enough.
type line []cond

// need is what has to hold for a check to concern a device, and the proof that
// it does not otherwise.
type need struct {
	line
	proof string
}

func (k *cond) label() string {
	if k.section == packages {
		return "package " + k.name
	}
	return k.name
}

// expected tells the expectation in words.
func (k *cond) expected() string {
	list := strings.Join(k.args, ", ")
	switch k.op {
	case opIs:
		return "is " + list
	case opNot:
		return "is not " + list
	case opIn:
		return "is one of " + list
	case opAtLeast:
		return "at least " + list
	case opAtMost:
		return "at most " + list
	case opLike:
		return "is like " + list
	case opUnlike:
		return "is not like " + list
	case opMasks:
		return "takes away at least " + list
	case opHas:
		return "includes " + list
	case opLacks:
		return "does not include " + list
	case opOnly:
		return "nothing but " + list
	case opEmpty:
		return "none"
	case opPresent:
		if k.section == packages {
			return "is installed"
		}
		return "is set"
	case opAbsent:
		if k.section == packages {
			return "is not installed"
		}
		return "is not set"
	case opWithin:
		s := "mode " + k.args[0] + " or stricter"
		for i, what := range []string{", owner ", ", group "} {
			if len(k.args) > i+1 {
				s += what + strings.ReplaceAll(k.args[i+1], ",", " or ")
			}
		}
		return s
	}
	return ""
}

// verdict is the truth of a condition.
type verdict int

const (
	no verdict = iota
	yes
	unknown      // it could not be read
	inapplicable // its source cannot exist on the device
)

// holds compares a setting that was read; set says whether it is set at all.
// why is given with unknown.
func (k *cond) holds(s inventory.Setting, set bool) (v verdict, why string) {
	switch k.op {
	case opPresent:
		return is(set), ""
	case opAbsent:
		return is(!set), ""
	}
	if !set {
		return is(k.op == opNot || k.op == opUnlike || k.op == opLacks || k.op == opEmpty), ""
	}
	switch k.op {
	case opIs, opIn:
		return is(slices.Contains(k.args, s.Value)), ""
	case opNot:
		return is(!slices.Contains(k.args, s.Value)), ""
	case opLike, opUnlike:
		return is(anyLike(k.args, s.Value) == (k.op == opLike)), ""
	case opAtLeast, opAtMost:
		n, err := strconv.ParseInt(s.Value, 10, 64)
		if err != nil {
			return unknown, fmt.Sprintf("%s is %q, which is no number", k.label(), clip(s.Value, 64))
		}
		return is(k.op == opAtLeast && n >= k.num || k.op == opAtMost && n <= k.num), ""
	case opWithin:
		return k.within(s.Value)
	case opMasks:
		return k.masks(s)
	case opEmpty:
		return is(len(s.List) == 0), ""
	case opHas:
		return is(!slices.ContainsFunc(k.args, func(a string) bool { return !listHas(s.List, a) })), ""
	case opLacks:
		return is(!slices.ContainsFunc(k.args, func(a string) bool { return listHas(s.List, a) })), ""
	case opOnly:
		return is(!slices.ContainsFunc(s.List, func(e string) bool { return !anyLike(k.args, e) })), ""
	}
	return unknown, "the comparison is not known"
}

func is(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// within reads "0640 root shadow".
func (k *cond) within(value string) (verdict, string) {
	f := strings.Fields(value)
	if len(f) != 3 {
		return unknown, fmt.Sprintf("%s is %q, which is no mode with owner and group", k.label(), clip(value, 64))
	}
	mode, err := strconv.ParseInt(f[0], 8, 32)
	if err != nil {
		return unknown, fmt.Sprintf("%s has the mode %q, which is no octal number", k.label(), clip(f[0], 64))
	}
	ok := mode&^k.num == 0
	for i, who := range f[1:] {
		if len(k.args) > i+1 && !slices.Contains(strings.Split(k.args[i+1], ","), who) {
			ok = false
		}
	}
	return is(ok), ""
}

func (k *cond) masks(s inventory.Setting) (verdict, string) {
	all := s.List
	if s.Value != "" {
		all = append([]string{s.Value}, all...)
	}
	ok := len(all) > 0
	for _, v := range all {
		n, err := strconv.ParseInt(v, 8, 32)
		if err != nil {
			return unknown, fmt.Sprintf("%s is %q, which is no octal number", k.label(), clip(v, 64))
		}
		ok = ok && n&k.num == k.num
	}
	return is(ok), ""
}

func listHas(list []string, pattern string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return like(pattern, e) })
}

func anyLike(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return like(p, s) })
}

// like matches a pattern in which "*" stands for any text.
func like(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		_, rest, ok := strings.Cut(s, p)
		if !ok {
			return false
		}
		s = rest
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// found shows a setting as evidence.
func found(s inventory.Setting, set bool) string {
	if !set {
		return "not set"
	}
	if s.List == nil {
		return clip(s.Value, maxFound)
	}
	shown := s.List[:min(len(s.List), maxShown)]
	text := strings.Join(shown, ", ")
	if n := len(s.List); n > len(shown) {
		text += fmt.Sprintf(" and %d more", n-len(shown))
	}
	if len(s.List) == 0 {
		text = "none"
	}
	return clip(text, maxFound)
}

// Caps of what a result shows of a device's own words, in bytes.
const (
	maxFound  = 1024
	maxShown  = 20 // entries of a list
	maxSource = 512
	maxReason = 1000
)

// clip cuts a text to at most max bytes at a character's end.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	s = s[:max-len("…")]
	for len(s) > 0 && s[len(s)-1]&0xc0 == 0x80 {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] >= 0xc0 {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// setting decodes one item.
func setting(raw json.RawMessage) (s inventory.Setting, ok bool) {
	return s, json.Unmarshal(raw, &s) == nil
}
