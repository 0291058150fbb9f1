// Command send enrols one device whose every string is a text of the caller's
// and prints what it sent, for the browser tests:
//
//	send --server URL --ca FILE --token T <<<'{"text": "<b>{field}</b>", "honest": {"os.id": "debian"}, "tags": ["<b>"]}'
//
// {field} becomes the name of the string: "kernel.release". The answer is
// {"device": …, "rejected": […], "strings": ["kernel.release", …]}.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/rig/pest"
)

// order is what to send.
type order struct {
	Text   string            `json:"text"`
	Honest map[string]string `json:"honest"`
	Tags   []string          `json:"tags"`
}

// answer is what was sent.
type answer struct {
	Device   inventory.DeviceID  `json:"device"`
	Rejected []protocol.Rejected `json:"rejected"`
	Strings  []string            `json:"strings"` // names of those that hold the text, in order
}

func main() {
	server := flag.String("server", "", "address that agents talk to")
	ca := flag.String("ca", "", "the server's ca.pem")
	token := flag.String("token", "", "enrolment token")
	flag.Parse()
	if err := run(*server, *ca, *token); err != nil {
		fmt.Fprintln(os.Stderr, "send:", err)
		os.Exit(1)
	}
}

func run(server, ca, token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return fmt.Errorf("read what to send: %w", err)
	}
	at, err := url.Parse(server)
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	p := &pest.Pest{Addr: at.Host, Roots: x509.NewCertPool()}
	p.Roots.AppendCertsFromPEM(pem)
	names := map[string]bool{}
	text := func(field string) string { return strings.ReplaceAll(o.Text, "{field}", field) }
	sections, err := pest.Sections(func(field string) string {
		names[field] = true
		return text(field)
	}, o.Honest)
	if err != nil {
		return err
	}
	p.Text = text
	short := func(field string) string { return text(field)[:min(len(text(field)), protocol.MaxText)] }
	hello := protocol.Hello{AgentVersion: short("hello.agent_version"), OS: short("hello.os"), Arch: short("hello.arch"), Tags: o.Tags,
		Response: &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskCollect}, {Kind: protocol.TaskIsolate}, {Kind: protocol.TaskInvestigate}, {Kind: protocol.TaskScan, Reason: short("hello.reason")}},
			Isolation: protocol.Isolation{Since: time.Now().UTC(), Cause: short("hello.cause")}}}
	a := answer{Strings: slices.Sorted(maps.Keys(names))}
	if a.Device, a.Rejected, err = p.Send(ctx, token, hello, sections); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}
