package conf

import "strings"

// Chain is a base chain of a packet filter: where it hooks in, and what
// becomes of packets that no rule decides.
type Chain struct {
	Family string // "ip", "ip6", "inet", …
	Table  string
	Hook   string // "input", "forward", "output"
	Policy string // "accept" or "drop"
	Rules  int
	// Final says that the last rule of the chain drops or rejects everything.
	Final bool
	Line  int
}

// NFT returns the base chains that an nftables script makes (nft(8)).
// Included files are not followed; includes lists them.
func NFT(b []byte) (chains []Chain, includes []string) {
	family, table := "", ""
	var open *Chain
	depth, chainDepth := 0, 0
	last := ""
	for n, s := range lines(b, "#", true) {
		for _, part := range splitStatements(s) {
			w := fields(part)
			switch {
			case len(w) == 0:
			case w[0] == "include" && len(w) > 1:
				includes = append(includes, w[1])
			case w[0] == "table" && depth == 0 && len(w) > 1:
				family, table = "ip", w[1]
				if len(w) > 2 && w[2] != "{" {
					family, table = w[1], w[2]
				}
			case w[0] == "chain" && len(w) > 1:
				open, chainDepth, last = &Chain{Family: family, Table: table, Line: n}, depth, ""
			case open == nil:
			case w[0] == "type" && contains(w, "hook"):
				open.Policy = "accept"
				open.Hook = after(w, "hook")
			case w[0] == "policy" && len(w) > 1:
				open.Policy = strings.ToLower(w[1])
			case w[0] != "{" && w[0] != "}":
				open.Rules++
				last = strings.TrimSuffix(strings.TrimSpace(part), "}")
			}
			depth += strings.Count(part, "{") - strings.Count(part, "}")
			if open != nil && depth <= chainDepth && strings.Contains(part, "}") {
				if open.Hook != "" && len(chains) < 1000 {
					f := strings.Fields(last)
					open.Final = len(f) > 0 && (f[0] == "drop" || f[0] == "reject" || f[0] == "counter" && (contains(f, "drop") || contains(f, "reject")))
					chains = append(chains, *open)
				}
				open = nil
			}
		}
	}
	return chains, includes
}

// splitStatements cuts a line at semicolons and before and after braces that
// open and close blocks, so that each part is one statement.
func splitStatements(s string) []string {
	var out []string
	from := 0
	quoted := false
	for i := 0; i < len(s) && len(out) < maxWords; i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted:
		case s[i] == ';':
			out = append(out, s[from:i])
			from = i + 1
		case s[i] == '{' && (strings.Contains(s[from:i], "chain ") || strings.Contains(s[from:i], "table ")):
			out = append(out, s[from:i+1])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func contains(w []string, s string) bool { return after(append(w, ""), s) != "" }

// after returns the word behind another one.
func after(w []string, s string) string {
	for i := 0; i+1 < len(w); i++ {
		if w[i] == s {
			if w[i+1] == "" {
				return " "
			}
			return w[i+1]
		}
	}
	return ""
}

// IPTables returns the base chains of the filter table in the form that
// iptables-save writes; family is "ip" or "ip6".
func IPTables(b []byte, family string) []Chain {
	at := map[string]*Chain{}
	var order []*Chain
	table := ""
	for n, s := range lines(b, "#", false) {
		switch {
		case s[0] == '*':
			table = s[1:]
		case table != "filter":
		case s[0] == ':':
			f := strings.Fields(s[1:])
			if len(f) > 1 && (f[0] == "INPUT" || f[0] == "FORWARD" || f[0] == "OUTPUT") && at[f[0]] == nil {
				c := &Chain{Family: family, Table: table, Hook: strings.ToLower(f[0]), Policy: strings.ToLower(f[1]), Line: n}
				at[f[0]] = c
				order = append(order, c)
			}
		case strings.HasPrefix(s, "-A "):
			f := strings.Fields(s)
			if c := at[f[1]]; len(f) > 1 && c != nil {
				c.Rules++
				c.Final = len(f) >= 4 && f[2] == "-j" && (f[3] == "DROP" || f[3] == "REJECT")
			}
		}
	}
	out := make([]Chain, len(order))
	for i, c := range order {
		out[i] = *c
	}
	return out
}

// ZoneTarget returns the target of a firewalld zone file ("DROP", "ACCEPT",
// "default"); empty when it names none.
func ZoneTarget(b []byte) string {
	_, rest, ok := strings.Cut(string(b[:min(len(b), MaxLine)]), "<zone")
	if !ok {
		return ""
	}
	tag, _, ok := strings.Cut(rest, ">")
	if !ok {
		return ""
	}
	return parameter(tag, "target")
}
