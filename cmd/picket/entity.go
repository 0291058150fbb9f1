package main

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/picketsec/picket/client"
)

// EntityCmd is "picket entity".
type EntityCmd struct {
	Listing
	Kind  string `arg:"" enum:"file,domain,ip,user" help:"What it is: file, domain, ip or user."`
	Value string `arg:"" help:"SHA-256 or SHA-1 of a file, a host, an address, or a user's name."`
	Days  int64  `default:"30" help:"Whole days (UTC) to look back."`
}

// entityCall asks for one kind of entity.
type entityCall struct {
	view    func(cl *client.Client, e *env, c *EntityCmd) (client.EntityView, error)
	devices func(cl *client.Client, e *env, p client.FileDevicesParams, id string) iter.Seq2[client.EntityDevice, error]
}

var entityCalls = map[string]entityCall{
	"file": {
		func(cl *client.Client, e *env, c *EntityCmd) (client.EntityView, error) {
			return cl.File(e.ctx, c.Value, client.FileParams{Days: c.Days})
		},
		func(cl *client.Client, e *env, p client.FileDevicesParams, id string) iter.Seq2[client.EntityDevice, error] {
			return cl.FileDevicesAll(e.ctx, id, p)
		},
	},
	"domain": {
		func(cl *client.Client, e *env, c *EntityCmd) (client.EntityView, error) {
			return cl.Domain(e.ctx, c.Value, client.DomainParams{Days: c.Days})
		},
		func(cl *client.Client, e *env, p client.FileDevicesParams, id string) iter.Seq2[client.EntityDevice, error] {
			return cl.DomainDevicesAll(e.ctx, id, client.DomainDevicesParams(p))
		},
	},
	"ip": {
		func(cl *client.Client, e *env, c *EntityCmd) (client.EntityView, error) {
			return cl.IP(e.ctx, c.Value, client.IPParams{Days: c.Days})
		},
		func(cl *client.Client, e *env, p client.FileDevicesParams, id string) iter.Seq2[client.EntityDevice, error] {
			return cl.IPDevicesAll(e.ctx, id, client.IPDevicesParams(p))
		},
	},
	"user": {
		func(cl *client.Client, e *env, c *EntityCmd) (client.EntityView, error) {
			return cl.User(e.ctx, c.Value, client.UserParams{Days: c.Days})
		},
		func(cl *client.Client, e *env, p client.FileDevicesParams, id string) iter.Seq2[client.EntityDevice, error] {
			return cl.UserDevicesAll(e.ctx, id, client.UserDevicesParams(p))
		},
	},
}

// Run prints what is known of an entity, then the devices that met it. With
// --json the entity is the first line and each device one more.
func (c *EntityCmd) Run(e *env) error {
	var p client.FileDevicesParams
	if err := c.fill(&p); err != nil {
		return err
	}
	p.Days = c.Days
	c.Value = strings.TrimSpace(c.Value)
	call := entityCalls[c.Kind]
	return c.with(e, func(cl *client.Client) error {
		v, err := call.view(cl, e, c)
		if err != nil {
			return err
		}
		if c.JSON {
			err = printLine(e.out, v)
		} else {
			err = printEntity(e.out, &v)
		}
		if err != nil {
			return err
		}
		return printRows(e, &c.Listing, call.devices(cl, e, p, c.Value), []any{"DEVICE", "NAME", "OS", "EVENTS", "FIRST SEEN", "LAST SEEN", "SEEN AS"}, func(d *client.EntityDevice) []any {
			return []any{d.ID, d.Name, dash(d.OSName), d.Events, stamp(d.First), stamp(d.Last), dash(strings.Join(d.Names, ", "))}
		})
	})
}

func printEntity(w io.Writer, v *client.EntityView) error {
	names := []string{}
	for _, n := range v.Names {
		if n.Name != "" {
			names = append(names, fmt.Sprintf("%s (%d)", oneLine(n.Name), n.Devices))
		}
	}
	_, err := fmt.Fprintf(w, "%s %s\nseen on %d devices in %d events of %d days, first %s, last %s%s\n", v.Kind, oneLine(v.ID), v.Devices, v.Events, v.Days, stamp(v.First), stamp(v.Last),
		prefixed("\nnames: ", strings.Join(names, ", ")))
	if err == nil && v.File.Sha256 != "" {
		_, err = fmt.Fprintf(w, "SHA-256 %s, %d bytes, %s\n", v.File.Sha256, v.File.Size, dash(oneLine(v.File.Path)))
	}
	if err == nil {
		_, err = fmt.Fprintln(w)
	}
	return err
}
