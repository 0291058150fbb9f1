package server

import (
	"testing"

	ev "github.com/picketsec/picket/internal/event"
)

// Events of datagrams, libraries and antivirus programs are told in words.
func TestTimelineWords(t *testing.T) {
	for _, c := range []struct {
		action ev.Action
		fields map[ev.Column]string
		want   string
	}{
		{ev.ConnectionSuccess, map[ev.Column]string{ev.Protocol: "Udp", ev.RemoteIP: "192.0.2.7", ev.InitiatingProcessFileName: "ntpd"}, "ntpd sent datagrams to 192.0.2.7"},
		{ev.InboundConnectionAccepted, map[ev.Column]string{ev.Protocol: "Udp", ev.RemoteIP: "192.0.2.7"}, "Received datagrams from 192.0.2.7"},
		{ev.ConnectionSuccess, map[ev.Column]string{ev.Protocol: "Tcp", ev.RemoteIP: "192.0.2.7", ev.InitiatingProcessFileName: "curl"}, "curl connected to 192.0.2.7"},
		{ev.DNSQueryResponse, map[ev.Column]string{ev.RemoteURL: "a.test", ev.Protocol: "Udp", ev.InitiatingProcessFileName: "curl"}, "curl resolved a.test"},
		{ev.ImageLoaded, map[ev.Column]string{ev.FileName: "libm.so.6", ev.InitiatingProcessFileName: "awk"}, "awk loaded libm.so.6"},
		{ev.AntivirusDetection, map[ev.Column]string{ev.FileName: "bad", ev.AdditionalFields: `{"ReportSource":"ClamAV","ThreatName":"Eicar"}`}, "ClamAV found Eicar in bad"},
		{ev.AntivirusDetection, map[ev.Column]string{ev.AdditionalFields: `[`}, "Antivirus found a threat in a file"},
		{ev.AntivirusScanCompleted, map[ev.Column]string{ev.AdditionalFields: `{"ReportSource":"ClamAV","InfectedFiles":1,"ScannedFiles":20}`}, "ClamAV scanned 20 files, 1 infected"},
		{ev.AntivirusReport, map[ev.Column]string{ev.AdditionalFields: `{"ReportSource":"ClamAV","Signatures":8}`}, "ClamAV loaded 8 signatures"},
	} {
		e := &ev.Event{Action: c.action}
		for column, text := range c.fields {
			e.Set(column, text)
		}
		if got := happened(e); got != c.want {
			t.Errorf("%s: %q, want %q", c.action, got, c.want)
		}
	}
}
