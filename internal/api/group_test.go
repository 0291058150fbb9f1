package api

import (
	"net/url"
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

func TestTakeGroups(t *testing.T) {
	for _, test := range []struct {
		query, rest string
		want        []exposure.Group
		fails       bool
	}{
		{"", "", nil, false},
		{"q=group", "q=group", nil, false},
		{"group=", "", nil, false},
		{"group=1,2&group=0&page=2", "page=2", []exposure.Group{1, 2, 0}, false},
		{"group=65536", "", nil, true},
		{"group=-1", "", nil, true},
		{"group=web", "", nil, true},
	} {
		var caller server.Caller
		u := &url.URL{RawQuery: test.query}
		err := takeGroups(u, &caller)
		if (err != nil) != test.fails {
			t.Errorf("%q: error %v", test.query, err)
		}
		if err == nil && (!slices.Equal(caller.Groups, test.want) || u.RawQuery != test.rest) {
			t.Errorf("%q: groups %v, rest %q, want %v and %q", test.query, caller.Groups, u.RawQuery, test.want, test.rest)
		}
	}
}
