package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
)

// Who may not manage devices, or does not see one, nudges none; a device
// without an agent and one that is away say so.
func TestNudgeIsRefused(t *testing.T) {
	s := testServer(t)
	id := string(enrol(t, s, "a"))
	bill, err := s.ImportSBOM(t.Context(), admin, bom("shop:1", "2026-11-20T09:00:00Z", "libssl3 3.0.11-1 openssl"), SBOMImport{})
	if err != nil {
		t.Fatal(err)
	}
	group := exposure.Within(exposure.Group(7))
	for _, tt := range []struct {
		name   string
		caller Caller
		device string
		want   error
		text   string
	}{
		{"without the right", Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, id, ErrDenied, ""},
		{"of other groups", Caller{Permissions: []string{MachineReadWrite}, Scope: group}, id, ErrNotFound, ""},
		{"without an agent", admin, string(bill.Device), ErrConflict, "no agent"},
		{"unknown", admin, "nobody", ErrNotFound, "nobody"},
		{"not connected", Caller{Permissions: []string{MachineReadWrite}, Scope: exposure.Everywhere()}, id, ErrUnavailable, "not connected"},
	} {
		if _, _, err := s.Nudge(t.Context(), tt.caller, tt.device, ""); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
