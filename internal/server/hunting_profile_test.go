package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
)

// FileProfile counts the devices that the caller sees and nobody else's, by either
// sum and whatever its case, in the groups that were asked for.
func TestFileProfile(t *testing.T) {
	s, _, omega, mine := twoPlaces(t)
	mine.Permissions = append(mine.Permissions, AdvancedQuery)
	theirs := strings.Repeat("ab", 32)
	omega.send(omega.event(ev.FileCreated, func(e *ev.Event) { e.Set(ev.FileName, "hers"); e.Set(ev.SHA256, theirs) }))
	files := fmt.Sprintf("datatable(SHA256: string) ['%s', '%s', 'none', ''] | invoke FileProfile(SHA256)", strings.ToUpper(shellSum), theirs)
	for _, c := range []struct {
		who  Caller
		want string
	}{
		{admin, fmt.Sprintf("[%s|%s||2||Available| %s|%s||1||Available| none|||||Missing| ||||||]", strings.ToUpper(shellSum), shellSum, theirs, theirs)},
		{mine, fmt.Sprintf("[%s|%s||1||Available| %s|||||Missing| none|||||Missing| ||||||]", strings.ToUpper(shellSum), shellSum, theirs)},
		{Caller{Name: "nobody", Permissions: mine.Permissions, Scope: exposure.Scope{}}, fmt.Sprintf("[%s|||||Missing| %s|||||Missing| none|||||Missing| ||||||]", strings.ToUpper(shellSum), theirs)},
	} {
		// The sum of the file is beside that of the query, which is of the rows.
		query := strings.Replace(files, "SHA256: string", "Sum: string", 1)
		query = strings.Replace(query, "(SHA256)", "(Sum)", 1) + " | project Sum, SHA256, FileSize, GlobalPrevalence, Signer, ProfileAvailability, ThreatName"
		if got, _ := hunted(t, s, c.who, query); fmt.Sprint(got) != c.want {
			t.Errorf("%s: %q, want %s", c.who.Name, got, c.want)
		}
	}
	group := admin
	group.Groups = []exposure.Group{7}
	if got, _ := hunted(t, s, group, files+" | summarize max(GlobalPrevalence)"); fmt.Sprint(got) != "[1]" {
		t.Errorf("in a group of one device: %q", got)
	}
	// First and last are those of the events, and rows of a query are enriched as they are.
	got, _ := hunted(t, s, admin, "DeviceProcessEvents | where isnotempty(SHA256) | summarize First = min(Timestamp), Last = max(Timestamp) by SHA256 | invoke FileProfile(SHA256, 10) | project First <= GlobalFirstSeen, Last <= GlobalLastSeen, GlobalLastSeen < now(1h), SHA256 =~ '"+shellSum+"'")
	if fmt.Sprint(got) != "[true|true|true|true]" {
		t.Errorf("times: %q", got)
	}
	if got, _ := hunted(t, s, admin, "DeviceProcessEvents | invoke FileProfile(SHA256) | getschema | where ColumnName in ('GlobalPrevalence', 'GlobalFirstSeen', 'IsCertificateValid', 'SHA256', 'FileSize') | project ColumnName, ColumnType"); fmt.Sprint(got) !=
		"[FileSize|long GlobalFirstSeen|datetime GlobalPrevalence|long IsCertificateValid|bool SHA256|string]" {
		t.Errorf("columns: %q", got)
	}
	// Who may not see it any more is told nothing.
	gone := mine
	gone.again = &rightsAgain{changes: func() uint64 { return 2 }, caller: func(context.Context) (Caller, error) { return Caller{}, ErrUnauthenticated }}
	h, err := s.Hunt(t.Context(), gone, HuntRequest{Query: files})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(t.Context(), func(HuntRow) error { return nil }, nil); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a caller whose rights ended is told of files: %v", err)
	}
}
