package picket_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// cves are the mistakes of other systems that Picket promises not to make again:
// docs/manual/security.md says of each what keeps it out and which tests prove it.
var cves = strings.Fields(`
	CVE-2025-6264 CVE-2026-19583 CVE-2026-19072 CVE-2026-6290 CVE-2026-7573 CVE-2023-0290 CVE-2025-14728 CVE-2023-0242 CVE-2022-35629
	CVE-2022-35630 CVE-2022-35632 CVE-2021-3619 CVE-2026-22808 CVE-2019-1020007 CVE-2019-25047
	CVE-2022-35631 CVE-2019-3567 CVE-2025-37735 CVE-2024-10526
	CVE-2025-24016 CVE-2026-25769 CVE-2026-44901 CVE-2026-25770 CVE-2026-30893 CVE-2026-48024 CVE-2026-74033 CVE-2026-74043
	CVE-2024-32038 CVE-2023-7340 CVE-2022-40497 CVE-2025-15616 CVE-2026-26191 CVE-2026-34387 CVE-2026-26186 CVE-2026-23517 CVE-2026-103264 CVE-2026-23518
	CVE-2020-26276 CVE-2022-23600 CVE-2025-27509 CVE-2020-29509 CVE-2025-49825 CVE-2020-1887
	CVE-2018-6336 CVE-2017-15026 CVE-2017-15027 CVE-2017-15028
	CVE-2019-7609 CVE-2020-7012 CVE-2024-37287 CVE-2024-12556 CVE-2025-25014 CVE-2025-25015 CVE-2021-22150
	CVE-2026-49095 BIT-elk-2026-72631 CVE-2022-39351 CVE-2026-44256 CVE-2022-41924 CVE-2022-41925 CVE-2013-6766 CVE-2011-0018 CVE-2011-0650
	CWE-288 CWE-22 CWE-89 CWE-611 CWE-77 CWE-502`)

var (
	knownCVE = regexp.MustCompile(`\b(?:CVE-\d{4}-\d+|CWE-\d+|BIT-elk-[\d-]+)\b`)
	namedIn  = regexp.MustCompile("`([a-z0-9_./-]*)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`|`([a-z0-9/_-]+\\.test\\.mjs)`")
)

// classRow is a row of the table: a class of mistakes.
type classRow struct {
	line  int
	name  string
	cves  []string
	tests []string // "dir.TestName" or a file of browser tests
}

// classes reads the table of docs/manual/security.md.
func classes(text string) (out []classRow) {
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || !knownCVE.MatchString(cells[1]) {
			continue
		}
		r := classRow{line: i + 1, name: cells[0], cves: knownCVE.FindAllString(cells[1], -1)}
		for _, m := range namedIn.FindAllStringSubmatch(cells[3], -1) {
			if m[3] != "" {
				r.tests = append(r.tests, m[3])
			} else {
				r.tests = append(r.tests, m[1]+"."+m[2])
			}
		}
		out = append(out, r)
	}
	return out
}

// classViolations says what is wrong with a table. run are the tests that there
// are and run: "dir.TestName", and files of browser tests.
func classViolations(rows []classRow, run map[string]bool) (bad []string) {
	told := map[string]int{}
	for _, r := range rows {
		for _, c := range r.cves {
			told[c]++
		}
		if len(r.tests) == 0 {
			bad = append(bad, fmt.Sprintf("docs/manual/security.md:%d: %s names no test", r.line, r.name))
		}
		for _, name := range r.tests {
			if !run[name] {
				bad = append(bad, fmt.Sprintf("docs/manual/security.md:%d: %s: there is no test %s, or it is always skipped", r.line, r.name, name))
			}
		}
	}
	for _, c := range cves {
		if told[c] != 1 {
			bad = append(bad, fmt.Sprintf("docs/manual/security.md: %s is in %d rows, want one", c, told[c]))
		}
	}
	return bad
}

