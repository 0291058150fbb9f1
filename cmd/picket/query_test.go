package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// bom is a device that is described and needs no agent.
const bom = `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"type":"device","name":"NAME"}},
	"components":[{"type":"library","name":"left-pad","version":"1.0.0","purl":"pkg:npm/left-pad@1.0.0"}]}`

// command runs the command line in this process.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func imported(t *testing.T, data string, names ...string) {
	t.Helper()
	for _, n := range names {
		file := filepath.Join(t.TempDir(), "bom.json")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(bom, "NAME", n)), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := command(t, "sbom", "import", "--data", data, file); code != 0 {
			t.Fatal(stderr)
		}
	}
}

func TestQueriesWithoutAServer(t *testing.T) {
	t.Setenv("PICKET_DATA", "")
	data := t.TempDir()
	imported(t, data, "alpha", "beta", "gamma")
	code, out, stderr := command(t, "devices", "--data", data, "--sort=-name", "--limit", "2")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "ID") || !strings.Contains(lines[1], "gamma") || !strings.Contains(lines[2], "beta") {
		t.Fatalf("devices = %d\n%s%s", code, out, stderr)
	}
	code, out, _ = command(t, "devices", "--data", data, "--json", "-f", "source=sbom", "-q", "alph")
	var d struct{ ID, Name string }
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != 0 || d.Name != "alpha" || len(d.ID) != 40 {
		t.Errorf("devices --json = %d %q, %v", code, out, err)
	}
	if code, out, _ := command(t, "recommend", "--data", data); code != 0 || !strings.HasPrefix(out, "ID") || strings.Count(out, "\n") != 1 {
		t.Errorf("recommend = %d %q", code, out)
	}
	if code, out, stderr := command(t, "hunt", "--data", data, "DeviceTvmSoftwareInventory | summarize Devices = dcount(DeviceId), Names = make_set(DeviceName) by SoftwareName | top 1 by Devices"); code != 0 || !strings.HasPrefix(out, "SoftwareName") || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"alpha"`) {
		t.Errorf("hunt = %d %q %q", code, out, stderr)
	}
	if code, out, _ := command(t, "hunt", "--data", data, "--json", "DeviceInfo | where DeviceName == 'beta' | project DeviceName"); code != 0 || out != `{"DeviceName":"beta"}`+"\n" {
		t.Errorf("hunt --json = %d %q", code, out)
	}
	if code, out, stderr := command(t, "hunt", "--data", data, "DeviceInfo | where Nope == 1"); code != exitUsage || out != "" || !strings.Contains(stderr, "line 1, column 20") {
		t.Errorf("a wrong query = %d %q %q", code, out, stderr)
	}
	for name, args := range map[string][]string{
		"a filter that is not there": {"devices", "--data", data, "-f", "nonsense=1"},
		"a value that cannot be":     {"devices", "--data", data, "-f", "health=Splendid"},
		"an order that is not there": {"devices", "--data", data, "--sort", "nonsense"},
		"a filter without a value":   {"devices", "--data", data, "-f", "os"},
		"nobody to ask":              {"devices"},
		"no such list":               {"export", "--data", data, "nonsense"},
		"an export with a limit":     {"export", "--data", data, "devices", "--limit", "1"},
	} {
		if code, out, stderr := command(t, args...); code != exitUsage || out != "" || stderr == "" {
			t.Errorf("%s = %d, stdout %q, stderr %q", name, code, out, stderr)
		}
	}
	if code, out, stderr := command(t, "cve", "--data", data, "CVE-1999-0001"); code != exitFailure || out != "" || !strings.Contains(stderr, "404") {
		t.Errorf("an unknown CVE = %d %q %q", code, out, stderr)
	}
	if code, _, stderr := command(t, "devices", "--data", filepath.Join(data, "none")); code != exitFailure || !strings.Contains(stderr, "not a data directory") {
		t.Errorf("no data directory = %d %q", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(data, "none")); err == nil {
		t.Error("a question made a data directory")
	}
}

// TestCVEOfTheCommandLine prints a weakness that some devices have, for people
// and for programs.
func TestCVEOfTheCommandLine(t *testing.T) {
	t.Setenv("PICKET_DATA", "")
	data, dir := t.TempDir(), t.TempDir()
	feed, document := filepath.Join(dir, "tracker.json"), filepath.Join(dir, "bom.json")
	for file, text := range map[string]string{
		feed: `{"openssl":{"CVE-2024-1000":{"scope":"remote","description":"a flaw","releases":{"bookworm":{"status":"resolved","repositories":{"bookworm":"2.0-1"},"fixed_version":"2.0-1","urgency":"not yet assigned"}}}}}`,
		document: `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"timestamp":"2026-01-01T00:00:00Z","component":{"type":"container","name":"web","version":"1"}},
			"components":[{"type":"library","name":"openssl","version":"1.0-1","purl":"pkg:deb/debian/openssl@1.0-1?arch=amd64&distro=debian-12&upstream=openssl"}]}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"intel", "import", "--data", data, feed}, {"sbom", "import", "--data", data, document}} {
		if code, _, stderr := command(t, args...); code != 0 {
			t.Fatal(args, stderr)
		}
	}
	code, out, stderr := command(t, "cve", "--data", data, "cve-2024-1000") // in any letter case
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || !strings.HasPrefix(out, "CVE-2024-1000  ") || !strings.Contains(out, "\nexposed devices: 1, with it in any state: 1\n\nDEVICE ") || !strings.Contains(lines[len(lines)-1], " web ") || !strings.HasSuffix(lines[len(lines)-1], "2.0-1") {
		t.Errorf("cve = %d %q\n%s", code, stderr, out)
	}
	code, out, _ = command(t, "cve", "--data", data, "--json", "CVE-2024-1000")
	lines = strings.Split(strings.TrimSpace(out), "\n")
	var w struct {
		ID                string
		Exposed, Affected int
	}
	var d struct {
		Name, State string
		Fix         string `json:"fix_version"`
	}
	if code != 0 || len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &w) != nil || json.Unmarshal([]byte(lines[1]), &d) != nil || w.ID != "CVE-2024-1000" || w.Exposed != 1 || w.Affected != 1 ||
		d.Name != "web" || d.Fix != "2.0-1" || d.State == "" {
		t.Errorf("cve --json = %d\n%s", code, out)
	}
}

