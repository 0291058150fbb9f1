package sense

import (
	"encoding/json"
	"testing"

	"github.com/picketsec/picket/internal/event"
)

// kindsOf are the kinds that an event of a sensor names.
func kindsOf(t *testing.T, e *event.Event) []string {
	t.Helper()
	var more struct{ Kinds []string }
	if err := json.Unmarshal([]byte(e.Text(event.AdditionalFields)), &more); err != nil {
		t.Fatal(err)
	}
	return more.Kinds
}
