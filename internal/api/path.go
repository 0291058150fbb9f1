package api

import (
	"strings"

	"github.com/picketsec/picket/internal/api/mde"
)

// canonicalPath turns an escaped path into one of which every segment is a
// canonical id (mde.CanonicalID): a software id with percent-encoded bytes may
// arrive as it is or encoded once more. It splits before it decodes, so an
// encoded slash never makes a segment. ok is false for empty and dot segments.
func canonicalPath(escaped string) (path string, ok bool) {
	if escaped == "" {
		return "/", true
	}
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, s := range segments {
		if segments[i], ok = mde.CanonicalID(s); !ok {
			return "", false
		}
	}
	return "/" + strings.Join(segments, "/"), true
}
