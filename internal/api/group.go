package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/server"
)

// mostGroups caps the device groups that one request names.
const mostGroups = 1000

// takeGroups takes the filter of device groups, which every route has, out of
// the address and gives it to the caller: "group=1,2" or several of them.
func takeGroups(u *url.URL, caller *server.Caller) error {
	if !strings.Contains(u.RawQuery, "group") {
		return nil
	}
	q := u.Query()
	values, ok := q["group"]
	if !ok {
		return nil
	}
	groups := []exposure.Group{}
	for word := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if word == "" {
			continue
		}
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return server.Invalidf("group", "%q is not the number of a device group", word)
		}
		if groups = append(groups, exposure.Group(n)); len(groups) > mostGroups {
			return server.Invalidf("group", "names more than %d device groups", mostGroups)
		}
	}
	if len(groups) > 0 {
		caller.Groups = groups
	}
	q.Del("group")
	u.RawQuery = q.Encode()
	return nil
}

// asking are the routes that read, although what they are asked is in a body.
var asking = []string{"what-if", "draft-plan", "run-hunt", "export-hunt"}

// describeGroups says so in the description of every route that reads.
func describeGroups(doc *huma.OpenAPI) {
	explode := false
	for _, item := range doc.Paths {
		op := item.Get
		if item.Post != nil && slices.Contains(asking, item.Post.OperationID) {
			op = item.Post
		}
		if op != nil {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "group", In: "query", Explode: &explode, Schema: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeInteger}},
				Description: "Only devices of these device groups, by number; 0 is the devices that are in none."})
		}
	}
}
