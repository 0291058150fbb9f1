package version

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// nativePairs is how many pairs are put to the tools: a million where
// PICKET_LONG is set.
func nativePairs() int {
	if os.Getenv("PICKET_LONG") != "" {
		return 1_000_000
	}
	return 100_000
}

// pairs generates the same pairs of versions on every run; keep may be nil.
func pairs(ecosystem string, n int, keep func(string) bool) [][2]string {
	g := versions(ecosystem)
	var pool []string
	for i := 0; len(pool) < 4000; i++ {
		if v := g.Example(i); keep == nil || keep(v) {
			pool = append(pool, v)
		}
	}
	out := make([][2]string, n)
	seed := uint64(1)
	next := func() uint64 { // xorshift, so that the pairs do not depend on a library
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed
	}
	for i := range out {
		a, b := pool[next()%uint64(len(pool))], pool[next()%uint64(len(pool))]
		if i%2 == 0 { // half of the pairs differ in one place only
			b = a
			at := int(next() % uint64(len(b)+1))
			b = b[:at] + []string{"~", "+", "0", "1", "a", ".", ".0", "~rc"}[next()%8] + b[at:]
			if Valid(ecosystem, b) != nil {
				b = a
			}
		}
		out[i] = [2]string{a, b}
	}
	return out
}

func disagreements(t *testing.T, ecosystem string, ps [][2]string, want []int) {
	t.Helper()
	if len(want) != len(ps) {
		t.Fatalf("the tool answered %d of %d pairs", len(want), len(ps))
	}
	bad, equal := 0, 0
	for i, p := range ps {
		got, err := Compare(ecosystem, p[0], p[1])
		if err != nil || sign(got) != want[i] {
			if bad++; bad <= 10 {
				t.Errorf("Compare(%s, %q, %q) = %d, %v, the tool says %d", ecosystem, p[0], p[1], sign(got), err, want[i])
			}
		}
		if want[i] == 0 {
			equal++
		}
	}
	t.Logf("%d pairs, %d of them equal, %d disagreements", len(ps), equal, bad)
}

// answers runs a tool that prints one number per pair.
func answers(t *testing.T, input string, name string, args ...string) []int {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, stderr.String())
	}
	var got []int
	sc := bufio.NewScanner(bytes.NewReader(out))
	for sc.Scan() {
		if text := strings.TrimSpace(sc.Text()); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatalf("%s answered %q", name, text)
			}
			got = append(got, n)
		}
	}
	return got
}

func lines(ps [][2]string) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%s %s\n", p[0], p[1])
	}
	return b.String()
}

// TestAgreesWithDpkg compares with dpkg's own comparison: a sample through
// dpkg --compare-versions, all pairs through the same code inside one dpkg.
func TestAgreesWithDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		missing(t, "dpkg is not installed: "+err.Error())
	}
	t.Run("compare-versions", func(t *testing.T) {
		sample := pairs("Debian", 500, nil)
		script := `while read -r a b; do
if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi
done`
		disagreements(t, "Debian", sample, answers(t, lines(sample), "sh", "-c", script))
	})
	t.Run("merge-avail", func(t *testing.T) {
		ps := pairs("Debian", nativePairs(), nil)
		disagreements(t, "Debian", ps, mergeAvail(t, ps))
	})
}

// mergeAvail compares pairs by dpkg --merge-avail, which keeps the version that
// comes later unless it is older than the one that it has (one process for all
// pairs: a process each takes minutes). Every pair comes in both orders.
func mergeAvail(t *testing.T, ps [][2]string) []int {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	for i, p := range ps {
		for _, s := range []struct{ name, version, place string }{{"p", p[0], "first"}, {"p", p[1], "second"}, {"q", p[1], "first"}, {"q", p[0], "second"}} {
			fmt.Fprintf(&b, "Package: %s%d\nVersion: %s\nArchitecture: all\nMaintainer: m\nDescription: %s\n\n", s.name, i, s.version, s.place)
		}
	}
	write(t, dir+"/given", b.String())
	write(t, dir+"/status", "")
	if out, err := exec.Command("dpkg", "--admindir="+dir, "--merge-avail", dir+"/given").CombinedOutput(); err != nil {
		t.Fatalf("dpkg: %v: %s", err, out)
	}
	raw, err := os.ReadFile(dir + "/available")
	if err != nil {
		t.Fatal(err)
	}
	later := map[string]bool{} // the one that came second is no older than the first
	name := ""
	for text := range strings.Lines(string(raw)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(text), ": "); key {
		case "Package":
			name = value
		case "Description":
			later[name] = value == "second"
		}
	}
	if len(later) != 2*len(ps) {
		t.Fatalf("dpkg kept %d of %d packages", len(later), 2*len(ps))
	}
	got := make([]int, len(ps))
	for i := range ps {
		switch notLess, notMore := later[fmt.Sprintf("q%d", i)], later[fmt.Sprintf("p%d", i)]; {
		case notLess && notMore:
		case notLess:
			got[i] = 1
		case notMore:
			got[i] = -1
		default:
			t.Fatalf("%q is both older and newer than %q", ps[i][0], ps[i][1])
		}
	}
	return got
}

// TestAgreesWithRPM compares with rpm's own comparison, through its Lua interpreter.
func TestAgreesWithRPM(t *testing.T) {
	if _, err := exec.LookPath("rpm"); err != nil {
		missing(t, "rpm is not installed: "+err.Error())
	}
	file := t.TempDir() + "/pairs"
	ps := pairs("AlmaLinux", nativePairs(), nil)
	write(t, file, lines(ps))
	script := `%{lua: for l in io.lines("` + file + `") do local a, b = l:match("^(%S+) (%S+)$") print(rpm.vercmp(a, b) .. "\n") end}`
	disagreements(t, "AlmaLinux", ps, answers(t, "", "rpm", "--eval", script))
}
