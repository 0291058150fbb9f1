package conf

import "strings"

// RsyslogFile is what an rsyslog configuration file says of files and peers.
type RsyslogFile struct {
	FileCreateMode Entry
	Remote         []Entry // "@host", "@@host:port" or an omfwd target
	Listens        []Entry // input modules that take logs from the network
}

// Rsyslog reads a file of either of rsyslog's two notations, by its statements.
func Rsyslog(b []byte) RsyslogFile {
	var r RsyslogFile
	for n, s := range lines(b, "#", true) {
		low := strings.ToLower(s)
		f := strings.Fields(s)
		switch {
		case strings.HasPrefix(low, "$filecreatemode") && len(f) > 1:
			r.FileCreateMode = Entry{Value: f[1], Line: n}
		case strings.Contains(low, "omfwd"):
			r.Remote = append(r.Remote, Entry{Value: parameter(s, "target"), Line: n})
		case strings.HasPrefix(low, "$inputtcpserverrun") || strings.HasPrefix(low, "$udpserverrun"):
			r.Listens = append(r.Listens, Entry{Value: f[0], Line: n})
		case strings.HasPrefix(low, "input(") && (strings.Contains(low, "imtcp") || strings.Contains(low, "imudp") || strings.Contains(low, "imrelp") || strings.Contains(low, "imptcp")):
			r.Listens = append(r.Listens, Entry{Value: parameter(s, "type"), Line: n})
		case len(f) > 1 && strings.HasPrefix(f[len(f)-1], "@") && strings.Contains(f[0], "."):
			r.Remote = append(r.Remote, Entry{Value: f[len(f)-1], Line: n})
		}
		if v := parameter(s, "fileCreateMode"); v != "" && strings.Contains(low, "builtin:omfile") {
			r.FileCreateMode = Entry{Value: v, Line: n}
		}
	}
	return r
}

// parameter returns the quoted value of name="value", whatever the case of name.
func parameter(s, name string) string {
	i := strings.Index(asciiLower(s), asciiLower(name)+"=\"")
	if i < 0 {
		return ""
	}
	v, _, ok := strings.Cut(s[i+len(name)+2:], `"`)
	if !ok {
		return ""
	}
	return v
}

// asciiLower is lower case of the same length in bytes.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
