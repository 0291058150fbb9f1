package main

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// AppCmd groups the verbs on applications.
type AppCmd struct {
	Create    AppCreateCmd    `cmd:"" help:"Register an application and print its credentials."`
	List      AppListCmd      `cmd:"" help:"Print the applications and people's own tokens."`
	Rotate    AppRotateCmd    `cmd:"" help:"Make a new secret of an application and let the old ones expire."`
	Delete    AppDeleteCmd    `cmd:"" help:"Delete an application; its tokens end at once."`
	RotateKey AppRotateKeyCmd `cmd:"" name:"rotate-key" help:"Make a new key that tokens are signed with."`
}

// AppCreateCmd is "picket app create".
type AppCreateCmd struct {
	Data       string   `required:"" env:"PICKET_DATA" help:"Data directory."`
	Name       string   `required:"" help:"Name of the application."`
	Permission []string `sep:"," placeholder:"P" help:"Permission it gets, such as Machine.Read.All; may be given several times. None: all, unless it acts for people."`
	Delegated  []string `sep:"," placeholder:"P" help:"Permission that people may let it have; may be given several times."`
	Redirect   []string `sep:"none" placeholder:"URL" help:"Address that people may be sent back to; may be given several times."`
	DeviceCode bool     `help:"People may let it in by a code that they type on the console."`
	Public     bool     `help:"It runs at people's own machines and keeps no secret."`
}

// Run prints tenant id, client id and client secret as JSON; the secret is
// shown only here, and a public application has none.
func (c *AppCreateCmd) Run(e *env) error {
	var out server.AppSecret
	args := server.AppCreateArgs{Name: c.Name, Permissions: c.Permission,
		AppDelegation: server.AppDelegation{Public: c.Public, Redirects: c.Redirect, Delegated: c.Delegated, DeviceCode: c.DeviceCode}}
	if err := runVerb(e, c.Data, "app create", args, &out, nil); err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(out)
}

// AppListCmd is "picket app list".
type AppListCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	JSON bool   `name:"json" help:"Print JSON, with permissions and secrets (not themselves)."`
}

// Run prints the applications, newest first.
func (c *AppListCmd) Run(e *env) error {
	var list []server.AppRow
	if err := runVerb(e, c.Data, "app list", struct{}{}, &list, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, list)
	}
	return table(e.out, func(row func(...any)) {
		row("CLIENT ID", "NAME", "OWNER", "STATE", "SECRETS", "CALLS", "REFUSED", "LAST USED", "FROM")
		for _, a := range list {
			state, used := "enabled", "never"
			if a.Disabled {
				state = "disabled"
			}
			if a.LastUsed != nil {
				used = a.LastUsed.UTC().Format(time.RFC3339)
			}
			row(a.ID, oneLine(a.Name), a.Owner, state, len(a.Secrets), a.Calls, a.Refused, used, a.LastRemote)
		}
	})
}

// AppRotateCmd is "picket app rotate".
type AppRotateCmd struct {
	Data string        `required:"" env:"PICKET_DATA" help:"Data directory."`
	ID   string        `arg:"" name:"client-id" help:"Client id of the application."`
	Keep time.Duration `default:"24h" help:"How long the secrets before it live on, in whole hours; 0: they end at once."`
	Days int           `help:"How long the new one lives, in days; 0: it never expires."`
}

// Run prints the credentials as JSON; the secret is shown only here.
func (c *AppRotateCmd) Run(e *env) error {
	if c.Keep%time.Hour != 0 {
		return server.Invalidf("--keep", "%v is not a number of whole hours, such as 24h", c.Keep)
	}
	var out server.AppSecret
	args := server.AppArgs{Client: c.ID, Days: c.Days, KeepHours: int(c.Keep / time.Hour)}
	if err := runVerb(e, c.Data, "app rotate", args, &out, nil); err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(out)
}

// AppDeleteCmd is "picket app delete".
type AppDeleteCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	ID   string `arg:"" name:"client-id" help:"Client id of the application."`
}

// Run deletes the application.
func (c *AppDeleteCmd) Run(e *env) error {
	return runVerb(e, c.Data, "app delete", server.AppArgs{Client: strings.TrimSpace(c.ID)}, nil, nil)
}

// AppRotateKeyCmd is "picket app rotate-key".
type AppRotateKeyCmd struct {
	Data   string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Revoke bool   `help:"End every token that was issued so far, at once."`
}

// Run prints the new key's id.
func (c *AppRotateKeyCmd) Run(e *env) error {
	var key server.SigningKey
	if err := runVerb(e, c.Data, "app rotate-key", server.KeyArgs{Revoke: c.Revoke}, &key, nil); err != nil {
		return err
	}
	return printJSON(e.out, key)
}
