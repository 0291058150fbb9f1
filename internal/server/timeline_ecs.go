package server

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

// ECSEvent is an event of a timeline in fields of the Elastic Common Schema, as objects in each other.
type ECSEvent map[string]any

// ecsKind is what the schema says of an action.
type ecsKind struct {
	category, typ []string
	outcome       string // "": none
}

func ecsOf(category string, types ...string) ecsKind {
	return ecsKind{category: strings.Fields(category), typ: types}
}

func (k ecsKind) ended(outcome string) ecsKind {
	k.outcome = outcome
	return k
}

// ecsKinds are the category and the types of each action; its name is event.action.
var ecsKinds = map[ev.Action]ecsKind{
	ev.ProcessCreated:             ecsOf("process", "start"),
	ev.ProcessTerminated:          ecsOf("process", "end"),
	ev.ScriptLoaded:               ecsOf("process", "info"),
	ev.ConnectionSuccess:          ecsOf("network", "connection", "start").ended("success"),
	ev.ConnectionFailed:           ecsOf("network", "connection").ended("failure"),
	ev.ConnectionFound:            ecsOf("network", "connection", "info"),
	ev.InboundConnectionAccepted:  ecsOf("network", "connection", "start").ended("success"),
	ev.ListeningConnectionCreated: ecsOf("network", "info"),
	ev.DNSQueryResponse:           ecsOf("network", "protocol"),
	ev.FileCreated:                ecsOf("file", "creation"),
	ev.FileModified:               ecsOf("file", "change"),
	ev.FileDeleted:                ecsOf("file", "deletion"),
	ev.FileRenamed:                ecsOf("file", "change"),
	ev.ImageLoaded:                ecsOf("library", "start"),
	ev.LogonSuccess:               ecsOf("authentication session", "start").ended("success"),
	ev.LogonFailed:                ecsOf("authentication", "start").ended("failure"),
	ev.LogonAttempted:             ecsOf("authentication", "start").ended("unknown"),
	ev.LogoffSuccess:              ecsOf("session", "end").ended("success"),
	ev.UserAccountCreated:         ecsOf("iam", "user", "creation"),
	ev.UserAccountDeleted:         ecsOf("iam", "user", "deletion"),
	ev.UserAccountModified:        ecsOf("iam", "user", "change"),
	ev.GroupCreated:               ecsOf("iam", "group", "creation"),
	ev.GroupDeleted:               ecsOf("iam", "group", "deletion"),
	ev.GroupMemberAdded:           ecsOf("iam", "group", "change"),
	ev.GroupMemberRemoved:         ecsOf("iam", "group", "change"),
	ev.ScheduledTaskCreated:       ecsOf("configuration", "creation"),
	ev.ScheduledTaskUpdated:       ecsOf("configuration", "change"),
	ev.ScheduledTaskDeleted:       ecsOf("configuration", "deletion"),
	ev.ServiceInstalled:           ecsOf("configuration", "creation"),
	ev.ServiceChanged:             ecsOf("configuration", "change"),
	ev.ServiceRemoved:             ecsOf("configuration", "deletion"),
	ev.ServiceStarted:             ecsOf("process", "start"),
	ev.ServiceStopped:             ecsOf("process", "end"),
	ev.KernelModuleLoaded:         ecsOf("driver", "start"),
	ev.KernelModuleUnloaded:       ecsOf("driver", "end"),
	ev.PackageInstalled:           ecsOf("package", "installation"),
	ev.PackageUpgraded:            ecsOf("package", "change"),
	ev.PackageRemoved:             ecsOf("package", "deletion"),
	ev.AntivirusDetection:         ecsOf("malware", "info"),
	ev.AntivirusReport:            ecsOf("host", "info"),
	ev.AntivirusScanCompleted:     ecsOf("host", "info"),
	ev.AntivirusScanCancelled:     ecsOf("host", "info"),
	ev.ResponseAction:             ecsOf("host", "change"),
	ev.SensorStarted:              ecsOf("host", "start"),
	ev.SensorChanged:              ecsOf("host", "change"),
	ev.SensorEventsLost:           ecsOf("host", "info"),
	ev.ClockChanged:               ecsOf("host", "change"),
}

// ecsFields are where columns go. What is in none of the maps of an event is in picket.fields.
type ecsFields map[ev.Column]string

