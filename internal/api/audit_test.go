package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// posted are routes that only read by POST; who is denied is in the log.
var posted = []string{"POST /api/x/hunting/run", "POST /api/x/hunting/check", "POST /api/x/hunting/export", "POST /api/advancedqueries/run", "POST /api/advancedhunting/run"}

// Every route that changes something is in the audit log, done or denied, or is
// named here as one that changes nothing; reading is there only when it is denied.
func TestEveryChangeIsAudited(t *testing.T) {
	walk(t)
	t.Parallel()
	quiet := []string{"PUT /api/x/me/prefs", "POST /api/x/what-if", "POST /api/x/plans/draft", "POST /api/x/device-groups/preview", "POST /api/x/tag-rules/preview",
		"POST /api/x/session/passkey/ask", "POST /api/x/me/passkeys/begin", "POST /api/x/session/sso", "POST /api/x/sign-in/sso/test"}
	// Whoever gets what was taken from a device is told of as well.
	told := []string{"GET /api/x/machine-actions/{id}/package", "GET /api/machineactions/{id}/getPackageUri"}
	w := newWorld(t)
	poor := w.app("Library.Manage")
	for name, rt := range table {
		method, _, _ := strings.Cut(name, " ")
		reads := method == "GET" || method == "HEAD" || slices.Contains(quiet, name) || slices.Contains(posted, name)
		check := func(who string, want int, header ...string) {
			t.Helper()
			w.fake.mu.Lock()
			w.fake.audited = nil
			w.fake.mu.Unlock()
			a := w.stop(w.request(method, rt.target, rt.body, append([]string{"Content-Type", "application/json"}, header...)...))
			w.fake.mu.Lock()
			defer w.fake.mu.Unlock()
			if len(w.fake.audited) != want {
				t.Errorf("%s as %s answered %d and left %q in the log, want %d entries", name, who, a.code, w.fake.audited, want)
			}
		}
		done := 1
		if reads && !slices.Contains(told, name) {
			done = 0
		}
		if rt.need == anyone {
			check("nobody", done)
			continue
		}
		check("nobody", 0) // not known who it is: the log of the server says so
		if !slices.Contains(quiet, name) {
			check("an application without the permission", 1, poor...)
		}
		check("the administrator", done, w.session()...)
	}
}

// Beside the API, too: what a directory changes, tokens that programs ask for and
// whoever comes back from the identity provider are in the log; reading is not.
// What agents ask for is held to it where their listener is.
func TestEveryChangeBesideTheAPIIsAudited(t *testing.T) {
	t.Parallel()
	e := openEstate(t) // for the routes of its agents
	w := newWorld(t)
	made, err := w.fake.MakeProvisioningToken(t.Context(), server.Caller{Name: "boss", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	directory := []string{"Authorization", "Bearer " + made.Secret, "Content-Type", scimType}
	told := []string{"GET " + server.SSOCallback} // signing in
	checked := 0
	for _, name := range registeredBeside(t, e.s) {
		rt := beside[name]
		if strings.HasPrefix(name, "AGENTS ") {
			continue
		}
		method, _, _ := strings.Cut(name, " ")
		want := 0
		if method != "GET" || slices.Contains(told, name) {
			want = 1
		}
		check := func(who string, want int, header ...string) {
			t.Helper()
			checked++
			w.fake.mu.Lock()
			w.fake.audited = nil
			w.fake.mu.Unlock()
			a := w.do(method, rt.target, rt.body, header...)
			w.fake.mu.Lock()
			defer w.fake.mu.Unlock()
			if len(w.fake.audited) != want {
				t.Errorf("%s as %s answered %d and left %q in the log, want %d entries", name, who, a.code, w.fake.audited, want)
			}
		}
		if rt.need == aDirectory {
			check(aDirectory, want, directory...)
			check("nobody", 0) // not known who it is: the log of the server says so
			continue
		}
		check("nobody", want, "Content-Type", "application/x-www-form-urlencoded")
	}
	if checked < 30 {
		t.Errorf("only %d requests", checked)
	}
}