// runs lists the tests of a file that do something: not those that begin by being skipped.
func runs(f *ast.File) (out []string) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || fn.Body == nil || len(fn.Body.List) == 0 || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Fuzz") {
			continue
		}
		skipped := slices.ContainsFunc(fn.Body.List, func(s ast.Stmt) bool {
			e, ok := s.(*ast.ExprStmt)
			if !ok {
				return false
			}
			c, ok := e.X.(*ast.CallExpr)
			if !ok {
				return false
			}
			sel, ok := c.Fun.(*ast.SelectorExpr)
			return ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name)
		})
		if !skipped {
			out = append(out, fn.Name.Name)
		}
	}
	return out
}

// TestClassesOfMistakesHaveTests holds that every class of mistakes of the table
// names tests, that each of them is there, and that no class is left out.
func TestClassesOfMistakesHaveTests(t *testing.T) {
	run := map[string]bool{}
	sources(t, func(name string, content []byte) {
		switch {
		case strings.HasPrefix(name, "web/e2e/") && strings.HasSuffix(name, ".test.mjs"):
			run[name] = strings.Contains(string(content), "\ntest(")
		case strings.HasSuffix(name, "_test.go"):
			f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range runs(f) {
				run[strings.TrimPrefix(path.Dir(name), ".")+"."+test] = true
			}
		}
	})
	text, err := os.ReadFile("docs/manual/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := classes(string(text))
	if len(rows) < 29 {
		t.Errorf("%d classes are told of", len(rows))
	}
	report(t, classViolations(rows, run))
}

// TestClassesHold proves that the rules above can fail.
func TestClassesHold(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "x_test.go", "package x\nfunc TestA(t *testing.T) { t.Run() }\nfunc TestB(t *testing.T) { t.Skip(\"later\"); t.Run() }\nfunc TestC(t *testing.T) {}\n", parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := runs(f); !slices.Equal(got, []string{"TestA"}) {
		t.Errorf("tests that run: %q", got)
	}
	rows := classes("| a | CVE-2025-6264 | kept out | `x.TestA`, `web/e2e/x.test.mjs` |\n| b | CVE-2025-6264 | kept out | nothing |\n| c | CVE-2026-19583 | kept out | `x.TestB` |\n")
	if len(rows) != 3 || !slices.Equal(rows[0].tests, []string{"x.TestA", "web/e2e/x.test.mjs"}) {
		t.Fatalf("rows %+v", rows)
	}
	all := strings.Join(classViolations(rows, map[string]bool{"x.TestA": true, "web/e2e/x.test.mjs": true}), "\n")
	for _, want := range []string{"b names no test", "c: there is no test x.TestB", "CVE-2025-6264 is in 2 rows", "CVE-2020-1887 is in 0 rows"} {
		if !strings.Contains(all, want) {
			t.Errorf("not found: %s in\n%s", want, all)
		}
	}
}

// makers are the files of the programs that make, rename or remove files, open
// those of the server's own, or name a download: how names come about there. What
// comes over the wire is a name in none of them but where a test says what becomes
// of it.
var makers = map[string]string{
	"client/stream.go":                        "client.TestNamesOfFilesAreNoPaths",
	"internal/agent/collect/host.go":          "reads the root of the host",
	"internal/agent/respond/items_linux.go":   "reads the root of the host",
	"internal/eventlog/tally.go":              "numbers",
	"internal/eventlog/tallywrite.go":         "numbers",
	"cmd/picket/demo.go":                      "below the directory of the demo, constant names",
	"cmd/picket/export.go":                    "the administrator names it",
	"cmd/picket/login.go":                     "constant names below the person's own directory",
	"internal/agent/install_linux.go":         "constant names",
	"internal/agent/state.go":                 "relative to an open root, of names that internal/agent.TestNamesFromTheServerAreNoPaths tries",
	"internal/agent/cgroup_linux.go":          "control groups that the kernel names",
	"internal/agent/evidence.go":              "constant names",
	"internal/agent/respond/isolation.go":     "constant names below the state directory",
	"internal/agent/respond/isolate_linux.go": "constant names below the state directory",
	"internal/api/exchange.go":                "internal/server.TestNamesFromTheWireAreNoPaths",
	"internal/api/export.go":                  "internal/api.TestFileNamesAreWords",
	"internal/api/exportfile.go":              "internal/api.TestExportFiles",
	"internal/api/inaccuracy.go":              "internal/api.TestFileNamesAreWords",
	"internal/api/machine_action.go":          "internal/api.TestFileNamesAreWords",
	"internal/api/timeline.go":                "internal/api.TestFileNamesAreWords",
	"internal/eventlog/damage.go":             "numbers",
	"internal/eventlog/engine.go":             "numbers",
	"internal/eventlog/merge.go":              "numbers",
	"internal/eventlog/seal.go":               "numbers",
	"internal/eventlog/segment.go":            "numbers",
	"internal/eventlog/segwrite.go":           "numbers",
	"internal/eventlog/state.go":              "constant names and numbers",
	"internal/eventlog/wal.go":                "numbers",
	"internal/intel/commit.go":                "constant names",
	"internal/intel/fetch.go":                 "digests of addresses",
	"internal/intel/open.go":                  "the administrator names it; members: internal/intel.TestMemberNamesAreNotPaths",
	"internal/intel/spool.go":                 "random names",
	"internal/intel/store.go":                 "constant names",
	"internal/intel/sync.go":                  "digests of addresses",
	"internal/server/ca.go":                   "constant names",
	"internal/server/admin.go":                "constant names",
	"internal/server/exportfiles.go":          "internal/server.TestNamesFromTheWireAreNoPaths",
	"internal/server/lock_unix.go":            "constant names",
	"internal/server/package.go":              "internal/server.TestNamesFromTheWireAreNoPaths",
	"internal/server/sbom.go":                 "the administrator names it",
	"internal/server/server.go":               "constant names",
	"internal/server/vault.go":                "constant names",
	"internal/store/store.go":                 "constant names",
	"internal/simulate/book.go":               "constant names",
}

// makesFiles reports whether a file of Go makes or changes files by name, or
// opens files in the packages of the server.
func makesFiles(name string, f *ast.File) bool {
	changing := []string{"Create", "WriteFile", "Mkdir", "MkdirAll", "Rename", "Symlink", "Link", "CreateTemp", "MkdirTemp", "Remove", "RemoveAll", "OpenRoot", "Truncate", "Chmod", "Chown"}
	dir := path.Dir(name)
	if slices.Contains([]string{"internal/server", "internal/api", "internal/api/mde", "internal/intel", "internal/store", "internal/eventlog", "web"}, dir) {
		changing = append(changing, "Open", "ReadFile", "OpenFile")
	}
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, c := range changing {
				found = found || isSelector(n.Fun, "os", c)
			}
			if isSelector(n.Fun, "os", "OpenFile") && len(n.Args) == 3 {
				ast.Inspect(n.Args[1], func(flag ast.Node) bool {
					id, ok := flag.(*ast.Ident)
					found = found || ok && slices.Contains([]string{"O_CREATE", "O_WRONLY", "O_RDWR"}, id.Name)
					return true
				})
			}
		case *ast.BasicLit:
			text, _ := strconv.Unquote(n.Value)
			found = found || text == "Content-Disposition"
		}
		return true
	})
	return found
}

