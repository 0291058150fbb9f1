package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/scim"
	"github.com/picketsec/picket/internal/store"
)

const (
	scimSetting = "scim_token"
	scimPage    = 100
	scimMost    = 500 // documents of one answer
	scimTouch   = 5 * time.Minute
)

// Provisioning is how a directory provisions accounts and groups by SCIM.
type Provisioning struct {
	On      bool      `json:"on" doc:"There is a token."`
	Address string    `json:"address" doc:"Base address, for the directory."`
	Created time.Time `json:"created_at,omitzero"`
	By      string    `json:"created_by,omitempty"`
	Used    time.Time `json:"used_at,omitzero" doc:"To five minutes."`
	Users   int       `json:"users"`
	Groups  int       `json:"groups"`
}

// ProvisioningToken is a token that was just made; it is shown only once.
type ProvisioningToken struct {
	Secret string `json:"secret"`
}

// scimToken is what the store holds.
type scimToken struct {
	Digest  string    `json:"digest"`
	Created time.Time `json:"created"`
	By      string    `json:"by"`
	Used    time.Time `json:"used"`
}

// SCIMPath is where SCIM is served.
const SCIMPath = "/scim/v2"

func (a *Accounts) scimToken(ctx context.Context) (scimToken, error) {
	var t scimToken
	raw, err := a.st.Setting(ctx, scimSetting)
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	return t, err
}

func (a *Accounts) keepSCIMToken(ctx context.Context, t scimToken) error {
	raw, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode provisioning token: %w", err)
	}
	return a.st.SetSetting(ctx, scimSetting, raw)
}

// Provisioning tells how provisioning is set up.
func (a *Accounts) Provisioning(ctx context.Context, c Caller, base string) (Provisioning, error) {
	if err := a.manage(c); err != nil {
		return Provisioning{}, err
	}
	t, err := a.scimToken(ctx)
	if err != nil {
		return Provisioning{}, err
	}
	users, err := a.st.SCIMUsers(ctx, "", "")
	if err != nil {
		return Provisioning{}, err
	}
	p := &Provisioner{a: a}
	groups, err := p.groups(ctx)
	return Provisioning{On: t.Digest != "", Address: base + SCIMPath, Created: t.Created, By: t.By, Used: t.Used, Users: len(users), Groups: len(groups)}, err
}

// MakeProvisioningToken makes the token of the directory; one that was there ends.
func (a *Accounts) MakeProvisioningToken(ctx context.Context, c Caller) (ProvisioningToken, error) {
	if err := a.manage(c); err != nil {
		return ProvisioningToken{}, err
	}
	secret := newSecret()
	was, err := a.provisioningNoted(ctx)
	if err != nil {
		return ProvisioningToken{}, err
	}
	audit.Change(ctx, "", was, map[string]any{"provisioning": "on, with a new token"})
	if err := a.keepSCIMToken(ctx, scimToken{Digest: hex.EncodeToString(digest(secret)), Created: a.now().UTC(), By: c.Name}); err != nil {
		return ProvisioningToken{}, err
	}
	a.log.InfoContext(ctx, "provisioning token made", "by", c.Name)
	return ProvisioningToken{Secret: secret}, nil
}

// EndProvisioning makes the token worthless. Accounts and groups stay.
func (a *Accounts) EndProvisioning(ctx context.Context, c Caller) error {
	if err := a.manage(c); err != nil {
		return err
	}
	was, err := a.provisioningNoted(ctx)
	if err != nil {
		return err
	}
	audit.Change(ctx, "", was, map[string]any{"provisioning": "off"})
	a.log.InfoContext(ctx, "provisioning token ended", "by", c.Name)
	return a.keepSCIMToken(ctx, scimToken{})
}

// provisioningNoted is what the audit log keeps of provisioning as it is.
func (a *Accounts) provisioningNoted(ctx context.Context) (map[string]any, error) {
	t, err := a.scimToken(ctx)
	if err != nil || t.Digest == "" {
		return map[string]any{"provisioning": "off"}, err
	}
	return map[string]any{"provisioning": "on", "token_of": t.Created, "by": t.By}, nil
}

// Provisioner is a directory that showed the token: the only way to the
// documents of SCIM. It can do nothing else.
type Provisioner struct{ a *Accounts }

// Provisioner is the directory that a token belongs to, or ErrUnauthenticated.
func (a *Accounts) Provisioner(ctx context.Context, token string) (*Provisioner, error) {
	t, err := a.scimToken(ctx)
	if err != nil {
		return nil, err
	}
	want, err := hex.DecodeString(t.Digest)
	if err != nil || len(want) == 0 || len(token) > 200 || subtle.ConstantTimeCompare(digest(token), want) != 1 {
		return nil, ErrUnauthenticated
	}
	if at := a.now().UTC(); at.Sub(t.Used) >= scimTouch {
		t.Used = at
		if err := a.keepSCIMToken(audit.With(ctx, nil), t); err != nil {
			return nil, err
		}
	}
	return &Provisioner{a: a}, nil
}

