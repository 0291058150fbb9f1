package sense

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// unitDirs are where systemd finds its units, the first of a name counts.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// dirsOfUnits are those below a root, without one that is another's second name.
func dirsOfUnits(root string) []string {
	var out []string
	for _, d := range unitDirs {
		if info, err := os.Lstat(root + "/lib"); d == "/lib/systemd/system" && err == nil && info.Mode()&fs.ModeSymlink != 0 {
			continue
		}
		out = append(out, root+d)
	}
	return out
}

// taskState is what is remembered of a scheduled task.
type taskState struct {
	File    string   `json:"file"`
	Sum     string   `json:"sum"`
	Entries []string `json:"entries,omitempty"` // when and what, as they are written
	Unit    string   `json:"unit,omitempty"`    // that a timer starts
	Enabled bool     `json:"enabled,omitempty"`
}

// maxEntries of a table of tasks are told.
const maxEntries = 32

// tasks tells of scheduled tasks: tables of cron, scripts that it runs, and
// timers of systemd.
func tasks(root string) snapshot {
	files := []string{"/etc/crontab", "/etc/cron.d/*", "/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*", "/etc/cron.monthly/*", "/etc/anacrontab",
		"/var/spool/cron/crontabs/*", "/var/spool/cron/*", "/var/spool/cron/atjobs/*"}
	for i := range files {
		files[i] = root + files[i]
	}
	for _, d := range dirsOfUnits(root) {
		files = append(files, d+"/*.timer", d+"/*.timer.d/*.conf", d+"/*.wants/*.timer")
	}
	return snapshot{name: "tasks", kind: event.Schedule, every: 5 * time.Second, files: files, read: func(files []string) map[string]string {
		return readTasks(root, files)
	}, tell: tellTask}
}

func readTasks(root string, files []string) map[string]string {
	out := map[string]string{}
	timers, wanted := units(files, ".timer")
	for name, u := range timers {
		t := taskState{File: strings.TrimPrefix(u.file, root), Sum: u.sum, Enabled: wanted[name], Unit: strings.TrimSuffix(name, ".timer") + ".service"}
		for key, values := range u.settings {
			switch {
			case key == "Timer.Unit" && len(values) > 0:
				t.Unit = values[len(values)-1]
			case strings.HasPrefix(key, "Timer.On"):
				for _, v := range values {
					t.Entries = append(t.Entries, strings.TrimPrefix(key, "Timer.")+"="+v)
				}
			}
		}
		slices.Sort(t.Entries)
		out[name] = parts(t)
	}
	for _, f := range files {
		if strings.HasSuffix(filepath.Dir(f), ".wants") || strings.HasSuffix(f, ".timer") || strings.HasSuffix(f, ".conf") || filepath.Base(f) == ".placeholder" {
			continue
		}
		raw, ok := content(f)
		if !ok {
			continue
		}
		t := taskState{File: strings.TrimPrefix(f, root), Sum: sumOf(raw)}
		if dir := filepath.Base(filepath.Dir(f)); strings.HasPrefix(dir, "cron.") && dir != "cron.d" {
			t.Entries = []string{strings.TrimPrefix(dir, "cron.")}
		} else {
			t.Entries = cronEntries(string(raw))
		}
		out[t.File] = parts(t)
	}
	return out
}

// cronEntries returns the lines of a table of cron that run something.
func cronEntries(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || len(out) == maxEntries {
			continue
		}
		if first := line[0]; first != '@' && first != '*' && (first < '0' || first > '9') {
			continue // a variable
		}
		out = append(out, valid(line[:min(len(line), 1024)]))
	}
	return out
}

func tellTask(key, old, now string) []*event.Event {
	e := &event.Event{Action: event.ScheduledTaskUpdated}
	t := part[taskState](now)
	switch {
	case old == "":
		e.Action = event.ScheduledTaskCreated
	case now == "":
		e.Action, t = event.ScheduledTaskDeleted, part[taskState](old)
	}
	e.Set(event.TaskName, valid(key))
	setPath(e, t.File)
	if len(t.Sum) == 64 {
		e.Set(event.SHA256, t.Sum)
	}
	more := map[string]any{"entries": t.Entries}
	if t.Unit != "" {
		more["unit"], more["enabled"] = t.Unit, t.Enabled
	}
	e.Set(event.AdditionalFields, object(more))
	return []*event.Event{e}
}

// serviceState is what is remembered of a service.
type serviceState struct {
	File    string   `json:"file"`
	Sum     string   `json:"sum"`
	Start   []string `json:"start,omitempty"`
	User    string   `json:"user,omitempty"`
	Enabled bool     `json:"enabled,omitempty"`
	Masked  bool     `json:"masked,omitempty"`
}

