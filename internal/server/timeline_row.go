package server

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
)

// timelineRow tells an event.
func timelineRow(r *eventlog.Row) TimelineRow {
	e := r.Record.Event()
	a := e.Action
	out := TimelineRow{
		ID: eventID(r), Time: r.Time, Received: r.Received, HostTime: e.Time, Action: a.String(), Kind: a.Kind().String(), Group: string(a.Group()),
		Table: a.Table().String(), Seq: e.Seq, Title: happened(&e), User: eventUser(&e), Entities: eventEntities(&e), Info: eventInfo(&e), Fields: eventFields(&e),
		Techniques: []Technique{}, Alerts: []AlertRef{},
	}
	for _, t := range alert.Tags(a, e.Text) {
		out.Techniques = append(out.Techniques, Technique{ID: t.ID, Name: t.Name, Tactic: t.Tactics, Reason: t.Reason})
	}
	if !e.Wall.IsZero() {
		out.HostTime = e.Wall
	}
	return out
}

// eventFields are the columns that have a value.
func eventFields(e *ev.Event) map[string]any {
	out := make(map[string]any, len(e.Fields))
	for _, f := range e.Fields {
		switch f.Column.Type() {
		case ev.String, ev.Dynamic:
			out[f.Column.String()] = f.Text
		case ev.Bool:
			out[f.Column.String()] = f.Number != 0
		case ev.Time:
			out[f.Column.String()] = time.Unix(0, f.Number).UTC()
		default:
			out[f.Column.String()] = f.Number
		}
	}
	return out
}

