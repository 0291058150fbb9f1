package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// A directory that is none of Picket's is not told to be whole, and nothing is made in it.
func TestAuditVerifyNeedsAStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mistyped")
	var out, errs bytes.Buffer
	if code := run([]string{"audit", "verify", "--data", dir}, &out, &errs); code != exitUsage || out.Len() != 0 || !strings.Contains(errs.String(), "holds no store") {
		t.Fatalf("%d %q %q", code, out.String(), errs.String())
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("the directory was made: %v", err)
	}
}

// verifyAudit runs "picket audit verify" on a directory.
func verifyAudit(dir string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(append([]string{"audit", "verify", "--data", dir}, args...), &o, &e)
	return code, o.String(), e.String()
}

// auditLog makes a data directory whose log has n entries and returns their hashes.
func auditLog(t *testing.T, n int) (dir string, hashes []string) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		var out, errs bytes.Buffer
		if code := run([]string{"enroll-token", "create", "--data", dir, "--note", fmt.Sprint(i)}, &out, &errs); code != exitOK {
			t.Fatalf("%d %s", code, errs.String())
		}
		code, text, errText := verifyAudit(dir, "--json")
		var state server.AuditState
		if err := json.Unmarshal([]byte(text), &state); code != exitOK || err != nil || state.Entries != int64(i+1) || !state.Passed {
			t.Fatalf("%d %q %q %v", code, text, errText, err)
		}
		hashes = append(hashes, state.Head)
	}
	return dir, hashes
}

// tamper does to the log of a directory what somebody with the file can do: the
// triggers that refuse it do not stop who takes them away.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "picket.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append([]string{"DROP TRIGGER IF EXISTS audit_stays", "DROP TRIGGER IF EXISTS audit_keeps"}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAuditVerifyTellsOfTampering changes a log in each way that there is: the
// command ends with 1, says where on stderr, and tells nobody that it is whole.
func TestAuditVerifyTellsOfTampering(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ change, says string }{
		"a record":             {"UPDATE audit SET record = CAST(replace(CAST(record AS TEXT), 'uid ', 'UID ') AS BLOB) WHERE seq = 2", "entry 2 "},
		"a record and no more": {"UPDATE audit SET record = CAST('{\"seq\":\"two\"}' AS BLOB) WHERE seq = 2", "entry 2 cannot be read"},
		"what it is filed as":  {"UPDATE audit SET actor = 'bob' WHERE seq = 2", "entry 2 is filed as something else"},
		"a hash":               {"UPDATE audit SET hash = zeroblob(32) WHERE seq = 2", "entry 2 "},
		"one taken out":        {"DELETE FROM audit WHERE seq = 2", "entry 3 follows entry 1"},
		"the first taken out":  {"DELETE FROM audit WHERE seq = 1", "entry 2 follows entry 0"},
		"two that change place": {"UPDATE audit SET record = (SELECT b.record FROM audit b WHERE b.seq = 5 - audit.seq), hash = (SELECT b.hash FROM audit b WHERE b.seq = 5 - audit.seq) WHERE seq IN (2, 3)",
			"entry 3 follows entry 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := auditLog(t, 3)
			tamper(t, dir, tt.change)
			code, out, errs := verifyAudit(dir)
			if code != exitFailure || out != "" || !strings.Contains(errs, tt.says) || !strings.Contains(errs, "the audit log was changed") {
				t.Fatalf("exit %d, stdout %q, stderr %q: want 1 and %q", code, out, errs, tt.says)
			}
			if code, out, _ = verifyAudit(dir, "--json"); code != exitFailure || out != "" {
				t.Fatalf("as JSON: exit %d, %q", code, out)
			}
		})
	}
}

// TestAuditVerifyTellsOfACutTail cuts entries off at the end. What is left holds
// together; a hash that was noted before tells.
func TestAuditVerifyTellsOfACutTail(t *testing.T) {
	t.Parallel()
	dir, hashes := auditLog(t, 3)
	for i, h := range hashes {
		if code, out, errs := verifyAudit(dir, "--expect", h); code != exitOK || !strings.Contains(out, "entries: 3") || !strings.Contains(out, hashes[2]) {
			t.Fatalf("the whole log, entry %d noted: exit %d, %q, %q", i+1, code, out, errs)
		}
	}
	for _, strange := range []string{strings.Repeat("0", 64), hashes[2][:63], hashes[2] + "0", "x"} {
		if code, out, _ := verifyAudit(dir, "--expect", strange); code == exitOK || out != "" {
			t.Fatalf("%q is said to be in the log: exit %d, %q", strange, code, out)
		}
	}
	tamper(t, dir, "DELETE FROM audit WHERE seq = 3")
	if code, out, errs := verifyAudit(dir); code != exitOK || !strings.Contains(out, "entries: 2") || !strings.Contains(out, hashes[1]) {
		t.Fatalf("what is left: exit %d, %q, %q", code, out, errs)
	}
	if code, _, errs := verifyAudit(dir, "--expect", hashes[1]); code != exitOK {
		t.Fatalf("an entry that is left: exit %d, %q", code, errs)
	}
	code, out, errs := verifyAudit(dir, "--expect", hashes[2])
	if code != exitFailure || out != "" || !strings.Contains(errs, hashes[2]) || !strings.Contains(errs, "was cut after it, or made anew") {
		t.Fatalf("an entry that was cut off: exit %d, %q, %q", code, out, errs)
	}
	tamper(t, dir, "DELETE FROM audit")
	if code, out, errs := verifyAudit(dir, "--expect", hashes[0]); code != exitFailure || out != "" || !strings.Contains(errs, "was cut after it") {
		t.Fatalf("nothing left: exit %d, %q, %q", code, out, errs)
	}
}
