package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// fillLog writes events of some devices straight into the log of a data
// directory: a process a minute for each over some days, one of them rare.
func fillLog(t *testing.T, dir string, ids []inventory.DeviceID, end time.Time, each int) {
	t.Helper()
	e, err := eventlog.Open(filepath.Join(dir, "events"), eventlog.Options{MemBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	seq := map[inventory.DeviceID]uint64{}
	const batch = 200
	for from := 0; from < each; from += batch {
		for d, id := range ids {
			var raw []byte
			for i := from; i < from+batch; i++ {
				seq[id]++
				x := ev.Event{Action: ev.ProcessCreated, Seq: seq[id], Time: end.Add(-time.Duration(each-i) * time.Minute)}
				x.Set(ev.FileName, fmt.Sprintf("program%d", i%50))
				if d == 3 && i == each/2 {
					x.Set(ev.FileName, "rarity")
				}
				x.Set(ev.ProcessCommandLine, fmt.Sprintf("run --number %d of %d", i, d))
				x.SetInt(ev.ProcessID, int64(i))
				if raw, err = ev.Append(raw, &x); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := e.Append(t.Context(), eventlog.Batch{Device: id, Stream: 9, Seq: uint64(from/batch + 1), Received: end, Records: raw, Count: batch}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// What a query says of times, devices and texts is asked of the log: it reads
// few blocks and rows, and the answer is the same as without.
func TestHuntReadsWhatItNeeds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	var ids []inventory.DeviceID
	for i := range 20 {
		id := enrol(t, s, fmt.Sprintf("device %d", i))
		newReport(s, id).send(t, "bash 5.2")
		ids = append(ids, id)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const each = 4000
	fillLog(t, dir, ids, time.Now().UTC(), each)
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	_, all := hunted(t, s, admin, "DeviceProcessEvents | count")
	if all.RowsRead != 20*each || all.BlocksRead < 40 || all.BytesRead < 10_000 {
		t.Fatalf("everything: %+v", all)
	}
	// How many blocks a device's rows share with others depends on when tables were
	// sealed and merged. Of a time that is a block of each device, whose rows are
	// those of hours once they are merged.
	for query, most := range map[string]struct{ rows, blocks int }{
		"DeviceProcessEvents | where DeviceId == '" + string(ids[7]) + "' | count":                                                       {each, all.BlocksRead / 3},
		"DeviceProcessEvents | where DeviceId in ((DeviceInfo | where DeviceId == '" + string(ids[7]) + "' | project DeviceId)) | count": {each + 1, all.BlocksRead / 3},
		"DeviceProcessEvents | where Timestamp > ago(1h) | count":                                                                        {all.RowsRead / 3, all.BlocksRead / 3},
		"DeviceProcessEvents | where FileName == 'rarity' | count":                                                                       {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | where * has 'rarity' | count":                                                                             {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | where FileName has 'nothing' or ProcessCommandLine has 'rarity' or FolderPath has 'none' | count":         {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | where ProcessCommandLine has_any ('rarity', 'nothing') | count":                                           {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | where AdditionalFields has 'rarity' | count":                                                              {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | search 'rarity' | count":                                                                                  {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceProcessEvents | where FileName has 'rarity' | count":                                                                      {all.RowsRead / 10, all.BlocksRead / 5},
		"let r = DeviceProcessEvents | where FileName =~ 'RARITY'; r | summarize count() by DeviceId":                                    {all.RowsRead / 10, all.BlocksRead / 5},
		"DeviceNetworkEvents | count":                                                                                                    {all.RowsRead / 20, 0},
		"DeviceProcessEvents | where ActionType == 'Nothing' | count":                                                                    {0, 0},
	} {
		_, st := hunted(t, s, admin, query)
		if st.RowsRead > most.rows || st.BlocksRead > most.blocks {
			t.Errorf("%s reads %d rows of %d in %d blocks of %d, at most %d in %d are needed", query, st.RowsRead, all.RowsRead, st.BlocksRead, all.BlocksRead, most.rows, most.blocks)
		}
		// Behind take, nothing is pushed: every row is read, and the answer is the same.
		whole := strings.Replace(query, "DeviceProcessEvents |", "DeviceProcessEvents | take 1000000000 |", 1)
		got, _ := hunted(t, s, admin, query)
		if want, _ := hunted(t, s, admin, whole); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s gives %q, reading everything %q", query, got, want)
		}
	}
	// Who sees one device has that one's blocks read and nobody else's rows.
	s.core.mu.Lock()
	s.core.regroup(s.core.at(s.core.byID[ids[5]]), 7)
	s.core.mu.Unlock()
	if got, st := hunted(t, s, Caller{Name: "analyst", Permissions: opsViewing, Scope: exposure.Within(7)}, "DeviceProcessEvents | summarize count() by DeviceId"); fmt.Sprint(got) != fmt.Sprintf("[%s|%d]", ids[5], each) || st.RowsRead > each || st.BlocksRead > all.BlocksRead/3 {
		t.Errorf("in a scope of one device: %q, %d rows in %d blocks of %d", got, st.RowsRead, st.BlocksRead, all.BlocksRead)
	}
	// A word that is looked for everywhere is found by the index too, in all tables of events at once.
	for _, query := range []string{"search in (DeviceProcessEvents) 'rarity' | project DeviceId", "search in (Device*Events) 'RARITY' | project DeviceId", "union Device*Events | where * has 'rarity' | project DeviceId", "find in (DeviceProcessEvents, DeviceNetworkEvents) where * has 'rarity' project DeviceId | project DeviceId"} {
		got, st := hunted(t, s, admin, query)
		if fmt.Sprint(got) != fmt.Sprint([]inventory.DeviceID{ids[3]}) || st.RowsRead > all.RowsRead/10 || st.BlocksRead > all.BlocksRead/5 {
			t.Errorf("%s gives %q and reads %d rows of %d in %d blocks of %d", query, got, st.RowsRead, all.RowsRead, st.BlocksRead, all.BlocksRead)
		}
	}
	if got, _ := hunted(t, s, admin, "DeviceProcessEvents | where FileName == 'rarity' | project DeviceId"); fmt.Sprint(got) != fmt.Sprint([]inventory.DeviceID{ids[3]}) {
		t.Errorf("the rare one is on %q", got)
	}
}

// What hunting adds to the texts of events is found as well as these: names and
// ids of devices, actions, names and numbers of Picket's own columns.
func TestSearchFindsWhatIsAdded(t *testing.T) {
	s, mine, _, alice := huntFleet(t)
	s.core.mu.Lock()
	s.core.at(s.core.byID[mine.id]).sum.Name = "mine-1"
	s.core.mu.Unlock()
	mine.send(mine.event(ev.ProcessTerminated, func(e *ev.Event) {
		e.Set(ev.FileName, "curl")
		e.SetInt(ev.ProcessExitCode, 137)
		e.Set(ev.AdditionalFields, `{"note":"a&kept","deep":{"x":["word one"]}}`)
	}))
	for word, want := range map[string]int{"mine": 4, string(mine.id): 4, "ProcessCreated": 4, "containerid": 2, "c0ffee": 2, "137": 1, "ProcessExitCode": 1, "note": 1, "word one": 1, "curl": 5, "ProcessExitCode\":137": 1, "deep\":{\"x": 1, "nothing": 0, "192.0.2.7": 2} {
		for _, query := range []string{"search in (Device*Events) '" + word + "' | count", "union (Device*Events) | where * has '" + word + "' | count"} {
			whole := strings.Replace(strings.Replace(query, "search in (Device*Events)", "union Device*Events | take 1000000 | search", 1), "union (Device*Events)", "union Device*Events | take 1000000", 1)
			query = strings.Replace(query, "union (Device*Events)", "union Device*Events", 1)
			got, _ := hunted(t, s, admin, query)
			if all, _ := hunted(t, s, admin, whole); fmt.Sprint(got) != fmt.Sprint([]int{want}) || fmt.Sprint(all) != fmt.Sprint(got) {
				t.Errorf("%s gives %q, want %d; reading everything gives %q", query, got, want, all)
			}
		}
	}
	if got, _ := hunted(t, s, alice, "search in (Device*Events) 'curl' | summarize count() by DeviceId"); fmt.Sprint(got) != fmt.Sprintf("[%s|3]", mine.id) {
		t.Errorf("in a scope: %q", got)
	}
}

// Thirty days are read where nothing is said, older ones when they are asked for.
func TestHuntTimes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	id := enrol(t, s, "one")
	newReport(s, id).send(t, "bash 5.2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	fillLog(t, dir, []inventory.DeviceID{id}, now.Add(-40*24*time.Hour), 200)
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	count := func(r HuntRequest) (string, []string) {
		t.Helper()
		h, err := s.Hunt(t.Context(), admin, r)
		if err != nil {
			t.Fatal(err)
		}
		n := ""
		if _, err := h.Run(t.Context(), func(row HuntRow) error { n = row[0].Text(); return nil }, nil); err != nil {
			t.Fatal(err)
		}
		return n, h.Notes
	}
	if n, _ := count(HuntRequest{Query: "DeviceProcessEvents | count"}); n != "0" {
		t.Errorf("%s events of forty days ago without asking", n)
	}
	if n, notes := count(HuntRequest{Query: "DeviceProcessEvents | where Timestamp > ago(60d) | count"}); n != "0" || len(notes) != 1 {
		t.Errorf("%s events of forty days ago, and the notes %q", n, notes)
	}
	if n, notes := count(HuntRequest{Query: "DeviceProcessEvents | count", From: now.Add(-60 * 24 * time.Hour)}); n != "200" || len(notes) != 0 {
		t.Errorf("%s events of forty days ago that were asked for, notes %q", n, notes)
	}
	if n, _ := count(HuntRequest{Query: "DeviceProcessEvents | count", From: now.Add(-60 * 24 * time.Hour), Fixed: true}); n != "0" {
		t.Errorf("%s events of forty days ago over the Defender API", n)
	}
}

// An application whose queries ran for too long waits; the message says for how long.
func TestHuntShares(t *testing.T) {
	var d huntDesk
	now := time.Now()
	d.note("app", huntRun{at: now, took: hourShare - time.Second})
	if err := d.admit("app", now); err != nil {
		t.Errorf("below the share of an hour: %v", err)
	}
	d.note("app", huntRun{at: now, took: time.Second})
	var rate *RateError
	if err := d.admit("app", now.Add(time.Minute)); !errors.As(err, &rate) || rate.After != 59*time.Minute || !strings.Contains(err.Error(), "CPU") {
		t.Errorf("at the share of an hour: %v", err)
	}
	if err := d.admit("other", now); err != nil {
		t.Errorf("another application: %v", err)
	}
	if err := d.admit("app", now.Add(time.Hour)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	for i := range 17 {
		d.note("app", huntRun{at: now.Add(time.Duration(i+1) * time.Hour), took: hourShare})
	}
	if err := d.admit("app", now.Add(19*time.Hour)); !errors.As(err, &rate) || rate.Per != 24*time.Hour {
		t.Errorf("at the share of a day: %v", err)
	}
}

func TestHuntAlerts(t *testing.T) {
	s, mine, theirs, alice := huntFleet(t)
	alice.Permissions = append(alice.Permissions, AlertRead)
	for _, l := range []*life{mine, theirs} {
		e := l.start(100, 102, "nc")
		l.send(e)
		l.raise(alertOf(l, &e))
	}
	query := "AlertEvidence | where EntityType == 'Process' | join kind=inner AlertInfo on AlertId | project DeviceId, FileName, Category, Severity"
	got, _ := hunted(t, s, alice, query)
	if len(got) == 0 || !strings.HasPrefix(got[0], string(mine.id)+"|") || strings.Contains(fmt.Sprint(got), string(theirs.id)) || !strings.Contains(fmt.Sprint(got), "|nc|") {
		t.Errorf("alice sees %q", got)
	}
	if all, _ := hunted(t, s, admin, "AlertInfo | count"); all[0] != "2" {
		t.Errorf("the administrator sees %s alerts", all)
	}
	if n, _ := hunted(t, s, alice, "AlertInfo | count"); n[0] != "1" {
		t.Errorf("alice sees %s alerts", n)
	}
	alice.Permissions = []string{AdvancedQuery, MachineRead}
	if _, err := s.Hunt(t.Context(), alice, HuntRequest{Query: "AlertInfo | count"}); err == nil {
		t.Error("alerts are shown to who may not read them")
	}
}

func TestSavedHunts(t *testing.T) {
	s := testServer(t)
	ctx := t.Context()
	people := map[string]Caller{}
	for _, name := range []string{"ann", "bob"} {
		in, err := s.AddPerson(ctx, admin, NewPerson{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		_ = in
		p, err := s.People(ctx, admin, Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range p.Items {
			if row.Name == name {
				people[name] = Caller{Name: name, UserID: row.ID, Permissions: []string{AdvancedQuery}}
			}
		}
	}
	ann, bob := people["ann"], people["bob"]
	q, err := s.SaveHuntQuery(ctx, ann, "", HuntQueryEdit{Name: "mine", Query: "DeviceInfo | count"})
	if err != nil {
		t.Fatal(err)
	}
	names := func(c Caller) (out []string) {
		list, err := s.HuntQueries(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			out = append(out, fmt.Sprintf("%s %v", q.Name, q.Editable))
		}
		return out
	}
	if fmt.Sprint(names(ann), names(bob), names(admin)) != "[mine true] [] []" {
		t.Error(names(ann), names(bob), names(admin))
	}
	if _, err := s.SaveHuntQuery(ctx, bob, q.ID, HuntQueryEdit{Name: "his", Query: "x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("bob changes a query that he cannot see: %v", err)
	}
	if _, err := s.SaveHuntQuery(ctx, ann, q.ID, HuntQueryEdit{Name: "ours", Query: "DeviceInfo | count", Shared: true}); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(names(ann), names(bob), names(admin)) != "[ours true] [ours false] [ours true]" {
		t.Error(names(ann), names(bob), names(admin))
	}
	if err := s.DeleteHuntQuery(ctx, bob, q.ID); !errors.Is(err, ErrDenied) {
		t.Errorf("bob deletes what ann shared: %v", err)
	}
	if _, err := s.SaveHuntQuery(ctx, ann, "", HuntQueryEdit{Name: "ours", Query: "x"}); !errors.Is(err, ErrConflict) {
		t.Errorf("a name twice: %v", err)
	}
	if err := s.DeletePerson(ctx, admin, ann.UserID); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(names(bob)) != "[ours false]" {
		t.Errorf("what ann shared is gone with her: %q", names(bob))
	}
	if err := s.DeleteHuntQuery(ctx, admin, q.ID); err != nil || len(names(bob)) != 0 {
		t.Error(err, names(bob))
	}
}

// Tables of events that are joined by union are read in one pass.
func TestUnionIsOnePass(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	id := enrol(t, s, "one")
	newReport(s, id).send(t, "bash 5.2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	e, err := eventlog.Open(filepath.Join(dir, "events"), eventlog.Options{MemBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	actions, seqs := []ev.Action{ev.ProcessCreated, ev.ConnectionSuccess, ev.FileCreated}, map[ev.Kind]uint64{}
	const each = 6000
	for from := 0; from < each; from += 300 {
		var raw []byte
		for i := from; i < from+300; i++ {
			a := actions[i%3]
			seqs[a.Kind()]++
			x := ev.Event{Action: a, Seq: seqs[a.Kind()], Time: time.Now().Add(time.Duration(i-each) * time.Second)}
			x.Set(ev.FileName, fmt.Sprintf("name%d", i%40))
			x.Set(ev.InitiatingProcessCommandLine, fmt.Sprintf("do --it %d", i*7919))
			if raw, err = ev.Append(raw, &x); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Append(t.Context(), eventlog.Batch{Device: id, Stream: 9, Seq: uint64(from/300 + 1), Received: time.Now(), Records: raw, Count: 300}); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	apart := 0 // tables share blocks; which ones depends on when segments were merged
	for _, table := range []string{"DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents"} {
		got, st := hunted(t, s, admin, table+" | count")
		if fmt.Sprint(got) != "[2000]" || st.BlocksRead == 0 {
			t.Fatalf("%s: %s, %+v", table, got, st)
		}
		apart += st.BlocksRead
	}
	for query, want := range map[string]string{
		"union Device*Events | summarize count() by ActionType": "[ConnectionSuccess|2000 FileCreated|2000 ProcessCreated|2000]",
		"union withsource=T (DeviceProcessEvents | where FileName == 'name0'), (DeviceFileEvents | project FileName, ActionType) | summarize count() by T":       "[union_arg|2050]",
		"union DeviceProcessEvents, DeviceProcessEvents, (union DeviceNetworkEvents, DeviceFileEvents) | summarize N = count() by ActionType | summarize sum(N)": "[8000]",
		"search in (Device*Events) FileName:'name1' | count": "[100]",
	} {
		got, st := hunted(t, s, admin, query)
		if fmt.Sprint(got) != want || st.BlocksRead >= apart {
			t.Errorf("%s: %s, want %s; %d blocks, %d of each table on its own", query, got, want, st.BlocksRead, apart)
		}
	}
}
