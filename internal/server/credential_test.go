package server

import (
	"errors"
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"
)

// TestCredentialsAreRandom is for the class of CVE-2026-103264: what opens
// anything is at least 128 random bits, never a name or a number. The bits of a
// text are at least those of the letters that were seen in each of its places.
func TestCredentialsAreRandom(t *testing.T) {
	t.Parallel()
	a, at, st := testAccounts(t)
	_, admin := administrator(t, a, "")
	must := func(secret string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	exports, err := OpenExports(filepath.Join(t.TempDir(), "exports"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, draw := range map[string]func() string{
		"session": func() string {
			s, _ := a.newSession(1, byLink, Place{Remote: "192.0.2.1"}, *at)
			return s.Reveal()
		},
		"sign-in link":                     func() string { return must(a.SignInLink(t.Context())) },
		"secret of nodes and applications": newSecret,
		"enrolment token": func() string {
			s, _, err := st.CreateToken(t.Context(), "", "test", 1, *at, at.Add(time.Hour))
			return must(s, err)
		},
		"recovery code": newRecoveryCode,
		"secret of one-time codes": func() string {
			s, err := a.BeginCode(t.Context(), admin, "")
			return must(s.Secret, err)
		},
		"address of an export": func() string {
			f, err := exports.NewExportFiles(t.Context(), boss, SoftwareRead, time.Hour)
			if err == nil {
				err = f.Close(errors.New("not kept"))
			}
			if err != nil && f == nil {
				t.Fatal(err)
			}
			return f.Secret
		},
	} {
		const draws = 400
		places := map[int]map[byte]bool{}
		seen := map[string]bool{}
		for range draws {
			s := draw()
			if seen[s] {
				t.Fatalf("%s: %q was given twice", name, s)
			}
			seen[s] = true
			for i := range len(s) {
				if places[i] == nil {
					places[i] = map[byte]bool{}
				}
				places[i][s[i]] = true
			}
		}
		bits := 0.0
		for _, letters := range places {
			bits += math.Log2(float64(len(letters)))
		}
		if bits < 127.5 { // not every letter comes up in every place
			t.Errorf("%s has %.1f random bits, want 128", name, bits)
		}
	}
}
