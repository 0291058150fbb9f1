package version

import "strings"

// mavenItem is one item of a Maven version. Maven reads "1.2-rc1" as a list in
// a list, [1 2 [rc1]], and orders item by item; see "Version Order
// Specification" in Maven's POM reference.
type mavenItem struct {
	kind   mavenKind
	text   string      // digits of a number, word of a qualifier
	number string      // digits after the word, for a combination
	list   []mavenItem // of a list
}

type mavenKind int

const (
	mavenNumber mavenKind = iota
	mavenWord
	mavenCombination // a word with a number, such as rc1
	mavenList
)

// mavenQualifiers in their order; other words come after them, by text.
var mavenQualifiers = [...]string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

const mavenRelease = 5 // the place of "" in mavenQualifiers

// qualifier returns the rank of a word, and the word itself when it is unknown.
func qualifier(w string) (int, string) {
	switch w {
	case "ga", "final", "release":
		return mavenRelease, ""
	}
	for i, q := range mavenQualifiers {
		if w == q {
			return i, ""
		}
	}
	return len(mavenQualifiers), w
}

// mavenParser holds the open lists, outermost first.
type mavenParser struct {
	open [][]mavenItem
}

func (p *mavenParser) add(i mavenItem) {
	n := len(p.open) - 1
	p.open[n] = append(p.open[n], i)
}

// nest opens a list inside of the current one.
func (p *mavenParser) nest() { p.open = append(p.open, nil) }

// nestUnlessEmpty opens a list when the current one has items.
func (p *mavenParser) nestUnlessEmpty() {
	if len(p.open[len(p.open)-1]) > 0 {
		p.nest()
	}
}

// close normalizes and closes all lists, innermost first.
func (p *mavenParser) close() []mavenItem {
	for n := len(p.open) - 1; ; n-- {
		items := normalizeMaven(p.open[n])
		if n == 0 {
			return items
		}
		p.open[n-1] = append(p.open[n-1], mavenItem{kind: mavenList, list: items})
	}
}

func makeMavenItem(combination, number bool, text string) mavenItem {
	if combination {
		text = strings.ReplaceAll(text, "-", "")
		at := strings.IndexAny(text, "0123456789")
		return mavenItem{kind: mavenCombination, text: mavenAlias(text[:at], true), number: text[at:]}
	}
	if number {
		return mavenItem{kind: mavenNumber, text: text}
	}
	return mavenItem{kind: mavenWord, text: mavenAlias(text, false)}
}

func mavenAlias(w string, followed bool) string {
	switch {
	case followed && w == "a":
		return "alpha"
	case followed && w == "b":
		return "beta"
	case followed && w == "m":
		return "milestone"
	case w == "cr":
		return "rc"
	}
	return w
}

func parseMaven(v string) []mavenItem {
	v = strings.ToLower(v)
	p := &mavenParser{open: [][]mavenItem{nil}}
	number, combination, start := false, false, 0
	zero := mavenItem{kind: mavenNumber, text: "0"}
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '.':
			if i == start {
				p.add(zero)
			} else {
				p.add(makeMavenItem(combination, number, v[start:i]))
			}
			combination, start = false, i+1
		case c == '-':
			if i == start {
				p.add(zero)
			} else {
				if !number && i+1 < len(v) && isDigit(v[i+1]) {
					combination = true
					continue
				}
				p.add(makeMavenItem(combination, number, v[start:i]))
			}
			start = i + 1
			p.nestUnlessEmpty()
			combination = false
		case isDigit(c):
			if !number && i > start {
				combination = true
				p.nestUnlessEmpty()
			}
			number = true
		default:
			if number && i > start {
				p.add(makeMavenItem(combination, true, v[start:i]))
				start = i
				p.nest()
				combination = false
			}
			number = false
		}
	}
	if len(v) > start {
		if !number {
			p.nestUnlessEmpty()
		}
		p.add(makeMavenItem(combination, number, v[start:]))
	}
	return p.close()
}

func (i *mavenItem) isNull() bool {
	switch i.kind {
	case mavenNumber:
		return compareDigits(i.text, "") == 0
	case mavenWord:
		return i.text == ""
	case mavenList:
		return len(i.list) == 0
	}
	return false
}

// normalizeMaven drops empty items at the end and before qualifiers.
func normalizeMaven(items []mavenItem) []mavenItem {
	for i := len(items) - 1; i >= 0; i-- {
		if !items[i].isNull() {
			continue
		}
		drop := i == len(items)-1 || items[i+1].kind == mavenWord
		if !drop && items[i+1].kind == mavenList && len(items[i+1].list) > 0 {
			first := items[i+1].list[0].kind
			drop = first == mavenCombination || first == mavenWord
		}
		if drop {
			items = append(items[:i], items[i+1:]...)
		}
	}
	return items
}

func compareWords(a, b string) int {
	ar, aw := qualifier(a)
	br, bw := qualifier(b)
	if ar != br {
		return ar - br
	}
	return strings.Compare(aw, bw)
}

// compareMavenItem orders two items; b is nil where the other list has ended.
func compareMavenItem(a, b *mavenItem) int {
	if b == nil {
		switch a.kind {
		case mavenNumber:
			return compareDigits(a.text, "")
		case mavenWord, mavenCombination:
			return compareWords(a.text, "")
		}
		for i := range a.list {
			if n := compareMavenItem(&a.list[i], nil); n != 0 {
				return n
			}
		}
		return 0
	}
	if a.kind == b.kind {
		switch a.kind {
		case mavenNumber:
			return compareDigits(a.text, b.text)
		case mavenWord:
			return compareWords(a.text, b.text)
		case mavenCombination:
			if n := compareWords(a.text, b.text); n != 0 {
				return n
			}
			return compareDigits(a.number, b.number)
		}
		return compareMavenLists(a.list, b.list)
	}
	// Of different kinds: words and combinations, then lists, then numbers.
	switch {
	case a.kind == mavenNumber:
		return 1
	case b.kind == mavenNumber:
		return -1
	case a.kind == mavenList:
		return 1
	case b.kind == mavenList:
		return -1
	}
	if n := compareWords(a.text, b.text); n != 0 {
		return n
	}
	if a.kind == mavenWord {
		return -1
	}
	return 1
}

func compareMavenLists(a, b []mavenItem) int {
	for i := 0; i < len(a) || i < len(b); i++ {
		n := 0
		switch {
		case i >= len(a):
			n = -compareMavenItem(&b[i], nil)
		case i >= len(b):
			n = compareMavenItem(&a[i], nil)
		default:
			n = compareMavenItem(&a[i], &b[i])
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

func compareMaven(a, b string) int {
	return compareMavenLists(parseMaven(a), parseMaven(b))
}
