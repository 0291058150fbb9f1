package sense

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// accountState is what is remembered of an account: nothing of its password
// but when it was changed and whether it is locked.
type accountState struct {
	UID     uint32 `json:"uid"`
	GID     uint32 `json:"gid"`
	Gecos   string `json:"gecos,omitempty"`
	Home    string `json:"home"`
	Shell   string `json:"shell"`
	Changed string `json:"passwordChanged,omitempty"` // days since 1970
	Locked  bool   `json:"locked,omitempty"`
}

type groupState struct {
	GID     string   `json:"gid"`
	Members []string `json:"members,omitempty"`
}

// accounts tells of accounts and groups.
func accounts(etc string) snapshot {
	return snapshot{name: "accounts", kind: event.Account, every: 4 * time.Second,
		files: []string{etc + "/passwd", etc + "/shadow", etc + "/group"}, read: func([]string) map[string]string {
			var text [3]string
			for i, name := range []string{"/passwd", "/shadow", "/group"} {
				raw, _ := readCapped(etc+name, maxPasswd) // what is not there says nothing
				text[i] = string(raw)
			}
			return readAccounts(text[0], text[1], text[2])
		}, tell: tellAccount}
}

// readAccounts turns the three files into what is remembered of them.
func readAccounts(passwd, shadow, group string) map[string]string {
	out := map[string]string{}
	type secret struct {
		changed string
		locked  bool
	}
	secrets := map[string]secret{}
	for line := range strings.Lines(shadow) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) >= 3 {
			secrets[f[0]] = secret{f[2], strings.HasPrefix(f[1], "!") || strings.HasPrefix(f[1], "*")}
		}
	}
	for _, a := range parsePasswd(passwd) {
		s := secrets[a.name]
		out["user "+a.name] = parts(accountState{UID: a.uid, GID: a.gid, Gecos: valid(a.gecos), Home: valid(a.home), Shell: valid(a.shell), Changed: s.changed, Locked: s.locked})
	}
	for line := range strings.Lines(group) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 4 || f[0] == "" {
			continue
		}
		g := groupState{GID: f[2]}
		for m := range strings.SplitSeq(f[3], ",") {
			if m != "" && !slices.Contains(g.Members, m) {
				g.Members = append(g.Members, m)
			}
		}
		slices.Sort(g.Members)
		out["group "+f[0]] = parts(g)
	}
	return out
}

func tellAccount(key, old, now string) []*event.Event {
	what, name, _ := strings.Cut(key, " ")
	if what == "group" {
		return tellGroup(name, old, now)
	}
	was, is := part[accountState](old), part[accountState](now)
	e := &event.Event{Action: event.UserAccountModified}
	switch {
	case old == "":
		e.Action = event.UserAccountCreated
	case now == "":
		e.Action, is = event.UserAccountDeleted, was
	}
	e.Set(event.AccountName, valid(name))
	e.Set(event.AccountSID, strconv.FormatUint(uint64(is.UID), 10))
	more := map[string]any{"uid": is.UID, "gid": is.GID, "home": is.Home, "shell": is.Shell}
	if e.Action == event.UserAccountModified {
		more["changed"] = differences(was, is)
	}
	e.Set(event.AdditionalFields, object(more))
	return []*event.Event{e}
}

// differences names what of an account has changed.
func differences(a, b accountState) []string {
	var out []string
	for _, d := range []struct {
		name string
		is   bool
	}{
		{"uid", a.UID != b.UID}, {"gid", a.GID != b.GID}, {"comment", a.Gecos != b.Gecos}, {"home", a.Home != b.Home}, {"shell", a.Shell != b.Shell},
		{"password", a.Changed != b.Changed}, {"locked", !a.Locked && b.Locked}, {"unlocked", a.Locked && !b.Locked},
	} {
		if d.is {
			out = append(out, d.name)
		}
	}
	return out
}

func tellGroup(name, old, now string) []*event.Event {
	was, is := part[groupState](old), part[groupState](now)
	var out []*event.Event
	add := func(a event.Action, member string) {
		e := &event.Event{Action: a}
		e.Set(event.GroupName, valid(name))
		e.Set(event.AccountName, valid(member))
		gid := is.GID
		if now == "" {
			gid = was.GID
		}
		e.Set(event.AdditionalFields, object(map[string]any{"gid": gid}))
		out = append(out, e)
	}
	if old == "" {
		add(event.GroupCreated, "")
	}
	for _, m := range was.Members {
		if !slices.Contains(is.Members, m) {
			add(event.GroupMemberRemoved, m)
		}
	}
	for _, m := range is.Members {
		if !slices.Contains(was.Members, m) {
			add(event.GroupMemberAdded, m)
		}
	}
	if now == "" {
		add(event.GroupDeleted, "")
	}
	return out
}
