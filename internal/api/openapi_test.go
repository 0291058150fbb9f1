package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/rig/clientgen"
)

var update = flag.Bool("update", false, "rewrite golden files")

// openAPI is the description of the console's API, formatted.
func openAPI(t *testing.T) []byte {
	t.Helper()
	c := newConsole(Options{Server: struct{ Backend }{}, Log: discard()})
	raw, err := json.Marshal(c.api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOpenAPIGolden(t *testing.T) {
	got := openAPI(t)
	const file = "openapi.golden.json"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the API changed; run go test ./internal/api -run OpenAPI -update\n%s", diff)
	}
}

// The generated part of package client is what the description says.
func TestOpenAPIClient(t *testing.T) {
	got, err := clientgen.Generate(openAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../client/api.gen.go"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the client is not of this API; run go test ./internal/api -run OpenAPI -update\n%s", diff)
	}
}
