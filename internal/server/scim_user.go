package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/scim"
	"github.com/picketsec/picket/internal/store"
)

const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User"

// userDoc is a provisioned account as SCIM shows it.
func userDoc(u store.SCIMUser) (scim.Doc, error) {
	var in map[string]any
	if err := json.Unmarshal(u.Attributes, &in); err != nil {
		return nil, fmt.Errorf("provisioned account %s: %w", u.ID, err)
	}
	d, err := scim.Read(scim.User, in)
	if err != nil {
		return nil, fmt.Errorf("provisioned account %s: %w", u.ID, err)
	}
	d["schemas"], d["id"], d["userName"], d["active"] = []string{userSchema}, u.ID, u.UserName, u.Disabled.IsZero()
	if u.External != "" {
		d["externalId"] = u.External
	}
	d["meta"] = scim.Doc{"resourceType": "User", "created": u.Created.UTC().Format("2006-01-02T15:04:05Z"), "lastModified": u.Changed.UTC().Format("2006-01-02T15:04:05Z")}
	return d, nil
}

// Users lists the provisioned accounts. What an index can answer alone is not searched.
func (p *Provisioner) Users(ctx context.Context, q SCIMQuery, base string) (scim.Doc, error) {
	by, value := "", ""
	if q.Filter != "" {
		f, err := scim.ParseFilter(q.Filter)
		if err != nil {
			return nil, scimError(err)
		}
		if attr, text, ok := f.Equals(); ok {
			if key, indexed := map[string]string{"id": "id", "username": "userName", "externalid": "externalId"}[attr]; indexed {
				by, value = key, text
			}
		}
	}
	list, err := p.a.st.SCIMUsers(ctx, by, value)
	if err != nil {
		return nil, err
	}
	docs := make([]scim.Doc, 0, len(list))
	for _, u := range list {
		d, err := userDoc(u)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return q.list(docs, base, "/Users")
}

func (p *Provisioner) user(ctx context.Context, id string) (store.SCIMUser, scim.Doc, error) {
	list, err := p.a.st.SCIMUsers(ctx, "id", id)
	if err != nil {
		return store.SCIMUser{}, nil, err
	}
	if id == "" || len(list) != 1 {
		return store.SCIMUser{}, nil, scimError(ErrNotFound)
	}
	d, err := userDoc(list[0])
	return list[0], d, err
}

// User is one provisioned account.
func (p *Provisioner) User(ctx context.Context, id string, q SCIMQuery, base string) (scim.Doc, error) {
	_, d, err := p.user(ctx, id)
	if err != nil {
		return nil, err
	}
	return q.shape(d, base, "/Users"), nil
}

// CreateUser makes an account. It is never one that is there already: a person
// of the same name who is not provisioned keeps theirs.
func (p *Provisioner) CreateUser(ctx context.Context, body []byte, base string) (scim.Doc, error) {
	in, err := decodeSCIM(body)
	if err != nil {
		return nil, err
	}
	d, err := scim.Read(scim.User, in)
	if err != nil {
		return nil, scimError(err)
	}
	at := p.a.now()
	return p.putUser(ctx, store.SCIMUser{ID: newUUID(), Created: at}, nil, d, base)
}

// ReplaceUser puts a document in the place of the one that is there.
func (p *Provisioner) ReplaceUser(ctx context.Context, id string, body []byte, base string) (scim.Doc, error) {
	u, was, err := p.user(ctx, id)
	if err != nil {
		return nil, err
	}
	in, err := decodeSCIM(body)
	if err != nil {
		return nil, err
	}
	d, err := scim.Read(scim.User, in)
	if err != nil {
		return nil, scimError(err)
	}
	return p.putUser(ctx, u, was, d, base)
}

// PatchUser changes a provisioned account. With active false its sessions end at once.
func (p *Provisioner) PatchUser(ctx context.Context, id string, body []byte, base string) (scim.Doc, error) {
	u, was, err := p.user(ctx, id)
	if err != nil {
		return nil, err
	}
	ops, err := decodePatch(body)
	if err != nil {
		return nil, err
	}
	_, d, err := p.user(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := scim.Patch(scim.User, d, ops); err != nil {
		return nil, scimError(err)
	}
	return p.putUser(ctx, u, was, d, base)
}

// DeleteUser deletes a provisioned account with its sessions.
func (p *Provisioner) DeleteUser(ctx context.Context, id string) error {
	u, was, err := p.user(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, u.UserName, told(was), nil)
	p.a.log.InfoContext(ctx, "provisioned account deleted", "account", u.Account)
	return scimError(p.a.st.DeleteAccount(ctx, u.Account))
}

// told is a document without what the server adds, for the audit log.
func told(d scim.Doc) scim.Doc {
	if d == nil {
		return nil
	}
	out := scim.Doc{}
	for k, v := range d {
		if k != "schemas" && k != "meta" {
			out[k] = v
		}
	}
	return out
}

// putUser stores a document.
func (p *Provisioner) putUser(ctx context.Context, u store.SCIMUser, was, d scim.Doc, base string) (scim.Doc, error) {
	u.UserName, u.External, u.Changed = strings.TrimSpace(d.Text("userName")), d.Text("externalId"), p.a.now()
	if u.UserName == "" || len(u.UserName) > 200 {
		return nil, &SCIMError{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "userName must have 1 to 200 bytes."}
	}
	if active, given := d["active"].(bool); given && !active {
		if u.Disabled.IsZero() {
			u.Disabled = u.Changed
		}
	} else {
		u.Disabled = time.Time{}
	}
	kept := scim.Doc{}
	for _, key := range []string{"displayName", "title", "name", "emails"} {
		if v, ok := d[key]; ok {
			kept[key] = v
		}
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("encode provisioned account: %w", err)
	}
	u.Attributes = raw
	after, err := userDoc(u)
	if err != nil {
		return nil, err
	}
	if was == nil {
		audit.Change(ctx, u.UserName, nil, told(after))
	} else {
		audit.Change(ctx, u.UserName, told(was), told(after))
	}
	u, err = p.a.st.PutSCIMUser(ctx, u, scimName(u.UserName), scimDisplay(d, u.UserName))
	if err != nil {
		return nil, scimError(err)
	}
	p.a.log.InfoContext(ctx, "provisioned account stored", "account", u.Account, "active", u.Disabled.IsZero())
	return (&SCIMQuery{}).shape(after, base, "/Users"), nil
}

// scimName is the name of the account of a userName.
func scimName(userName string) string { return ssoName(ssoClaims{Preferred: userName}) }

func scimDisplay(d scim.Doc, userName string) string {
	for _, s := range []string{d.Text("displayName"), d.Text("name.formatted"), strings.TrimSpace(d.Text("name.givenName") + " " + d.Text("name.familyName"))} {
		if s = strings.TrimSpace(cutText(s, 200)); s != "" {
			return s
		}
	}
	return userName
}
