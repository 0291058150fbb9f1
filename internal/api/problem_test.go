package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// What the product says of a denial or a conflict reaches whoever asked, as a
// sentence and without the word of its kind.
func TestRefusalsSayWhy(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{server.Deniedf("only an administrator makes global exceptions"), http.StatusForbidden, "Only an administrator makes global exceptions."},
		{fmt.Errorf("from a document: %w", server.Deniedf("no")), http.StatusForbidden, "No."},
		{server.ErrDenied, http.StatusForbidden, "The caller lacks the permission for this."},
		{server.ErrUnauthenticated, http.StatusUnauthorized, "Sign in, or send a valid token."},
		{fmt.Errorf("there is one already: cancel it first: %w", server.ErrConflict), http.StatusConflict, "there is one already: cancel it first"},
	} {
		if f := faultOf(c.err); f.status != c.status || f.text != c.text {
			t.Errorf("%v is %d %q, want %d %q", c.err, f.status, f.text, c.status, c.text)
		}
	}
}
