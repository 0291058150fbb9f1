package server

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	makes   = "nothing was there before"
	removes = "nothing is there afterwards"
	asks    = "a request of somebody: nothing is changed yet"
	unread  = "what cannot be read is noted as it came; the rest is noted once it is understood"
	refused = "nothing changes: why somebody was refused"
)

// oneSided are functions that note what was without what is, or the other way
// round, with why.
var oneSided = map[string]string{
	"NewApp": makes, "addSecret": makes, "NewOwnToken": makes, "CreateToken": makes, "raise": makes, "AddPerson": makes, "LinkPerson": makes,
	"RequestRemediation": makes, "RemediatePlan": makes, "SavePlan": makes, "ReportInaccuracy": makes, "putException": makes, "noteRules": makes, "noteGroup": makes,
	"register": makes, "nodeEnroll": makes, "AddPasskey": makes, "ConfirmCode": makes, "putUser": makes, "newIdentity": makes,
	"DecideConsent": makes, "RedeemCode": makes, "RefreshToken": makes, "DecideDevice": makes, "PollDevice": makes,
	"deleteApp": removes, "DeleteAppSecret": removes, "DeleteRole": removes, "DeleteUserGroup": removes, "DeletePerson": removes, "DeletePlan": removes, "RemoveDevice": removes,
	"DeleteDeviceGroup": removes, "DeleteTagRule": removes, "DeleteHuntQuery": removes, "DeleteIndicators": removes, "RemoveDestination": removes, "RemoveForward": removes, "removeVEX": removes,
	"EndSession": removes, "RemovePasskey": removes, "RemoveCode": removes, "DeleteGroup": removes, "DeleteUser": removes,
	"EndOwnGrant": removes, "EndAppGrant": removes, "EndRefreshToken": removes,
	"addApproval": asks, "act": asks, "askTasks": asks, "join": "somebody wants what goes on already: there is nothing before",
	"dropCode": refused, "notePasskey": refused, "admit": refused, "ArriveSSO": refused,
	"ImportSBOM": unread, "ImportVEX": unread,
}

// Every change notes both sides of it, or is named here with why there is only
// one: read from the source, so that a new one fails until somebody has said so.
func TestChangesTellBothSides(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found, calls := map[string]bool{}, 0
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if x, is := call.Fun.(*ast.SelectorExpr); !is || !ok || sel.Sel.Name != "Change" {
					return true
				} else if id, is := x.X.(*ast.Ident); !is || id.Name != "audit" {
					return true
				}
				calls++
				for _, side := range call.Args[2:] {
					if id, ok := side.(*ast.Ident); ok && id.Name == "nil" {
						found[fn.Name.Name] = true
						if oneSided[fn.Name.Name] == "" {
							t.Errorf("%s: %s tells one side of a change: note both, or say in oneSided why there is only one", set.Position(call.Pos()), fn.Name.Name)
						}
					}
				}
				return true
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(oneSided)) {
		if !found[name] {
			t.Errorf("%s is named and notes both sides, or nothing", name)
		}
	}
	if calls < 50 {
		t.Errorf("only %d changes were found", calls)
	}
}

// What is changed a second time tells what the first time made.
func TestSecondChangeTellsTheFirst(t *testing.T) {
	s := testServer(t)
	var forward string
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, n int) error
		want [2]string // in what was, the first and the second time
	}{
		"provisioning": {func(ctx context.Context, _ int) error {
			_, err := s.MakeProvisioningToken(ctx, boss)
			return err
		}, [2]string{`"provisioning":"off"`, `"provisioning":"on"`}},
		"a receiver": {func(ctx context.Context, n int) error {
			r, err := s.PutForward(ctx, boss, forward, ForwardInput{Kind: "syslog", Name: "collector " + strconv.Itoa(n), Classes: []string{"audit"}, Config: ForwardConfig{Host: "127.0.0.1"}})
			forward = r.ID
			return err
		}, [2]string{"", `"name":"collector 0"`}},
		"a bill of materials": {func(ctx context.Context, n int) error {
			_, err := s.ImportSBOM(ctx, boss, bom("web", fmt.Sprintf("2026-11-0%dT00:00:00Z", n+1)), SBOMImport{})
			return err
		}, [2]string{"", `"made":"2026-11-01T00:00:00Z"`}},
		"intelligence": {func(ctx context.Context, _ int) error {
			_, err := intelImportVerb(ctx, s, json.RawMessage(`{"paths":["/nowhere"]}`), func(Progress) {})
			return err
		}, [2]string{`"weaknesses"`, `"weaknesses"`}},
	} {
		for n := range 2 {
			ctx := s.Audited(t.Context(), boss, name, "", "R")
			if err := tt.do(ctx, n); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.AuditEnd(ctx, http.StatusOK)
			row := auditLog(t, s, Query{})
			last := row[len(row)-1]
			var d struct{ Before, After json.RawMessage }
			if err := json.Unmarshal(last.Detail, &d); err != nil || last.Action != name || !strings.Contains(string(d.Before), tt.want[n]) || len(d.After) == 0 {
				t.Errorf("%s, time %d: %s %s, %v; want %s before", name, n+1, last.Action, last.Detail, err, tt.want[n])
			}
		}
	}
}