// services tells of systemd's services.
func services(root string) snapshot {
	var files []string
	for _, d := range dirsOfUnits(root) {
		if d == root+"/run/systemd/system" {
			continue // of the moment
		}
		files = append(files, d+"/*.service", d+"/*.service.d/*.conf", d+"/*.wants/*.service", d+"/*.requires/*.service")
	}
	files = append(files, root+"/etc/init.d/*", root+"/etc/rc.local")
	return snapshot{name: "services", kind: event.Service, every: 10 * time.Second, files: files, read: func(files []string) map[string]string {
		return readServices(root, files)
	}, tell: tellService}
}

func readServices(root string, files []string) map[string]string {
	out := map[string]string{}
	list, wanted := units(files, ".service")
	for name, u := range list {
		s := serviceState{File: strings.TrimPrefix(u.file, root), Sum: u.sum, Start: u.settings["Service.ExecStart"], Enabled: wanted[name], Masked: u.masked}
		if users := u.settings["Service.User"]; len(users) > 0 {
			s.User = users[len(users)-1]
		}
		out[name] = parts(s)
	}
	for _, f := range files {
		if filepath.Base(filepath.Dir(f)) != "init.d" && filepath.Base(f) != "rc.local" {
			continue
		}
		if raw, ok := content(f); ok {
			out[strings.TrimPrefix(f, root)] = parts(serviceState{File: strings.TrimPrefix(f, root), Sum: sumOf(raw)})
		}
	}
	return out
}

func tellService(key, old, now string) []*event.Event {
	e := &event.Event{Action: event.ServiceChanged}
	s := part[serviceState](now)
	switch {
	case old == "":
		e.Action = event.ServiceInstalled
	case now == "":
		e.Action, s = event.ServiceRemoved, part[serviceState](old)
	}
	e.Set(event.ServiceName, valid(strings.TrimSuffix(key, ".service")))
	setPath(e, s.File)
	if len(s.Sum) == 64 {
		e.Set(event.SHA256, s.Sum)
	}
	more := map[string]any{"enabled": s.Enabled}
	if len(s.Start) > 0 {
		more["execStart"] = s.Start
	}
	if s.User != "" {
		more["user"] = s.User
	}
	if s.Masked {
		more["masked"] = true
	}
	e.Set(event.AdditionalFields, object(more))
	return []*event.Event{e}
}

// unit is a unit of systemd with its drop-ins.
type unit struct {
	file     string
	sum      string
	masked   bool
	settings map[string][]string // "Section.Key" to its values
}

// units reads the units with an ending off files in the order of unitDirs, and
// says which of them something wants.
func units(files []string, ending string) (list map[string]*unit, wanted map[string]bool) {
	list, wanted = map[string]*unit{}, map[string]bool{}
	for _, f := range files {
		name, dir := filepath.Base(f), filepath.Base(filepath.Dir(f))
		switch {
		case strings.HasSuffix(dir, ".wants") || strings.HasSuffix(dir, ".requires"):
			if strings.HasSuffix(name, ending) {
				wanted[name] = true
			}
		case strings.HasSuffix(name, ending) && list[name] == nil:
			u := &unit{file: f, settings: map[string][]string{}}
			if to, err := os.Readlink(f); err == nil && to == "/dev/null" {
				u.masked = true
			} else if raw, ok := content(f); ok {
				u.sum = sumOf(raw)
				parseUnit(string(raw), u.settings)
			} else {
				continue
			}
			list[name] = u
		}
	}
	for _, f := range files {
		of, ok := strings.CutSuffix(filepath.Base(filepath.Dir(f)), ".d")
		if u := list[of]; ok && u != nil {
			if raw, ok := content(f); ok {
				u.sum = sumOf([]byte(u.sum + sumOf(raw)))
				parseUnit(string(raw), u.settings)
			}
		}
	}
	return list, wanted
}

// parseUnit reads a file in systemd's form into settings. An empty value takes
// back those before it.
func parseUnit(text string, into map[string][]string) {
	section, joined := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, more := strings.CutSuffix(line, "\\"); more && len(joined) < 16<<10 {
			joined += rest + " "
			continue
		}
		line, joined = joined+line, ""
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = section + "." + strings.TrimSpace(key)
		value = valid(strings.TrimSpace(value))
		switch {
		case !ok:
		case value == "":
			delete(into, key)
		case len(into) < 256 && len(into[key]) < maxEntries:
			into[key] = append(into[key], value[:min(len(value), 2048)])
		}
	}
}

// content reads a small regular file.
func content(name string) ([]byte, bool) {
	info, err := os.Stat(name)
	if err != nil || info.Mode()&fs.ModeType != 0 || info.Size() > maxFileRead {
		return nil, false
	}
	raw, err := readCapped(name, maxFileRead)
	return raw, err == nil
}

func sumOf(raw []byte) string {
	s := sha256.Sum256(raw)
	return hex.EncodeToString(s[:])
}