func TestExportIsWholeOrNotThere(t *testing.T) {
	t.Setenv("PICKET_DATA", "")
	data := t.TempDir()
	imported(t, data, "alpha", "beta")
	file := filepath.Join(t.TempDir(), "devices.csv")
	code, out, stderr := command(t, "export", "--data", data, "devices", "-o", file)
	text, err := os.ReadFile(file)
	if code != 0 || out != "" || err != nil || strings.Count(string(text), "\n") != 3 || !strings.Contains(stderr, "2 rows") {
		t.Fatalf("export = %d %q %q, %v\n%s", code, out, stderr, err, text)
	}
	code, out, _ = command(t, "export", "--data", data, "software", "--format", "jsonl")
	if code != 0 || strings.Count(out, "\n") != 1 || !json.Valid([]byte(out)) {
		t.Errorf("export to stdout = %d %q", code, out)
	}
	code, _, _ = command(t, "export", "--data", data, "devices", "-o", filepath.Join(data, "none", "x.csv"))
	if code != exitFailure {
		t.Errorf("export into a folder that is not there = %d", code)
	}
}

func TestQueriesOfAServer(t *testing.T) {
	p := startServer(t)
	t.Setenv("PICKET_DATA", "")
	imported(t, p.data, "alpha")
	code, out, stderr := command(t, "devices", "--data", p.data, "--json")
	if code != 0 || !strings.Contains(out, `"alpha"`) {
		t.Fatalf("over the admin socket = %d %q %q", code, out, stderr)
	}
	code, out, _ = command(t, "app", "create", "--data", p.data, "--name", "cli", "--permission", "Machine.Read.All")
	var app server.AppSecret
	if err := json.Unmarshal([]byte(out), &app); err != nil || code != 0 {
		t.Fatal(code, out, err)
	}
	code, out, stderr = command(t, "app", "create", "--data", p.data, "--name", "desk", "--public", "--redirect", "http://127.0.0.1/a,b", "--redirect", "com.example.desk:/back",
		"--device-code", "--delegated", "Machine.Read.All,Software.Read.All")
	var desk server.AppSecret
	if err := json.Unmarshal([]byte(out), &desk); err != nil || code != 0 || desk.ClientID == "" || desk.ClientSecret != "" {
		t.Fatal(code, out, stderr, err)
	}
	code, out, _ = command(t, "app", "list", "--data", p.data, "--json")
	for _, want := range []string{`"public": true`, `"http://127.0.0.1/a,b"`, `"com.example.desk:/back"`, `"device_code": true`, `"Software.Read.All"`} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("the list has no %s: %d %s", want, code, out)
		}
	}
	for _, bad := range [][]string{{"--public"}, {"--device-code"}, {"--redirect", "http://portal.example/back", "--delegated", "Machine.Read.All"}, {"--delegated", "Machine.Read.All"},
		{"--public", "--device-code", "--delegated", "Machine.Read.All", "--permission", "Machine.Read.All"}} {
		if code, out, stderr := command(t, append([]string{"app", "create", "--data", p.data, "--name", "bad"}, bad...)...); code != exitUsage || out != "" || stderr == "" {
			t.Errorf("%v = %d %q %q", bad, code, out, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "credentials.json")
	text, err := json.Marshal(map[string]string{"url": "http://" + p.console, "clientId": app.ClientID, "clientSecret": app.ClientSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := command(t, "devices", "--credentials", file); code != 0 || !strings.Contains(out, "alpha") {
		t.Errorf("with a file = %d %q %q", code, out, stderr)
	}
	if code, out, stderr := command(t, "recommend", "--credentials", file); code != exitRefused || out != "" || !strings.Contains(stderr, "403") {
		t.Errorf("without the permission = %d %q %q", code, out, stderr)
	}
	t.Setenv("PICKET_CLIENT_SECRET", app.ClientSecret)
	if code, out, stderr := command(t, "devices", "--url", "http://"+p.console, "--client-id", app.ClientID); code != 0 || !strings.Contains(out, "alpha") {
		t.Errorf("with the environment = %d %q %q", code, out, stderr)
	}
	t.Setenv("PICKET_CLIENT_SECRET", "wrong")
	if code, _, stderr := command(t, "devices", "--url", "http://"+p.console, "--client-id", app.ClientID); code != exitRefused || strings.Contains(stderr, app.ClientSecret) {
		t.Errorf("with a wrong secret = %d %q", code, stderr)
	}
	if code, _, _ := command(t, "devices", "--url", "http://127.0.0.1:1", "--client-id", "x"); code != exitNoServer {
		t.Errorf("nobody there = %d", code)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "devices", "--credentials", file); code != exitUsage || !strings.Contains(stderr, "chmod 600") {
		t.Errorf("a file that others read = %d %q", code, stderr)
	}
}