// Columns of all events, and of the process that acted.
var (
	ecsAny = ecsFields{
		ev.ContainerID: "container.id", ev.ServiceName: "service.name", ev.PackageName: "package.name", ev.PackageVersion: "package.version", ev.GroupName: "group.name",
		ev.FailureReason: "event.reason", ev.Reason: "event.reason", ev.Source: "event.provider",
	}
	ecsActor = ecsFields{
		ev.InitiatingProcessFileName: "process.name", ev.InitiatingProcessFolderPath: "process.executable", ev.InitiatingProcessID: "process.pid",
		ev.InitiatingProcessCommandLine: "process.command_line", ev.InitiatingProcessCreationTime: "process.start",
		ev.InitiatingProcessSHA256: "process.hash.sha256", ev.InitiatingProcessSHA1: "process.hash.sha1", ev.InitiatingProcessMD5: "process.hash.md5",
		ev.InitiatingProcessAccountName: "process.user.name", ev.InitiatingProcessAccountSID: "process.user.id",
		ev.InitiatingProcessParentID: "process.parent.pid", ev.InitiatingProcessParentFileName: "process.parent.name", ev.InitiatingProcessParentCreationTime: "process.parent.start",
	}
	ecsAccount = ecsFields{ev.AccountName: "user.name", ev.AccountDomain: "user.domain", ev.AccountSID: "user.id"}
	ecsFile    = ecsFields{ev.FileName: "file.name", ev.FolderPath: "file.path", ev.FileSize: "file.size", ev.SHA256: "file.hash.sha256", ev.SHA1: "file.hash.sha1", ev.MD5: "file.hash.md5"}
	ecsLibrary = ecsFields{ev.FileName: "dll.name", ev.FolderPath: "dll.path", ev.SHA256: "dll.hash.sha256", ev.SHA1: "dll.hash.sha1", ev.MD5: "dll.hash.md5"}
	// ecsProcess is of events about a process: it is the process, and what acted is its parent.
	ecsProcess = ecsFields{
		ev.FileName: "process.name", ev.FolderPath: "process.executable", ev.ProcessID: "process.pid", ev.ProcessCommandLine: "process.command_line", ev.ProcessCreationTime: "process.start",
		ev.ProcessExitCode: "process.exit_code", ev.SHA256: "process.hash.sha256", ev.SHA1: "process.hash.sha1", ev.MD5: "process.hash.md5",
		ev.InitiatingProcessFileName: "process.parent.name", ev.InitiatingProcessFolderPath: "process.parent.executable", ev.InitiatingProcessID: "process.parent.pid",
		ev.InitiatingProcessCommandLine: "process.parent.command_line", ev.InitiatingProcessCreationTime: "process.parent.start",
		ev.InitiatingProcessSHA256: "process.parent.hash.sha256", ev.InitiatingProcessSHA1: "process.parent.hash.sha1", ev.InitiatingProcessMD5: "process.parent.hash.md5",
		ev.InitiatingProcessAccountName: "process.parent.user.name", ev.InitiatingProcessAccountSID: "process.parent.user.id",
	}
	// ecsOut is of connections that the device made, ecsIn of those that came to it.
	ecsOut   = ecsFields{ev.LocalIP: "source.ip", ev.LocalPort: "source.port", ev.RemoteIP: "destination.ip", ev.RemotePort: "destination.port", ev.RemoteURL: "destination.domain", ev.Protocol: "network.transport"}
	ecsIn    = ecsFields{ev.LocalIP: "destination.ip", ev.LocalPort: "destination.port", ev.RemoteIP: "source.ip", ev.RemotePort: "source.port", ev.RemoteURL: "source.domain", ev.Protocol: "network.transport"}
	ecsDNS   = ecsFields{ev.RemoteURL: "dns.question.name", ev.RemoteIP: "destination.ip", ev.RemotePort: "destination.port", ev.LocalPort: "source.port", ev.Protocol: "network.transport"}
	ecsLogon = ecsFields{ev.RemoteIP: "source.ip", ev.RemotePort: "source.port", ev.RemoteDeviceName: "source.domain", ev.Protocol: "network.protocol"}
	// ecsTarget is of changes of accounts, which somebody else makes.
	ecsTarget = ecsFields{ev.AccountName: "user.target.name", ev.AccountDomain: "user.target.domain", ev.AccountSID: "user.target.id"}
)

// ecsMaps are the maps of an action; the first that has a column decides.
func ecsMaps(a ev.Action) []ecsFields {
	switch a.Kind() {
	case ev.Process, ev.ProcessEnd:
		return []ecsFields{ecsProcess, ecsAccount, ecsAny}
	case ev.Network:
		if a == ev.InboundConnectionAccepted || a == ev.ListeningConnectionCreated {
			return []ecsFields{ecsIn, ecsActor, ecsAny}
		}
		return []ecsFields{ecsOut, ecsActor, ecsAny}
	case ev.DNS:
		return []ecsFields{ecsDNS, ecsActor, ecsAny}
	case ev.Logon:
		return []ecsFields{ecsLogon, ecsAccount, ecsActor, ecsAny}
	case ev.Account:
		return []ecsFields{ecsTarget, ecsActor, ecsAny}
	case ev.Image:
		if a == ev.ImageLoaded {
			return []ecsFields{ecsLibrary, ecsActor, ecsAny}
		}
	}
	return []ecsFields{ecsFile, ecsActor, ecsAccount, ecsAny}
}