// TestFilesAreNamedInKnownPlaces is for the class of CVE-2023-0290: a place where
// a file gets its name is in the table above, with where the name comes from.
func TestFilesAreNamedInKnownPlaces(t *testing.T) {
	found := map[string]bool{}
	sources(t, func(name string, content []byte) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/rig/") || strings.HasPrefix(name, "bench/") ||
			strings.HasPrefix(name, "internal/eventlog/eventlogtest/") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if makesFiles(name, f) {
			found[name] = true
		}
	})
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if makers[name] == "" {
			bad = append(bad, name+" makes files or opens them by name: say in makers where its names come from")
		}
	}
	for name := range makers {
		if !found[name] {
			bad = append(bad, name+" is in makers and makes no file")
		}
	}
	report(t, bad)
}

// draws are the functions that ask for random bytes themselves, and what for. A
// credential is one of internal/server.TestCredentialsAreRandom, by its name
// there; newSecret is 256 bits, so that who calls it is not listed. rand.Text is
// 130 bits.
var draws = map[string]string{
	"internal/api.prepare":            "id of a request, no credential",
	"internal/server.certify":         "ECDSA",
	"internal/server.key":             "key of the vault, 256 bits",
	"internal/server.newSerial":       "serial number",
	"internal/server.newSigningKey":   "signing key, RSA 2048",
	"internal/server.nodeEnroll":      "id of a device, no credential; its key is newSecret",
	"internal/server.serverCert":      "key of the listener, P-256",
	"internal/simulate.load":          "key of a simulated device",
	"web.serveIndex":                  "nonce of a page's policy, 130 bits",
	"internal/server.newSecret":       "credential: secret of nodes and applications",
	"internal/server.randomBytes":     "credential: secret of one-time codes",
	"internal/server.newUserCode":     "exception: 8 letters that a person types, of 10 minutes, with few guesses: internal/server.TestCodesOfDevicesAreOneApplications",
	"internal/server.newUUID":         "id, no credential",
	"internal/server.newID":           "id, no credential",
	"internal/server.newAlertID":      "id, no credential",
	"internal/server.messageKey":      "id of a message, no credential",
	"internal/server.keep":            "id of a draft, no credential",
	"internal/server.admit":           "nonce that an agent shows beside its certificate, 130 bits",
	"internal/server.begin":           "credential: address of an export",
	"internal/server.seal":            "nonce of AES-GCM, no credential",
	"internal/server.hashPassword":    "salt",
	"internal/server.encodeDecoy":     "salt and hash of nobody",
	"internal/server.sign":            "RSA",
	"internal/server.createAuthority": "key of the authority, P-256",
	"internal/server.issue":           "ECDSA",
	"internal/store.CreateToken":      "credential: enrolment token",
	"internal/agent.newIdentity":      "key of the device, P-256",
	"internal/agent.randomSalt":       "salt of records, no credential",
	"internal/protocol.NewCSR":        "ECDSA",
}

