package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLogLinesAreRecords is for the class of CVE-2026-44256: whatever a client
// calls itself, one event is one line, and it cannot forge another.
func TestLogLinesAreRecords(t *testing.T) {
	t.Parallel()
	a, _, _ := testAccounts(t)
	var out bytes.Buffer
	a.log = slog.New(slog.NewTextHandler(&out, nil)) // as "picket server" writes
	const forged = `time=2026-01-01T00:00:00Z level=INFO msg="signed in" user=admin`
	names := []string{"mallory\r\n" + forged, "mallory\n" + forged, "mallory\u2028" + forged, "mallory\x1b[2K\r" + forged, "mallory\x00", "mallory\u0085x", `mallory" msg="signed in`}
	for _, name := range names {
		before := out.Len()
		if _, err := a.SignIn(t.Context(), name, "wrong", Place{Remote: "192.0.2.1\n" + forged, Agent: name}); err == nil {
			t.Fatalf("%q signed in", name)
		}
		text := out.String()[before:]
		if text == "" {
			continue // what is refused before anybody is looked up is in no log
		}
		if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") || strings.ContainsAny(text, "\r\x1b\x00\u2028\u0085") {
			t.Errorf("%q is logged as %q", name, text)
		}
		keys, err := keysOf(strings.TrimSuffix(text, "\n"))
		if want := []string{"time", "level", "msg", "user", "remote"}; err != nil || !slices.Equal(keys, want) {
			t.Errorf("%q is read as fields %q, %v: %q", name, keys, err, text)
		}
	}
	if out.Len() == 0 {
		t.Fatal("nothing was logged: the test looks at nothing")
	}
}

// keysOf reads a line of the log as programs do: key=value, the value in
// quotes where it needs them.
func keysOf(line string) (keys []string, err error) {
	for line != "" {
		key, rest, ok := strings.Cut(line, "=")
		if !ok || strings.ContainsAny(key, " \"") {
			return keys, fmt.Errorf("no field at %q", line)
		}
		keys = append(keys, key)
		value := rest
		if strings.HasPrefix(rest, `"`) {
			if value, err = strconv.QuotedPrefix(rest); err != nil {
				return keys, fmt.Errorf("value of %s: %w", key, err)
			}
		} else if at := strings.IndexByte(rest, ' '); at >= 0 {
			value = rest[:at]
		}
		if line = rest[len(value):]; line != "" && line[0] != ' ' {
			return keys, fmt.Errorf("no end of %s", key)
		}
		line = strings.TrimPrefix(line, " ")
	}
	return keys, nil
}
