package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/scim"
	"github.com/picketsec/picket/internal/store"
)

const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"

// groups are the user groups that the directory made.
func (p *Provisioner) groups(ctx context.Context) ([]store.UserGroup, error) {
	all, err := p.a.st.UserGroups(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(g store.UserGroup) bool { return g.Source != store.SourceSCIM })
	slices.SortFunc(all, func(a, b store.UserGroup) int { return int(a.ID - b.ID) })
	return all, nil
}

// people are the ids of provisioned accounts, by account and by id.
func (p *Provisioner) people(ctx context.Context) (byAccount map[int64]string, byID map[string]int64, err error) {
	list, err := p.a.st.SCIMUsers(ctx, "", "")
	byAccount, byID = make(map[int64]string, len(list)), make(map[string]int64, len(list))
	for _, u := range list {
		byAccount[u.Account], byID[u.ID] = u.ID, u.Account
	}
	return byAccount, byID, err
}

// groupDoc is a user group as SCIM shows it.
func (p *Provisioner) groupDoc(ctx context.Context, g store.UserGroup, byAccount map[int64]string) (scim.Doc, error) {
	d := scim.Doc{"schemas": []string{groupSchema}, "id": strconv.FormatInt(g.ID, 10), "displayName": g.Name, "meta": scim.Doc{"resourceType": "Group"}}
	if g.External != "" {
		d["externalId"] = g.External
	}
	accounts, err := p.a.st.Members(ctx, g.ID, store.SourceSCIM)
	if err != nil {
		return nil, err
	}
	members := []scim.Doc{}
	for _, a := range accounts {
		if id, ok := byAccount[a]; ok {
			members = append(members, scim.Doc{"value": id})
		}
	}
	d["members"] = members
	return d, nil
}

// Groups lists the user groups that the directory made.
func (p *Provisioner) Groups(ctx context.Context, q SCIMQuery, base string) (scim.Doc, error) {
	list, err := p.groups(ctx)
	if err != nil {
		return nil, err
	}
	byAccount, _, err := p.people(ctx)
	if err != nil {
		return nil, err
	}
	docs := []scim.Doc{}
	for _, g := range list {
		d, err := p.groupDoc(ctx, g, byAccount)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return q.list(docs, base, "/Groups")
}

func (p *Provisioner) group(ctx context.Context, id string) (store.UserGroup, scim.Doc, error) {
	n, err := numbered(id)
	if err != nil {
		return store.UserGroup{}, nil, scimError(err)
	}
	list, err := p.groups(ctx)
	if err != nil {
		return store.UserGroup{}, nil, err
	}
	i := slices.IndexFunc(list, func(g store.UserGroup) bool { return g.ID == n })
	if i < 0 {
		return store.UserGroup{}, nil, scimError(ErrNotFound)
	}
	byAccount, _, err := p.people(ctx)
	if err != nil {
		return store.UserGroup{}, nil, err
	}
	d, err := p.groupDoc(ctx, list[i], byAccount)
	return list[i], d, err
}

// Group is one user group that the directory made; another one is not there.
func (p *Provisioner) Group(ctx context.Context, id string, q SCIMQuery, base string) (scim.Doc, error) {
	_, d, err := p.group(ctx, id)
	if err != nil {
		return nil, err
	}
	return q.shape(d, base, "/Groups"), nil
}

// CreateGroup makes a user group. It has no roles until an administrator gives it some.
func (p *Provisioner) CreateGroup(ctx context.Context, body []byte, base string) (scim.Doc, error) {
	in, err := decodeSCIM(body)
	if err != nil {
		return nil, err
	}
	d, err := scim.Read(scim.Group, in)
	if err != nil {
		return nil, scimError(err)
	}
	return p.putGroup(ctx, store.UserGroup{Source: store.SourceSCIM, Description: "Provisioned by the directory."}, nil, d, base)
}

// ReplaceGroup puts a document in the place of the one that is there.
func (p *Provisioner) ReplaceGroup(ctx context.Context, id string, body []byte, base string) (scim.Doc, error) {
	g, was, err := p.group(ctx, id)
	if err != nil {
		return nil, err
	}
	in, err := decodeSCIM(body)
	if err != nil {
		return nil, err
	}
	d, err := scim.Read(scim.Group, in)
	if err != nil {
		return nil, scimError(err)
	}
	return p.putGroup(ctx, g, was, d, base)
}

// PatchGroup changes a user group and who is in it.
func (p *Provisioner) PatchGroup(ctx context.Context, id string, body []byte, base string) (scim.Doc, error) {
	g, was, err := p.group(ctx, id)
	if err != nil {
		return nil, err
	}
	ops, err := decodePatch(body)
	if err != nil {
		return nil, err
	}
	_, d, err := p.group(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := scim.Patch(scim.Group, d, ops); err != nil {
		return nil, scimError(err)
	}
	return p.putGroup(ctx, g, was, d, base)
}

// DeleteGroup deletes a user group that the directory made.
func (p *Provisioner) DeleteGroup(ctx context.Context, id string) error {
	g, was, err := p.group(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, g.Name, told(was), nil)
	return scimError(p.a.st.DeleteUserGroup(ctx, g.ID))
}

// putGroup stores a document. Who is a member by an administrator's hand stays one.
func (p *Provisioner) putGroup(ctx context.Context, g store.UserGroup, was, d scim.Doc, base string) (scim.Doc, error) {
	external := d.Text("externalId")
	g.Name = strings.TrimSpace(cutText(d.Text("displayName"), 100))
	if g.Name == "" {
		return nil, &SCIMError{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "displayName must have 1 to 100 bytes."}
	}
	_, byID, err := p.people(ctx)
	if err != nil {
		return nil, err
	}
	members := []int64{}
	for _, m := range d.List("members") {
		account, ok := byID[m.Text("value")]
		if !ok {
			return nil, &SCIMError{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "members: there is no user " + strconv.Quote(cutText(m.Text("value"), 100)) + "."}
		}
		members = append(members, account)
	}
	slices.Sort(members)
	members = slices.Compact(members)
	audit.Change(ctx, g.Name, told(was), told(d))
	changed := g.External != external
	if g.ID == 0 {
		g.External, changed = external, false
	}
	g.Roles = nil
	id, err := p.a.st.PutUserGroup(ctx, g, nil)
	if err == nil && changed {
		err = p.a.st.SetGroupExternal(ctx, id, external)
	}
	if err == nil {
		err = p.a.st.SetMembers(ctx, id, store.SourceSCIM, members)
	}
	if err != nil {
		return nil, scimError(err)
	}
	p.a.log.InfoContext(ctx, "provisioned group stored", "group", id, "members", len(members))
	_, after, err := p.group(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return nil, err
	}
	return (&SCIMQuery{}).shape(after, base, "/Groups"), nil
}