// drawers are the functions of a file that use crypto/rand themselves.
func drawers(f *ast.File) (out []string) {
	if len(imports(f, "crypto/rand")) == 0 {
		return nil
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		found := false
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if ok && (isSelector(s, "rand", "Read") || isSelector(s, "rand", "Reader") || isSelector(s, "rand", "Text") || isSelector(s, "rand", "Int") || isSelector(s, "rand", "Prime")) {
				found = true
			}
			return true
		})
		if found {
			out = append(out, fn.Name.Name)
		}
	}
	return out
}

// TestEverySourceOfSecretsIsKnown is for the class of CVE-2026-103264: whoever
// asks for random bytes is in the table above, and what is a credential is measured.
// No program makes secrets of what is not random enough.
func TestEverySourceOfSecretsIsKnown(t *testing.T) {
	measured, err := os.ReadFile("internal/server/credential_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	found := map[string]bool{}
	sources(t, func(name string, content []byte) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/rig/") || strings.HasPrefix(name, "bench/") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range drawers(f) {
			at := path.Dir(name) + "." + fn
			found[at] = true
			what, credential := strings.CutPrefix(draws[at], "credential: ")
			switch {
			case what == "":
				bad = append(bad, fmt.Sprintf("%s: %s asks for random bytes: say in draws what for", name, at))
			case credential && !strings.Contains(string(measured), `"`+what+`"`):
				bad = append(bad, fmt.Sprintf("%s: TestCredentialsAreRandom does not measure %q", at, what))
			}
		}
	})
	for at := range draws {
		if !found[at] {
			bad = append(bad, at+" is in draws and asks for no random bytes")
		}
	}
	report(t, bad)
}
