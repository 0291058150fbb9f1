package server

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/protocol"
	wire "github.com/picketsec/picket/internal/rig/names"
)

// tree lists the files below a directory, relative to it.
func tree(t *testing.T, dir string) (out []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, rel)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// ourNames are the forms of names that the server gives to its own files.
var ourNames = regexp.MustCompile(`^[A-Za-z0-9-][A-Za-z0-9._-]*$`)

// TestNamesFromTheWireAreNoPaths is for the class of CVE-2023-0290 and
// CVE-2025-14728: one corpus of hostile names at every place of the server where
// what comes over the wire could become a path or the name of a file. Each is
// refused or becomes a harmless name; beside and in the data directory there are
// no files but those that the server named itself.
func TestNamesFromTheWireAreNoPaths(t *testing.T) {
	top := t.TempDir()
	s := openTest(t, filepath.Join(top, "data"))
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	agent := serveGateway(t, s.gate).enroll(newKey(t))
	agent.connect("", home)
	agent.says(s, &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskCollect}}})
	a := s.does(t, boss, string(agent.id), NewMachineAction{Kind: protocol.TaskCollect})
	s.step(t)
	agent.recv()
	own := [...]string{a.ID, string(agent.id)}
	body := []byte("PK\x03\x04")
	const hash = "0000000000000000000000000000000000000000000000000000000000000000"
	export, err := s.Exports.NewExportFiles(ctx, boss, SoftwareRead, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := export.Create("1.gz"); err != nil {
		t.Fatal(err)
	}
	for i, name := range wire.Hostile() {
		// Packages: of an agent, of a person, of whoever has a link.
		if err := s.takePackage(ctx, agent.id, name, hash, int64(len(body)), strings.NewReader(string(body))); !errors.Is(err, ErrNotFound) {
			t.Errorf("package of %.60q: %v", name, err)
		}
		for _, id := range []string{name, own[0] + name, name + own[0], own[0] + "/" + name} {
			if _, f, err := s.Package(ctx, boss, id); err == nil || f != nil {
				t.Errorf("package %.60q: %v", id, err)
			}
		}
		if _, f, err := s.LinkedPackage(ctx, name); err == nil || f != nil {
			t.Errorf("link %.60q: %v", name, err)
		}
		if len(name) < 1000 && !strings.ContainsAny(name, "\x00\n\r\t\x7f\x1b %") && name != "" {
			if got := agent.upload(name, body, hash); got != http.StatusNotFound && got != http.StatusMovedPermanently && got != http.StatusTemporaryRedirect && got != http.StatusMethodNotAllowed && got != http.StatusBadRequest {
				t.Errorf("upload of %.60q: %d", name, got)
			}
		}
		// States of tasks are named by the agent.
		agent.send(&protocol.Message{TaskState: &protocol.TaskState{ID: strings.ToValidUTF8(name, "?"), State: protocol.TaskSucceeded}})
		if m := agent.recv(); m.Ack == nil {
			t.Errorf("state of %.60q: %+v", name, m)
		}
		// Files of exports.
		if _, err := export.Create(name); err == nil && !wire.Plain(name) {
			t.Errorf("export file %.60q was made", name)
		}
		if f, err := s.ExportFile(ctx, export.Secret, name); err == nil && !wire.Plain(name) {
			t.Errorf("export file %.60q was opened: %s", name, f.Name())
		}
		if f, err := s.ExportFile(ctx, name, "1.gz"); err == nil {
			t.Errorf("export %.60q was opened: %s", name, f.Name())
		}
		// Bills of materials: what the document and what the person calls it.
		if got := fileWord(name) + ".cdx.json"; !wire.Plain(got) {
			t.Errorf("%.60q is the file %.60q", name, got)
		}
		if len(name) > 200 {
			continue
		}
		for _, opt := range []SBOMImport{{Force: true}, {Name: name, Force: true}} {
			subject, err := json.Marshal(name)
			if err != nil {
				t.Fatal(err)
			}
			doc := strings.Replace(string(bom("SUBJECT", "2026-11-20T09:00:00Z", "bash 5.2 bash")), `"SUBJECT"`, string(subject), 1)
			got, err := s.ImportSBOM(ctx, boss, []byte(doc), opt)
			if errors.Is(err, ErrInvalid) {
				continue
			}
			if err != nil {
				t.Fatalf("bill of materials %.60q: %v", name, err)
			}
			for _, format := range []string{"cyclonedx", "spdx"} {
				d, err := s.DeviceSBOM(ctx, boss, string(got.Device), format)
				if err != nil || !wire.Plain(d.Name) {
					t.Errorf("%d %.60q: the download is %.80q, %v", i, name, d.Name, err)
				}
			}
			if d, err := s.VEXReport(ctx, boss, string(got.Device), "openvex"); err != nil || !wire.Plain(d.Name) {
				t.Errorf("%.60q: the report is %.80q, %v", name, d.Name, err)
			}
		}
	}
	if err := export.Close(nil); err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(top); err != nil || len(list) != 1 || list[0].Name() != "data" {
		t.Errorf("beside the data directory: %v, %v", list, err)
	}
	for _, path := range tree(t, filepath.Join(top, "data")) {
		for part := range strings.SplitSeq(path, "/") {
			if path != "." && (!ourNames.MatchString(part) || strings.Contains(part, "..")) {
				t.Errorf("a file in the data directory is called %q", path)
			}
		}
	}
	if _, err := os.Stat(s.packagePath(a.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a package was kept: %v", err)
	}
}

// TestAdminVerbsCheckTheirArguments is for the class of CVE-2026-25770: every verb
// of the admin socket is called as the command line never would. It refuses with
// a reason that tells people something, or does what it may; it never panics, waits
// for ever, or fails in what is below it.
func TestAdminVerbsCheckTheirArguments(t *testing.T) {
	takes := map[string]any{ // nil: none
		"ping": nil, "onboarding": nil, "sign-in-link": nil, "intel status": nil, "vex list": nil, "bench match": nil, "app list": nil, "lockdown status": nil,
		"explain": ExplainArgs{}, "nudge": NudgeArgs{}, "enroll-token create": EnrollTokenArgs{}, "reset-factors": ResetFactorsArgs{},
		"intel import": IntelImportArgs{}, "intel sync": IntelSyncArgs{}, "sbom import": ImportArgs{}, "vex import": ImportArgs{}, "vex remove": VEXRemoveArgs{},
		"audit verify": AuditVerifyArgs{}, "bench load": BenchLoadArgs{}, "app create": AppCreateArgs{}, "app rotate": AppArgs{}, "app delete": AppArgs{},
		"app rotate-key": KeyArgs{}, "lockdown on": LockdownArgs{}, "lockdown break-glass": LockdownArgs{},
	}
	s := testServer(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := mkfifo(pipe); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	before := tree(t, outside)
	for _, verb := range AdminVerbs() {
		args, known := takes[verb]
		if !known {
			t.Errorf("%s is new: say above what it takes", verb)
			continue
		}
		raws := []string{"", "[]", `"x"`, "7", "{", `{"a":`, strings.Repeat("[", 20_000)}
		if verb != "intel sync" { // which gets everything from everywhere when it is told nothing
			raws = append(raws, "null", "{}", `{"paths":7,"name":[],"device":{},"client":7,"reason":{}}`)
		}
		if args != nil {
			numbers := []int64{-1 << 62, -1, 0, 1 << 62}
			for i, text := range append(wire.Hostile(), pipe, "/dev/zero", "/proc/self/mem", outside) {
				if filepath.Clean(text) != "/" { // all files of this machine
					raws = append(raws, hostileArgs(t, args, text, numbers[i%len(numbers)]), hostileArgs(t, args, text, numbers[(i/2)%len(numbers)]))
				}
			}
		}
		slices.Sort(raws)
		for _, raw := range slices.Compact(raws) {
			done := make(chan error, 1)
			go func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%s %.200s: panic: %v", verb, raw, p)
						done <- nil
					}
				}()
				_, err := s.Admin(t.Context(), verb, json.RawMessage(raw), func(Progress) {})
				done <- err
			}()
			select {
			case err := <-done:
				if err != nil && errorKind(err) == "" && !errors.Is(err, audit.ErrBroken) {
					t.Errorf("%s %.200s: %v: an error that is nobody's", verb, raw, err)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("%s %.200s: does not end", verb, raw)
			}
		}
	}
	if got := tree(t, outside); !slices.Equal(got, before) {
		t.Errorf("outside of the data directory: %q", got)
	}
	for _, path := range tree(t, s.opt.Dir) {
		for part := range strings.SplitSeq(path, "/") {
			if path != "." && !ourNames.MatchString(part) {
				t.Errorf("a file in the data directory is called %q", path)
			}
		}
	}
}
