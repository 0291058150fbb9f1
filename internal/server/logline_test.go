package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
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

// TestLogLinesOfEverybodyAreRecords is for the same class, beyond signing in: what
// people, programs, agents and documents call things goes through every place
// that logs it. One event is one line of fields, and no more lines than events.
func TestLogLinesOfEverybodyAreRecords(t *testing.T) {
	s := testServer(t)
	ctx := t.Context()
	var out lockedBuffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.log, s.Accounts.log, s.gate.log, s.Exports.log = log, log, log, log
	agent := serveGateway(t, s.gate).enroll(newKey(t))
	const forged = `time=2026-01-01T00:00:00Z level=ERROR msg="forged" user=admin`
	logged := map[string]bool{}
	for i, evil := range []string{"x\r\n" + forged, "x\n" + forged, "x\u2028" + forged, "x\x1b[2K\r" + forged, "x\x00y", "x\u0085" + forged, `x" msg="forged`, "x=y user=admin", "\xff\xfe" + forged, "\u202e" + forged} {
		name := func(what string) string { return fmt.Sprintf("%s%d %s", what, i, evil) }
		does := map[string]func(){
			"person":      func() { _, _ = s.AddPerson(ctx, boss, NewPerson{Name: name("p"), DisplayName: evil}) },
			"sign-in":     func() { _, _ = s.SignIn(ctx, evil, evil, Place{Remote: evil, Agent: evil}) },
			"link":        func() { _, _ = s.RedeemLink(ctx, evil, Place{Remote: evil, Agent: evil}) },
			"application": func() { _, _ = s.createApp(ctx, AppCreateArgs{Name: name("a"), Permissions: []string{MachineRead}}) },
			"export": func() {
				f, err := s.Exports.NewExportFiles(ctx, Caller{Name: evil, Admin: true}, SoftwareRead, 0)
				if err == nil {
					_ = f.Close(errBroken)
				}
			},
			"document": func() {
				_, _ = s.ImportSBOM(ctx, Caller{Name: evil, Admin: true}, bom(strings.ToValidUTF8(name("s"), "?"), "2026-11-20T09:00:00Z", "bash 5.2 bash"), SBOMImport{Force: true})
			},
			"lockdown": func() { _, _ = s.StartLockdown(ctx, Caller{Name: evil, Admin: true, UserID: 1}, evil) },
			"break glass": func() {
				_, _ = s.Admin(ctx, "lockdown break-glass", []byte(fmt.Sprintf("{\"reason\":%q}", strings.ToValidUTF8(evil, "?"))), func(Progress) {})
			},
			"factors": func() { _ = s.ResetFactors(ctx, evil) },
			"enrolment": func() {
				_, _, _ = agent.s.post(protocol.EnrollRequest{Version: 1, Token: evil, CSR: evil})
			},
			"agent": func() {
				agent.hello("", protocol.Evidence{MachineID: "m1", BootID: evil})
				agent.send(&protocol.Message{TaskState: &protocol.TaskState{ID: strings.ToValidUTF8(evil, "?"), State: evil, Detail: evil}})
				agent.recv()
				bad := inventory.Diff(nil, section(inventory.DPKG, "a"))
				bad.Name, bad.Reason = inventory.SectionName(evil), evil
				agent.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: uint64(i + 1), Deltas: []inventory.Delta{bad}}})
				agent.recv()
				_ = agent.conn.SendFrame(ctx, append([]byte{0}, evil...))
				agent.conn.CloseNow()
				waitFor(t, "the session to end", func() bool { return !s.gate.connected(agent.id) })
			},
		}
		for what, do := range does {
			before := out.Len()
			do()
			text := out.String()[before:]
			if text == "" {
				continue
			}
			logged[what] = true
			if !strings.HasSuffix(text, "\n") || strings.ContainsAny(text, "\r\x1b\x00\u2028\u0085\u202e") {
				t.Errorf("%s: %q is logged as %q", what, evil, text)
			}
			for line := range strings.Lines(text) {
				keys, err := keysOf(strings.TrimSuffix(line, "\n"))
				if err != nil || len(keys) < 3 || !slices.Equal(keys[:3], []string{"time", "level", "msg"}) || slices.Contains(keys[3:], "msg") || strings.HasPrefix(line, forged[:20]) {
					t.Errorf("%s: %q is read as fields %q, %v: %q", what, evil, keys, err, line)
				}
			}
		}
	}
	for _, what := range []string{"sign-in", "application", "export", "document", "break glass", "agent"} {
		if !logged[what] {
			t.Errorf("%s logs nothing: the test looks at nothing", what)
		}
	}
}

var errBroken = errors.New("broken off")

// lockedBuffer is a buffer that several may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Len is how much was written.
func (l *lockedBuffer) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Len()
}

// String is all that was written.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
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
