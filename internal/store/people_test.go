package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A data directory of before there were user groups opens, and who was an
// administrator is one.
func TestAdministratorsOfBeforeUserGroups(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "picket.db"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE migration (name TEXT PRIMARY KEY, sum TEXT NOT NULL, applied INTEGER NOT NULL)`)
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.Compare(filepath.Base(name), "0022") >= 0 {
			break
		}
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		run(string(text))
		run(`INSERT INTO migration VALUES ($1, $2, 0)`, filepath.Base(name), hex.EncodeToString(sum[:]))
	}
	run(`INSERT INTO account (id, name, display, role, password, prefs, created) VALUES (7, 'admin', 'A', 'Administrator', 'x', x'7b7d', 1)`)
	run(`INSERT INTO session VALUES (x'01', 7, 1, 1, '')`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r, err := s.Rights(t.Context(), 7)
	if err != nil || !slices.Equal(r.BuiltIn, []string{RoleAdministrator}) || r.Hidden {
		t.Errorf("rights %+v, %v", r, err)
	}
	if _, a, err := s.SessionByHash(t.Context(), []byte{1}); err != nil || a.Name != "admin" || !a.Disabled.IsZero() {
		t.Errorf("session %+v, %v", a, err)
	}
}
