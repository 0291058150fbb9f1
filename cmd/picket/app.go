package main

import (
	"encoding/json"

	"github.com/picketsec/picket/internal/server"
)

// AppCmd groups the verbs on applications.
type AppCmd struct {
	Create AppCreateCmd `cmd:"" help:"Register an application and print its credentials."`
}

// AppCreateCmd is "picket app create".
type AppCreateCmd struct {
	Data       string   `required:"" env:"PICKET_DATA" help:"Data directory."`
	Name       string   `required:"" help:"Name of the application."`
	Permission []string `sep:"," placeholder:"P" help:"Permission it gets, such as Machine.Read.All; may be given several times. None: all."`
}

// Run prints tenant id, client id and client secret as JSON; the secret is
// shown only here.
func (c *AppCreateCmd) Run(e *env) error {
	var out server.AppSecret
	if err := runVerb(e, c.Data, "app create", server.AppCreateArgs{Name: c.Name, Permissions: c.Permission}, &out, nil); err != nil {
		return err
	}
	return json.NewEncoder(e.out).Encode(out)
}
