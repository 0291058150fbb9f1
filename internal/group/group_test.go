package group

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
)

// The script testdata/rules.txt holds devices, then cases: rules on one line
// ("|" between rules, "&" between conditions, "," between values), and below
// what must follow: "= device …", or "! part of the error".
func TestScript(t *testing.T) {
	file, err := os.Open("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	type device struct {
		id    string
		facts Facts
	}
	var devices []device
	var line string
	var m *Matcher
	var bad error
	cases := 0
	for sc := bufio.NewScanner(file); sc.Scan(); {
		text := strings.TrimSpace(sc.Text())
		word, rest, _ := strings.Cut(text, " ")
		switch word {
		case "", "#":
		case "device":
			id, facts := parseDevice(t, rest)
			devices = append(devices, device{id, facts})
		case "=":
			cases++
			if bad != nil {
				t.Errorf("%s: %v", line, bad)
				continue
			}
			var got []string
			for i := range devices {
				if m.Match(&devices[i].facts) {
					got = append(got, devices[i].id)
				}
			}
			if want := strings.Fields(rest); !slices.Equal(got, want) {
				t.Errorf("%s: matches %v, want %v", line, got, want)
			}
		case "!":
			cases++
			if bad == nil || !strings.Contains(bad.Error(), rest) {
				t.Errorf("%s: error %v, want one with %q", line, bad, rest)
			}
		default:
			line = text
			m, bad = Compile(parseRules(text))
		}
	}
	if cases < 30 {
		t.Errorf("only %d cases were read", cases)
	}
}

func parseDevice(t *testing.T, text string) (id string, f Facts) {
	t.Helper()
	words := strings.Fields(text)
	for _, w := range words[1:] {
		key, v, _ := strings.Cut(w, "=")
		switch key {
		case "name":
			f.Name = v
		case "full":
			f.FullName = v
		case "tags":
			f.Tags = strings.Split(strings.ReplaceAll(v, "_", " "), ",")
		case "os":
			f.OSPlatform = v
		case "version":
			f.OSVersion = v
		case "ip":
			f.IPs = strings.Split(v, ",")
		case "value":
			f.Value = v
		case "arch":
			f.Arch = v
		case "source":
			f.Source = v
		default:
			t.Fatalf("no such fact: %q", w)
		}
	}
	return words[0], f
}

func parseRules(text string) (rules []Rule) {
	if text == "none" {
		return nil
	}
	for _, r := range strings.Split(text, " | ") {
		var rule Rule
		for _, c := range strings.Split(r, " & ") {
			words := strings.SplitN(c, " ", 3)
			cond := Condition{Property: Property(words[0])}
			if len(words) > 1 {
				cond.Operator = Operator(words[1])
			}
			if len(words) > 2 {
				cond.Values = strings.Split(words[2], ",")
			}
			if c != "nothing" {
				rule.Conditions = append(rule.Conditions, cond)
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestLimits(t *testing.T) {
	ok := Condition{Name, Equals, []string{"a"}}
	for what, rules := range map[string][]Rule{
		"rules":      slices.Repeat([]Rule{{[]Condition{ok}}}, MaxRules+1),
		"conditions": {{slices.Repeat([]Condition{ok}, MaxConditions+1)}},
		"values":     {{[]Condition{{Name, In, slices.Repeat([]string{"a"}, MaxValues+1)}}}},
		"characters": {{[]Condition{{Name, In, []string{strings.Repeat("ä", MaxText+1)}}}}},
	} {
		if _, err := Compile(rules); err == nil || !strings.Contains(err.Error(), "ost") && !strings.Contains(err.Error(), "more than") {
			t.Errorf("too many %s: %v", what, err)
		}
	}
	if _, err := Compile([]Rule{{[]Condition{{Name, In, []string{strings.Repeat("ä", MaxText)}}}}}); err != nil {
		t.Errorf("%d characters: %v", MaxText, err)
	}
}

func TestTagRulesSeeNoRuleTags(t *testing.T) {
	on := func(op Operator, v ...string) []Rule { return []Rule{{[]Condition{{Tag, op, v}}}} }
	if err := CheckTagRules(map[string][]Rule{"a": on(Equals, "manual"), "b": on(StartsWith, "a")}); err != nil {
		t.Errorf("rules on tags of people: %v", err)
	}
	for _, rules := range []map[string][]Rule{
		{"a": on(Equals, "A")},                           // itself, in other letters
		{"a": on(Equals, "x"), "b": on(In, "y", "a")},    // another
		{"a": on(Equals, "b"), "b": on(StartsWith, "z")}, // one that came later
	} {
		if err := CheckTagRules(rules); err == nil || !strings.Contains(err.Error(), "rules[0].conditions[0].values[") {
			t.Errorf("%v: error %v, want one that says where", rules, err)
		}
	}
}
