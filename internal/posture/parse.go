package posture

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// categoryFiles are the data files and the category of the checks in each.
var categoryFiles = map[string]Category{
	"application.txt": Application, "os.txt": OS, "network.txt": Network, "accounts.txt": Accounts, "controls.txt": SecurityControls,
}

// benchmarks are the documents that checks refer to, by their short names.
var benchmarks = map[string]string{
	"cis-debian12": "CIS Debian Linux 12 Benchmark v1.1.0",
	"cis-rhel9":    "CIS Red Hat Enterprise Linux 9 Benchmark v2.0.0",
	"anssi":        "ANSSI-BP-028 v2.0",
}

// readChecks reads the data files of a directory "checks", ordered by id.
func readChecks(fsys fs.FS) ([]*Check, error) {
	names, err := fs.Glob(fsys, "checks/*.txt")
	if err != nil {
		return nil, err
	}
	var all []*Check
	for _, name := range names {
		category, ok := categoryFiles[path.Base(name)]
		if !ok {
			return nil, fmt.Errorf("%s: no category has this file", name)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		list, err := parseChecks(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s:%w", name, err)
		}
		for _, c := range list {
			c.Category = category
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b *Check) int { return cmp.Compare(a.ID, b.ID) })
	for i := 1; i < len(all); i++ {
		if all[i].ID == all[i-1].ID {
			return nil, fmt.Errorf("%s is there twice", all[i].ID)
		}
	}
	return all, nil
}

// parseChecks reads checks in the form that docs/posture.md tells: a line with
// id and title, then "field: value" lines; a line that begins with two spaces
// continues the one before; "#" begins a comment.
func parseChecks(text string) ([]*Check, error) {
	var all []*Check
	var c *Check
	field, value, from := "", "", 0
	flush := func() error {
		if field == "" {
			return nil
		}
		err := c.set(field, strings.TrimSpace(value))
		if err != nil {
			err = fmt.Errorf("%d: %s: %s: %w", from, c.ID, field, err)
		}
		field = ""
		return err
	}
	n := 0
	for raw := range strings.Lines(text) {
		n++
		s := strings.TrimRight(raw, " \n")
		if more, ok := strings.CutPrefix(s, "  "); ok && field != "" {
			value += "\n" + more
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		switch {
		case s == "" || s[0] == '#':
		case strings.HasPrefix(s, "scid-"):
			id, title, _ := strings.Cut(s, " ")
			c = &Check{ID: id, Title: title}
			all = append(all, c)
		case c == nil:
			return nil, fmt.Errorf("%d: a field before the first check", n)
		default:
			k, v, ok := strings.Cut(s, ":")
			if !ok {
				return nil, fmt.Errorf("%d: %s: no field: %q", n, c.ID, s)
			}
			field, value, from = k, v, n
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return all, nil
}

// set takes one field.
func (c *Check) set(field, value string) error {
	oneLine := strings.Join(strings.Fields(value), " ")
	name, families, _ := strings.Cut(field, " ")
	switch name {
	case "area":
		c.Subcategory = oneLine
	case "product":
		c.Products = strings.Fields(value)
		for _, p := range c.Products {
			if _, err := path.Match(p, ""); err != nil {
				return fmt.Errorf("%q: %w", p, err)
			}
		}
	case "impact":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > MaxImpact {
			return fmt.Errorf("impact %q is not 1 to %d", value, MaxImpact)
		}
		c.Impact = n
	case "why":
		c.Rationale = oneLine
	case "users":
		c.UserImpact = oneLine
	case "noticed":
		if value != "yes" && value != "no" {
			return errors.New("neither yes nor no")
		}
		c.Productivity = value == "yes"
	case "used":
		u, err := parseUse(oneLine)
		if err != nil {
			return err
		}
		c.Uses = append(c.Uses, u)
	case "logged":
		c.Logged = value
	case "for":
		c.Families = strings.Fields(value)
		return knownFamilies(c.Families)
	case "fix":
		r := Remedy{Families: strings.Fields(families), Steps: value}
		c.Remediation = append(c.Remediation, r)
		return knownFamilies(r.Families)
	case "ref":
		alias, items, ok := strings.Cut(oneLine, ": ")
		if !ok {
			return errors.New("no benchmark before the items")
		}
		benchmark, ok := benchmarks[alias]
		if !ok {
			return fmt.Errorf("unknown benchmark %q", alias)
		}
		for _, item := range strings.Split(items, ", ") {
			c.References = append(c.References, Reference{Benchmark: benchmark, Item: item})
		}
	case "only-if":
		rule, proof, ok := strings.Cut(oneLine, " -- ")
		if !ok {
			return errors.New("no proof after --")
		}
		l, err := parseLine(rule)
		if err != nil {
			return err
		}
		c.needs = append(c.needs, need{l, proof})
	case "pass":
		l, err := parseLine(oneLine)
		if err != nil {
			return err
		}
		c.tests = append(c.tests, l)
	case "kernel":
		lines, err := parseKernel(oneLine)
		if err != nil {
			return err
		}
		c.tests = append(c.tests, lines...)
	default:
		return errors.New("unknown field")
	}
	return nil
}

func knownFamilies(list []string) error {
	for _, f := range list {
		if _, ok := families[f]; !ok {
			return fmt.Errorf("unknown family %q", f)
		}
	}
	return nil
}

// parseLine reads "condition || condition || …".
func parseLine(s string) (line, error) {
	var l line
	for _, part := range strings.Split(s, " || ") {
		k, err := parseCond(strings.Fields(part))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		l = append(l, k)
	}
	return l, nil
}

// parseKernel reads "NAME op …" as two lines: the parameter in effect is as
// expected, and no file sets it otherwise for the next boot.
func parseKernel(s string) ([]line, error) {
	w := strings.Fields(s)
	now, err := parseCond(append([]string{"sysctl"}, w...))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", s, err)
	}
	file := now
	file.name = "file:" + now.name
	unset := cond{section: now.section, name: file.name, op: opAbsent, quiet: true}
	return []line{{now}, {unset, file}}, nil
}

// parseCond reads "section name op argument…".
func parseCond(w []string) (cond, error) {
	if len(w) < 3 {
		return cond{}, errors.New("a condition is: section name op argument…")
	}
	k := cond{section: sectionWord(w[0]), name: w[1], op: op(w[2]), args: w[3:]}
	if k.section == "" {
		return cond{}, fmt.Errorf("unknown section %q", w[0])
	}
	least, most, ok := k.op.arity()
	if !ok {
		return cond{}, fmt.Errorf("unknown comparison %q", w[2])
	}
	if len(k.args) < least || len(k.args) > most {
		return cond{}, fmt.Errorf("%q takes %d to %d arguments, %d are given", k.op, least, most, len(k.args))
	}
	var err error
	switch k.op {
	case opAtLeast, opAtMost:
		k.num, err = strconv.ParseInt(k.args[0], 10, 64)
	case opWithin, opMasks:
		k.num, err = strconv.ParseInt(k.args[0], 8, 64)
	}
	return k, err
}