// set puts a value at a path of names with dots; what is there stays, and that it was is told.
func (e ECSEvent) set(path string, v any) bool {
	at := map[string]any(e)
	for {
		name, rest, more := strings.Cut(path, ".")
		if !more {
			if _, there := at[name]; there {
				return false
			}
			at[name] = v
			return true
		}
		next, ok := at[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
		}
		at, path = next, rest
	}
}

// ECS is the event in fields of the Elastic Common Schema, of a device.
func (r *TimelineRow) ECS(d *Device) ECSEvent {
	e := ECSEvent{"@timestamp": r.Time.UTC().Format(time.RFC3339Nano), "message": r.Title}
	a, _ := ev.ActionOf(r.Action)
	kind := ecsKinds[a]
	for path, v := range map[string]any{
		"ecs.version": ecsVersion, "observer.vendor": "Picket", "observer.product": "Picket", "event.kind": "event", "event.module": "picket", "event.dataset": "picket." + r.Kind,
		"event.id": string(d.ID) + ":" + r.ID, "event.action": r.Action, "event.category": kind.category, "event.type": kind.typ, "event.sequence": r.Seq,
		"event.created": r.HostTime.UTC().Format(time.RFC3339Nano), "event.ingested": r.Received.UTC().Format(time.RFC3339Nano),
		"host.id": string(d.ID), "host.name": orElse(d.FQDN, d.Name), "host.hostname": d.Name,
	} {
		e.set(path, v)
	}
	for path, text := range map[string]string{
		"event.outcome": kind.outcome, "host.architecture": d.Arch, "host.os.full": d.OSName, "host.os.platform": d.OSPlatform, "host.os.version": d.OSVersion,
	} {
		if text != "" {
			e.set(path, text)
		}
	}
	rest := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		c, ok := ev.ColumnOf(name)
		if path := pathOf(a, c); !ok || path == "" || !e.column(path, r.Fields[name]) {
			rest[name] = r.Fields[name]
		}
	}
	e.more(a, r)
	if len(rest) > 0 {
		e.set("picket.fields", rest)
	}
	if r.Flagged {
		e.set("picket.flagged", true)
	}
	return e
}

// pathOf is the field of a column; "": none.
func pathOf(a ev.Action, c ev.Column) string {
	for _, m := range ecsMaps(a) {
		if path, ok := m[c]; ok {
			return path
		}
	}
	return ""
}

// column puts the value of a column at its field, in the form that the field has; false: it
// cannot be there.
func (e ECSEvent) column(path string, v any) bool {
	switch x := v.(type) {
	case time.Time:
		v = x.UTC().Format(time.RFC3339Nano)
	case string:
		if strings.HasPrefix(path, "network.") {
			v = strings.ToLower(x)
		}
		if strings.HasSuffix(path, ".ip") {
			ip, err := netip.ParseAddr(x)
			if err != nil {
				return false // the field takes addresses alone
			}
			e.set("network.type", map[bool]string{true: "ipv4", false: "ipv6"}[ip.Unmap().Is4()])
		}
	}
	return e.set(path, v)
}

// more adds what follows from several columns.
func (e ECSEvent) more(a ev.Action, r *TimelineRow) {
	switch a {
	case ev.ConnectionSuccess, ev.ConnectionFailed:
		e.set("network.direction", "egress")
	case ev.InboundConnectionAccepted:
		e.set("network.direction", "ingress")
	case ev.DNSQueryResponse:
		e.answers(r)
	}
	if u, _ := e["user"].(map[string]any); u["name"] == nil { // who the acting process runs as
		for column, path := range map[ev.Column]string{ev.InitiatingProcessAccountName: "user.name", ev.InitiatingProcessAccountDomain: "user.domain", ev.InitiatingProcessAccountSID: "user.id"} {
			if v, ok := r.Fields[column.String()]; ok {
				e.set(path, v)
			}
		}
	}
	if len(r.Techniques) > 0 {
		var ids, names []string
		for _, t := range r.Techniques {
			ids, names = append(ids, t.ID), append(names, t.Name)
		}
		e.set("threat.framework", "MITRE ATT&CK")
		e.set("threat.technique.id", ids)
		e.set("threat.technique.name", names)
	}
}

// answers adds what a name server answered.
func (e ECSEvent) answers(r *TimelineRow) {
	text, _ := r.Fields[ev.AdditionalFields.String()].(string)
	var said struct {
		DnsQueryType   string
		DnsQueryResult []string
	}
	e.set("dns.type", "answer")
	e.set("network.protocol", "dns")
	if json.Unmarshal([]byte(text), &said) != nil {
		return // an endpoint may say anything
	}
	if said.DnsQueryType != "" {
		e.set("dns.question.type", said.DnsQueryType)
	}
	var ips []string
	for _, a := range said.DnsQueryResult {
		if ip, err := netip.ParseAddr(a); err == nil {
			ips = append(ips, ip.String())
		}
	}
	if ips != nil {
		e.set("dns.resolved_ip", ips)
	}
}
