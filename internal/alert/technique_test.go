package alert

import (
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/event"
)

func TestTechniqueFile(t *testing.T) {
	got, err := parseTechniques(techniqueText)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.rules) < 30 {
		t.Errorf("only %d rules", len(got.rules))
	}
	for _, r := range got.rules {
		for _, c := range r.where {
			if c.column.Type() != event.String {
				t.Errorf("%s looks at %s, which is no text", r.tag.ID, c.column)
			}
			if len(c.values) == 0 {
				t.Errorf("%s: a condition without values", r.tag.ID)
			}
		}
	}
	for line, want := range map[string]string{
		"T1 | n | t | | |":                              "no technique",
		"T1000 | n | t | Nonsense | | r":                "no action type",
		"T1000 | n | t | ProcessCreated | Nope=1 | r":   "no column",
		"T1000 | n | t | ProcessCreated | FileName=1 |": "no reason",
		"T1000 | n | t":                                 "3 parts",
		"T1000 | n | t | | |\nT1000 | m | t | | |":      "otherwise",
		"T1000 | n | t | ProcessCreated | FileName | r": "no condition",
	} {
		if _, err := parseTechniques(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func TestTags(t *testing.T) {
	text := func(pairs ...any) func(event.Column) string {
		return func(c event.Column) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == c {
					return pairs[i+1].(string)
				}
			}
			return ""
		}
	}
	tests := []struct {
		name   string
		action event.Action
		text   func(event.Column) string
		want   []string
	}{
		{"a table of cron", event.ScheduledTaskCreated, text(event.TaskName, "/etc/cron.d/backup"), []string{"T1053.003"}},
		{"a job of at, which is under cron's folder", event.ScheduledTaskCreated, text(event.TaskName, "/var/spool/cron/atjobs/a1"), []string{"T1053.002"}},
		{"a timer", event.ScheduledTaskUpdated, text(event.TaskName, "backup.timer"), []string{"T1053.006"}},
		{"a deleted task", event.ScheduledTaskDeleted, text(event.TaskName, "backup.timer"), nil},
		{"ssh", event.LogonSuccess, text(event.Protocol, "ssh"), []string{"T1021.004"}},
		{"sudo", event.LogonSuccess, text(event.Protocol, "sudo"), []string{"T1548.003"}},
		{"at the console", event.LogonSuccess, text(event.Protocol, "login"), nil},
		{"an account", event.UserAccountCreated, text(), []string{"T1136.001"}},
		{"a module", event.KernelModuleLoaded, text(event.FileName, "x"), []string{"T1547.006"}},
		{"keys", event.FileModified, text(event.FolderPath, "/srv/me/.ssh/authorized_keys"), []string{"T1098.004"}},
		{"other keys", event.FileModified, text(event.FolderPath, "/srv/me/.ssh/authorized_keys.bak"), nil},
		{"preload", event.FileCreated, text(event.FolderPath, "/etc/ld.so.preload"), []string{"T1574.006"}},
		{"a program", event.ProcessCreated, text(event.FileName, "nmap"), []string{"T1046"}},
		{"a program of a like name", event.ProcessCreated, text(event.FileName, "nmapper"), nil},
	}
	for _, tt := range tests {
		var got []string
		for _, tag := range Tags(tt.action, tt.text) {
			got = append(got, tag.ID)
			if tag.Reason == "" || tag.Name == "" {
				t.Errorf("%s: %s has no name or reason", tt.name, tag.ID)
			}
			if known, ok := TechniqueOf(tag.ID); !ok || known.Name != tag.Name {
				t.Errorf("%s is not known by itself", tag.ID)
			}
			if !slices.Contains(TechniqueActions([]string{tag.ID}), tt.action) {
				t.Errorf("a search for %s does not look at %s", tag.ID, tt.action)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if got := TechniqueActions([]string{"T1053"}); !slices.Contains(got, event.ScheduledTaskCreated) || slices.Contains(got, event.LogonSuccess) {
		t.Errorf("T1053 looks at %v", got)
	}
	if got := TechniqueActions([]string{"T9999"}); len(got) != 0 {
		t.Errorf("a technique without rules looks at %v", got)
	}
}