// SCIMError is a refusal as RFC 7644, section 3.12, tells it.
type SCIMError struct {
	Status int
	Type   string // scimType, "" where there is none
	Detail string
}

// Error is the detail.
func (e *SCIMError) Error() string { return e.Detail }

// scimError brings the product's errors into that shape; others stay as they are.
func scimError(err error) error {
	var s *scim.Error
	var have *SCIMError
	switch {
	case err == nil, errors.As(err, &have):
		return err
	case errors.As(err, &s):
		return &SCIMError{Status: http.StatusBadRequest, Type: s.Type, Detail: s.Message}
	case errors.Is(err, store.ErrTaken):
		return &SCIMError{Status: http.StatusConflict, Type: "uniqueness", Detail: "The name or externalId is taken by another one."}
	case errors.Is(err, store.ErrLastAdministrator):
		return &SCIMError{Status: http.StatusConflict, Type: "mutability", Detail: "This would leave Picket without an administrator."}
	case errors.Is(err, store.ErrSees):
		return &SCIMError{Status: http.StatusConflict, Type: "mutability", Detail: "This group alone sees a device group: give that to another user group first."}
	case errors.Is(err, store.ErrNotFound), errors.Is(err, ErrNotFound):
		return &SCIMError{Status: http.StatusNotFound, Detail: "There is no such resource."}
	}
	return err
}

// SCIMQuery is what a list is asked for.
type SCIMQuery struct {
	Filter   string
	Start    int // from 1
	Count    int // -1: as many as the server likes
	Excluded []string
	Only     []string // attributes; empty: all
}

// list makes a ListResponse of those of the documents that fit.
func (q *SCIMQuery) list(docs []scim.Doc, base, path string) (scim.Doc, error) {
	if q.Filter != "" {
		f, err := scim.ParseFilter(q.Filter)
		if err != nil {
			return nil, scimError(err)
		}
		fit := docs[:0:0]
		for _, d := range docs {
			if f.Match(d) {
				fit = append(fit, d)
			}
		}
		docs = fit
	}
	start, count := max(q.Start, 1), q.Count
	if count < 0 {
		count = scimPage
	}
	from := min(start-1, len(docs))
	page := docs[from:min(from+min(count, scimMost), len(docs))]
	out := []scim.Doc{}
	for _, d := range page {
		out = append(out, q.shape(d, base, path))
	}
	return scim.Doc{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, "totalResults": len(docs), "startIndex": start, "itemsPerPage": len(out), "Resources": out}, nil
}

// shape is a document as it is answered.
func (q *SCIMQuery) shape(d scim.Doc, base, path string) scim.Doc {
	out := scim.Doc{}
	listed := func(list []string, key string) bool {
		for _, l := range list {
			if head, _, _ := strings.Cut(l[strings.LastIndexByte(l, ':')+1:], "."); strings.EqualFold(head, key) {
				return true
			}
		}
		return false
	}
	for key, v := range d {
		always := key == "id" || key == "schemas" || key == "meta"
		if always || !listed(q.Excluded, key) && (len(q.Only) == 0 || listed(q.Only, key)) {
			out[key] = v
		}
	}
	if meta, ok := d["meta"].(scim.Doc); ok {
		m := scim.Doc{"location": base + path + "/" + d.Text("id"), "version": versionOf(d)}
		for k, v := range meta {
			m[k] = v
		}
		out["meta"] = m
	}
	return out
}

// versionOf is the version of a resource (RFC 7644, section 3.14): it follows
// from what the resource says, so it is weak and another one whenever that changes.
func versionOf(d scim.Doc) string {
	raw, err := json.Marshal(told(d))
	if err != nil { // a document is made of text, truth and lists
		return ""
	}
	sum := sha256.Sum256(raw)
	return `W/"` + hex.EncodeToString(sum[:10]) + `"`
}

func decodeSCIM(raw []byte) (map[string]any, error) {
	var in map[string]any
	if err := json.Unmarshal(raw, &in); err != nil || in == nil {
		return nil, &SCIMError{Status: http.StatusBadRequest, Type: "invalidSyntax", Detail: "The body is not a JSON object."}
	}
	return in, nil
}

func decodePatch(raw []byte) ([]scim.Op, error) {
	var in struct {
		Operations []scim.Op `json:"Operations"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, &SCIMError{Status: http.StatusBadRequest, Type: "invalidSyntax", Detail: "The body is not a patch with Operations."}
	}
	return in.Operations, nil
}

func numbered(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, ErrNotFound
	}
	return n, nil
}