// eventUser is who did it: of a new process whom it runs as, of a logon who
// logged on, else whom the acting process runs as.
func eventUser(e *ev.Event) string {
	name, domain := e.Text(ev.AccountName), e.Text(ev.AccountDomain)
	if name == "" {
		name, domain = e.Text(ev.InitiatingProcessAccountName), e.Text(ev.InitiatingProcessAccountDomain)
	}
	if domain != "" && name != "" {
		return domain + `\` + name
	}
	return name
}

// verbs are what an action's process did to its object.
var verbs = map[ev.Action]string{
	ev.ProcessCreated: "started", ev.ConnectionSuccess: "connected to", ev.ConnectionFailed: "could not connect to", ev.ConnectionFound: "is connected to",
	ev.InboundConnectionAccepted: "accepted a connection from", ev.ListeningConnectionCreated: "listens on", ev.DNSQueryResponse: "resolved",
	ev.FileCreated: "created", ev.FileModified: "changed", ev.FileDeleted: "deleted", ev.FileRenamed: "renamed", ev.ImageLoaded: "loaded", ev.ScriptLoaded: "runs the script",
	ev.KernelModuleLoaded: "loaded the kernel module", ev.KernelModuleUnloaded: "removed the kernel module",
	ev.ScheduledTaskCreated: "created the scheduled task", ev.ScheduledTaskUpdated: "changed the scheduled task", ev.ScheduledTaskDeleted: "deleted the scheduled task",
	ev.ServiceInstalled: "installed the service", ev.ServiceChanged: "changed the service", ev.ServiceRemoved: "removed the service",
	ev.ServiceStarted: "started the service", ev.ServiceStopped: "stopped the service",
	ev.PackageInstalled: "installed", ev.PackageUpgraded: "upgraded", ev.PackageRemoved: "removed",
	ev.UserAccountCreated: "created the account", ev.UserAccountDeleted: "deleted the account", ev.UserAccountModified: "changed the account",
	ev.GroupCreated: "created the group", ev.GroupDeleted: "deleted the group",
}

// datagramVerbs are those of exchanges without a connection.
var datagramVerbs = map[ev.Action]string{ev.ConnectionSuccess: "sent datagrams to", ev.InboundConnectionAccepted: "received datagrams from"}

// happened says in a line what happened.
func happened(e *ev.Event) string {
	who := orElse(e.Text(ev.InitiatingProcessFileName), "")
	object := eventObject(e)
	switch e.Action {
	case ev.ProcessTerminated:
		title := orElse(object, "A process") + " ended"
		if f, ok := e.Get(ev.ProcessExitCode); ok && f.Number != 0 {
			title += fmt.Sprintf(" with code %d", f.Number)
		}
		return title
	case ev.LogonSuccess, ev.LogonFailed, ev.LogonAttempted, ev.LogoffSuccess:
		return logonTitle(e)
	case ev.GroupMemberAdded, ev.GroupMemberRemoved:
		return fmt.Sprintf("%s %s group %s", orElse(e.Text(ev.AccountName), "An account"),
			map[bool]string{true: "was added to", false: "was removed from"}[e.Action == ev.GroupMemberAdded], e.Text(ev.GroupName))
	case ev.SensorEventsLost:
		from, _ := e.Get(ev.LostFrom)
		to, _ := e.Get(ev.LostTo)
		if _, counted := e.Get(ev.EventCount); !counted {
			return fmt.Sprintf("An unknown number of %s events is missing", e.Text(ev.LostKind))
		}
		return fmt.Sprintf("%d %s events were dropped", to.Number-from.Number+1, e.Text(ev.LostKind))
	case ev.SensorStarted, ev.SensorChanged:
		return strings.TrimSpace("Sensor " + map[bool]string{true: "started", false: "changed"}[e.Action == ev.SensorStarted] + " " + e.Text(ev.Source))
	case ev.ResponseAction:
		return responseTitle(e)
	case ev.ClockChanged:
		return "The host's clock was set"
	case ev.AntivirusDetection, ev.AntivirusReport, ev.AntivirusScanCompleted:
		return antivirusTitle(e, object)
	}
	verb, ok := verbs[e.Action]
	if e.Kind() == ev.Network && strings.EqualFold(e.Text(ev.Protocol), "Udp") {
		if v := datagramVerbs[e.Action]; v != "" {
			verb = v
		}
	}
	if !ok {
		return strings.TrimSpace(e.Action.String() + " " + object)
	}
	if who == "" {
		return capital(verb + " " + object)
	}
	return who + " " + verb + " " + object
}

// antivirusTitle says what an antivirus program said.
func antivirusTitle(e *ev.Event, object string) string {
	var more struct {
		ThreatName                              string
		ScannedFiles, InfectedFiles, Signatures int64
		ReportSource                            string
	}
	_ = json.Unmarshal([]byte(e.Text(ev.AdditionalFields)), &more) // what is not there is not said
	by := orElse(more.ReportSource, "Antivirus")
	switch e.Action {
	case ev.AntivirusDetection:
		return by + " found " + orElse(more.ThreatName, "a threat") + " in " + orElse(object, "a file")
	case ev.AntivirusScanCompleted:
		return fmt.Sprintf("%s scanned %d files, %d infected", by, more.ScannedFiles, more.InfectedFiles)
	}
	return fmt.Sprintf("%s loaded %d signatures", by, more.Signatures)
}

func logonTitle(e *ev.Event) string {
	who := orElse(eventUser(e), "Somebody")
	what := map[ev.Action]string{ev.LogonSuccess: "logged on", ev.LogonFailed: "failed to log on", ev.LogonAttempted: "tried to log on", ev.LogoffSuccess: "logged off"}[e.Action]
	title := who + " " + what
	if p := e.Text(ev.Protocol); p != "" {
		title += " by " + p
	}
	if ip := orElse(e.Text(ev.RemoteIP), e.Text(ev.RemoteDeviceName)); ip != "" {
		title += " from " + ip
	}
	return title
}

// eventObject is what an event is about, in a word.
func eventObject(e *ev.Event) string {
	for _, c := range []ev.Column{ev.TaskName, ev.ServiceName, ev.PackageName, ev.GroupName} {
		if t := e.Text(c); t != "" {
			if v := e.Text(ev.PackageVersion); c == ev.PackageName && v != "" {
				return t + " " + v
			}
			return t
		}
	}
	switch e.Kind() {
	case ev.Network, ev.DNS:
		if e.Action == ev.ListeningConnectionCreated {
			return endpoint(e, ev.LocalIP, ev.LocalPort)
		}
		if url := e.Text(ev.RemoteURL); url != "" {
			return url
		}
		return endpoint(e, ev.RemoteIP, ev.RemotePort)
	case ev.Account:
		return e.Text(ev.AccountName)
	}
	return orElse(e.Text(ev.FileName), e.Text(ev.FolderPath))
}

func endpoint(e *ev.Event, ip, port ev.Column) string {
	host := orElse(e.Text(ip), "*")
	if f, ok := e.Get(port); ok {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return host + ":" + strconv.FormatInt(f.Number, 10)
	}
	return host
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// eventInfo is what an analyst may want to know beside it.
func eventInfo(e *ev.Event) []string {
	out := []string{}
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if t := e.Text(ev.FailureReason); t != "" {
		add("Reason: %s", t)
	}
	if t := e.Text(ev.Reason); t != "" {
		add("%s", t)
	}
	if t := e.Text(ev.LogonType); t != "" {
		add("%s", t)
	}
	if t := e.Text(ev.ContainerID); t != "" {
		add("Container %.12s", t)
	}
	if t := e.Text(ev.Interpreter); t != "" {
		add("Run by %s", t)
	}
	if f, ok := e.Get(ev.EventCount); ok && f.Number > 1 {
		add("%d times", f.Number)
	}
	if t := e.Text(ev.PreviousFileName); t != "" {
		add("Was %s", t)
	}
	return out
}

// processID names a process for ever: its number and when it began.
func processID(pid int64, began int64) string {
	return fmt.Sprintf("%d@%d", pid, began)
}

// processOf is a process that columns tell of; false when they do not.
func processOf(e *ev.Event, name, pid, began, detail ev.Column) (Entity, bool) {
	n, ok := e.Get(pid)
	if !ok {
		return Entity{}, false
	}
	at, _ := e.Get(began)
	out := Entity{Kind: "process", Name: orElse(e.Text(name), "process "+strconv.FormatInt(n.Number, 10)), ID: processID(n.Number, at.Number)}
	if detail != 0 {
		out.Detail = e.Text(detail)
	}
	return out, true
}

// eventEntities are what took part, in the order in which it acted.
func eventEntities(e *ev.Event) []Entity {
	out := []Entity{}
	add := func(x Entity, ok bool) {
		if ok && x.Name != "" {
			out = append(out, x)
		}
	}
	text := func(kind string, c, detail ev.Column) {
		x := Entity{Kind: kind, Name: e.Text(c)}
		if detail != 0 {
			x.Detail = e.Text(detail)
		}
		add(x, true)
	}
	add(processOf(e, ev.InitiatingProcessParentFileName, ev.InitiatingProcessParentID, ev.InitiatingProcessParentCreationTime, 0))
	add(processOf(e, ev.InitiatingProcessFileName, ev.InitiatingProcessID, ev.InitiatingProcessCreationTime, ev.InitiatingProcessCommandLine))
	switch e.Kind() {
	case ev.Process, ev.ProcessEnd:
		add(processOf(e, ev.FileName, ev.ProcessID, ev.ProcessCreationTime, ev.ProcessCommandLine))
	case ev.Network, ev.DNS:
		text("url", ev.RemoteURL, 0)
		if ip := e.Text(ev.RemoteIP); ip != "" {
			add(Entity{Kind: "ip", Name: ip, Detail: endpoint(e, ev.RemoteIP, ev.RemotePort)}, true)
		}
	case ev.Logon, ev.Account:
		text("ip", ev.RemoteIP, 0)
		add(Entity{Kind: "user", Name: eventUser(e)}, true)
	case ev.Schedule:
		text("task", ev.TaskName, 0)
	case ev.Service:
		text("service", ev.ServiceName, 0)
	case ev.Package:
		text("package", ev.PackageName, ev.PackageVersion)
	default:
		text("file", ev.FileName, ev.FolderPath)
	}
	return out
}
