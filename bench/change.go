package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// change sends the software of one device of a large fleet again and again,
// each time with one package in another version, and takes the time until the
// device's and the organisation's scores have followed.
func change(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 100_000)
	srv, _, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Console(b.ctx)
	if err != nil {
		return nil, err
	}
	names, err := b.sources(599)
	if err != nil {
		return nil, err
	}
	var top rig.Page[rig.Product]
	if err := c.Get(b.ctx, "/api/x/software?size=1&sort=-weaknesses", &top); err != nil {
		return nil, err
	}
	if len(top.Items) == 0 {
		return nil, errors.New("the fleet has no software")
	}
	changing := top.Items[0].Name
	names = append(slices.DeleteFunc(names, func(n string) bool { return n == changing }), changing)
	var device string
	send := func(run int) error {
		var answer struct {
			Device string `json:"device"`
		}
		if err := c.Send(b.ctx, http.MethodPost, "/api/x/sbom?name=changing", billOf(names, run), &answer); err != nil {
			return err
		}
		device = answer.Device
		return nil
	}
	if err := send(0); err != nil {
		return nil, err
	}
	var took []time.Duration
	var before float64
	for run := range b.number("ROUNDS", 40) {
		began := time.Now()
		if err := send(run + 1); err != nil {
			return nil, err
		}
		var one, all struct {
			Score float64 `json:"score"`
		}
		if err := c.Get(b.ctx, "/api/x/devices/"+device+"/score", &one); err != nil {
			return nil, err
		}
		if err := c.Get(b.ctx, "/api/x/exposure-score", &all); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		if one.Score == before {
			return nil, fmt.Errorf("change %d moved no score: the measure would be of nothing", run)
		}
		before = one.Score
	}
	return []figure{{what: fmt.Sprintf("one device's change to new scores at %d devices, p95", devices), value: ms(quantile(took, 0.95)), unit: "ms", target: 50,
		note: fmt.Sprintf("%d changes of one package among %d, sent as SBOM, both scores read; median %s ms", len(took), len(names), short(ms(median(took))))}}, nil
}

// billOf is a CycloneDX document of a Debian 12 device with a package of each
// name; the last of them is outdated in every other run.
func billOf(names []string, run int) map[string]any {
	components := make([]any, 0, len(names)+1)
	for i, name := range names {
		version := "999:1-1"
		if i%3 == 1 && i < len(names)-1 || i == len(names)-1 && run%2 == 0 {
			version = "0.1-1"
		}
		components = append(components, map[string]any{"type": "library", "name": name, "version": version,
			"purl": "pkg:deb/debian/" + url.PathEscape(name) + "@" + url.QueryEscape(version) + "?arch=amd64&distro=debian-12&upstream=" + url.QueryEscape(name)})
	}
	components = append(components, map[string]any{"type": "operating-system", "name": "debian", "version": "12", "properties": []any{
		map[string]string{"name": "syft:distro:id", "value": "debian"}, map[string]string{"name": "syft:distro:versionID", "value": "12"}}})
	return map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1 + run,
		"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
		"metadata": map[string]any{"timestamp": time.Unix(1_790_000_000+int64(run), 0).UTC().Format(time.RFC3339),
			"tools": map[string]any{"components": []any{map[string]string{"type": "application", "name": "syft", "version": "1.18.1"}}}},
		"components": components}
}
