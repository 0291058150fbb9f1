package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
)

// hunted runs a query and returns its rows, each as "a|b|c", in order of text.
func hunted(t *testing.T, s *Server, c Caller, query string) ([]string, HuntStatistics) {
	t.Helper()
	h, err := s.Hunt(t.Context(), c, HuntRequest{Query: query})
	if err == nil {
		err = h.Resolve(t.Context())
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	out := []string{}
	st, err := h.Run(t.Context(), func(row HuntRow) error {
		var b []string
		for _, v := range row {
			b = append(b, v.Text())
		}
		out = append(out, strings.Join(b, "|"))
		return nil
	}, nil)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(out)
	return out, st
}

// huntFleet is a server with two devices in two groups, that do the same.
func huntFleet(t *testing.T) (s *Server, mine, theirs *life, alice Caller) {
	t.Helper()
	s = testServer(t)
	for i, name := range []string{"mine", "theirs"} {
		l := newLife(t, s, name)
		l.send(l.start(1, 100, "sh"), l.start(100, 101, "curl"), l.event(ev.ConnectionSuccess, func(e *ev.Event) {
			e.Set(ev.RemoteIP, "192.0.2.7")
			e.SetInt(ev.RemotePort, 443)
			e.Set(ev.ContainerID, "c0ffee")
			e.Set(ev.InitiatingProcessFileName, "curl")
		}))
		if i == 0 {
			mine = l
		} else {
			theirs = l
		}
	}
	if _, err := s.ChangeTags(t.Context(), admin, TagChange{Devices: []string{string(mine.id)}, Add: []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	g, err := s.SaveDeviceGroup(t.Context(), admin, 0, RuleEdit{Name: "mine", Rules: []group.Rule{{Conditions: []group.Condition{{Property: "tag", Operator: "equals", Values: []string{"mine"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s, mine, theirs, Caller{Name: "alice", Permissions: []string{AdvancedQuery, MachineRead, SoftwareRead, VulnerabilityRead}, Scope: exposure.Within(g.ID)}
}

func TestHuntEvents(t *testing.T) {
	s, mine, _, _ := huntFleet(t)
	for query, want := range map[string]string{
		"DeviceProcessEvents | where FileName == 'curl' | count":                                                                                        "[2]",
		"DeviceProcessEvents | where DeviceId == '" + string(mine.id) + "' | project FileName, ProcessId, ActionType":                                   "[curl|101|ProcessCreated sh|100|ProcessCreated]",
		"DeviceNetworkEvents | where RemotePort == 443 | summarize dcount(DeviceId) by RemoteIP, tostring(AdditionalFields.ContainerId)":                "[192.0.2.7|c0ffee|2]",
		"DeviceProcessEvents | join kind=inner DeviceNetworkEvents on DeviceId, $left.FileName == $right.InitiatingProcessFileName | summarize count()": "[2]",
		"union DeviceProcessEvents, DeviceNetworkEvents | summarize count() by ActionType":                                                              "[ConnectionSuccess|2 ProcessCreated|4]",
		"DeviceProcessEvents | where Timestamp > ago(1m) | count":                                                                                       "[0]",
	} {
		if got, _ := hunted(t, s, admin, query); fmt.Sprint(got) != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// What a caller may not see is in no answer, whichever way the query goes.
func TestHuntShowsWhatTheCallerSees(t *testing.T) {
	s, mine, theirs, alice := huntFleet(t)
	looking := admin // at the group that alice sees
	looking.Groups = alice.Scope.Groups()
	events := "let E = DeviceProcessEvents | project DeviceId, FileName;\n"
	for _, query := range []string{
		"DeviceProcessEvents | distinct DeviceId",
		"DeviceProcessEvents | where DeviceId in ('" + string(mine.id) + "', '" + string(theirs.id) + "') | distinct DeviceId",
		"union withsource=T Device*Events | distinct DeviceId",
		events + "E | join kind=fullouter (DeviceNetworkEvents | project DeviceId, RemoteIP) on DeviceId | project D = iff(isempty(DeviceId), DeviceId1, DeviceId) | distinct D",
		"DeviceInfo | distinct DeviceId", "DeviceTvmSoftwareInventory | distinct DeviceId", "DeviceTvmSoftwareEvidenceBeta | distinct DeviceId", "DeviceTvmInfoGathering | distinct DeviceId",
		"DeviceInfo | project DeviceId | union (DeviceTvmSoftwareInventory | project DeviceId) | distinct DeviceId",
		"let f = (x: string) { DeviceInfo | where DeviceId != x | project DeviceId }; f('nobody')",
		"DeviceProcessEvents | where DeviceId in ((DeviceInfo | project DeviceId)) | distinct DeviceId",
		"print DeviceId = toscalar(DeviceProcessEvents | summarize max(DeviceId))",
		"search in (Device*) 'debian' or 'curl' | where isnotempty(DeviceId) | distinct DeviceId", "find in (DeviceProcessEvents, DeviceInfo) where DeviceId != '' | distinct DeviceId",
		"let M = materialize(union isfuzzy=true Device*Events, NoSuchTable); M | join kind=inner M on DeviceId | distinct DeviceId",
		"DeviceProcessEvents | evaluate pivot(FileName, count(), DeviceId) | project DeviceId",
		"DeviceNetworkEvents | project DeviceId, AdditionalFields | evaluate bag_unpack(AdditionalFields) | where ContainerId == 'c0ffee' | project DeviceId",
		"DeviceProcessEvents | make-series count() on Timestamp step 1d by DeviceId | project DeviceId", "DeviceProcessEvents | top-nested of DeviceId by count() | project DeviceId",
		"DeviceProcessEvents | mv-apply L = split(FileName, 'u') to typeof(string) on (take 1) | distinct DeviceId",
	} {
		if got, _ := hunted(t, s, looking, query); len(got) != 1 || got[0] != string(mine.id) {
			t.Errorf("the administrator, who looks at one group, sees %q with %s", got, query)
		}
		if got, _ := hunted(t, s, admin, query); len(got) != 2 && !strings.HasPrefix(query, "print") {
			t.Errorf("the administrator sees %q with %s", got, query)
		}
		if got, _ := hunted(t, s, alice, query); len(got) != 1 || got[0] != string(mine.id) {
			t.Errorf("alice sees %q with %s", got, query)
		}
	}
	nobody := alice
	nobody.Scope = exposure.Scope{}
	for _, table := range []string{"DeviceProcessEvents", "DeviceInfo", "DeviceTvmSoftwareInventory", "DeviceTvmSoftwareVulnerabilities", "DeviceTvmSoftwareVulnerabilitiesKB", "DeviceTvmSecureConfigurationAssessment", "DeviceTvmInfoGathering", "DeviceNetworkInfo"} {
		if got, _ := hunted(t, s, nobody, table+" | take 5"); len(got) != 0 {
			t.Errorf("who sees nothing gets %q of %s", got, table)
		}
	}
}

// A table is there for whoever may see the page that shows the same.
func TestHuntTablesByPermission(t *testing.T) {
	s, _, _, alice := huntFleet(t)
	alice.Permissions = []string{AdvancedQuery, MachineRead}
	if _, err := s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceTvmSoftwareInventory | count"}); err == nil || !strings.Contains(err.Error(), "no table") {
		t.Errorf("software without its permission: %v", err)
	}
	alice.App = "app"
	if _, err := s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceTvmSoftwareInventory | count"}); err != nil {
		t.Errorf("an application: %v", err)
	}
	alice.Permissions = []string{MachineRead}
	if _, err := s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceInfo | count"}); !errors.Is(err, ErrDenied) {
		t.Errorf("who may not hunt: %v", err)
	}
}

func TestHuntEnds(t *testing.T) {
	s, _, _, _ := huntFleet(t)
	h, err := s.Hunt(t.Context(), admin, HuntRequest{Query: "range x from 1 to 1000000 step 1", Limit: 3})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	st, err := h.Run(t.Context(), func(HuntRow) error { n++; return nil }, nil)
	if err != nil || n != 3 || !st.Truncated || len(h.Notes) != 1 {
		t.Errorf("%d rows, %+v, %q, %v", n, st, h.Notes, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, err = s.Hunt(ctx, admin, HuntRequest{Query: "range x from 1 to 1000000 step 1 | extend a = 1 | join kind=inner (range y from 1 to 100000 step 1 | extend a = 1) on a | count"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := h.Run(ctx, func(HuntRow) error { return nil }, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run whose caller went away ends with %v", err)
	}
}

// What evaluate gives is known once rows were read, and checked then.
func TestHuntResolves(t *testing.T) {
	s, _, _, alice := huntFleet(t)
	h, err := s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceProcessEvents | evaluate pivot(FileName, count(), ActionType)"})
	if err != nil || !h.Open() || len(h.Columns()) != 0 {
		t.Fatalf("%v, open %v, columns %v", err, h.Open(), h.Columns())
	}
	if _, err := h.Run(t.Context(), func(HuntRow) error { return nil }, nil); err == nil {
		t.Error("what is not resolved runs")
	}
	h, _ = s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceProcessEvents | evaluate pivot(FileName, count(), ActionType)"})
	if err := h.Resolve(t.Context()); err != nil || h.Open() || fmt.Sprint(h.Columns()) != "[{ActionType string} {curl long} {sh long}]" {
		t.Errorf("%v %v", err, h.Columns())
	}
	if len(s.hunts.turn) != 1 {
		t.Errorf("%d turns are taken, not one", len(s.hunts.turn))
	}
	n := 0
	if _, err := h.Run(t.Context(), func(row HuntRow) error { n++; return nil }, nil); err != nil || n != 1 || len(s.hunts.turn) != 0 {
		t.Errorf("%d rows, %v, %d turns are taken", n, err, len(s.hunts.turn))
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, _ = s.Hunt(ctx, alice, HuntRequest{Query: "DeviceProcessEvents | evaluate narrow()"})
	if err := h.Resolve(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	within(t, "the end of a turn that nobody uses", func() bool { return len(s.hunts.turn) == 0 })
	h, _ = s.Hunt(t.Context(), alice, HuntRequest{Query: "DeviceProcessEvents\n| evaluate pivot(FileName) | where nothing == 1"})
	var wrong *HuntError
	if err := h.Resolve(t.Context()); !errors.As(err, &wrong) || wrong.Mistake.Line != 2 || len(s.hunts.turn) != 0 {
		t.Errorf("%v, %d turns are taken", err, len(s.hunts.turn))
	}
}
