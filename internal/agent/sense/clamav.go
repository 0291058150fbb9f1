package sense

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// clamWord is what a line of a log of ClamAV says: clamd, clamonacc and
// freshclam write them alike, and clamscan does without the time.
type clamWord struct {
	action event.Action
	at     time.Time // zero: the line does not say
	path   string    // of the file that was found bad
	threat string
	md5    string
	size   int64 // -1: not told
	text   string
	// Of a summary, and of signatures that were loaded.
	scanned, infected, signatures int64
}

// clamTime is how lines begin, in the host's time.
const clamTime = "Mon Jan _2 15:04:05 2006"

// clamLog reads lines of one log; a summary takes several.
type clamLog struct {
	summary bool
	scanned int64
}

// line reads a line, and says whether it is one to be told of.
func (l *clamLog) line(text string) (clamWord, bool) {
	w := clamWord{size: -1}
	if head, rest, ok := strings.Cut(text, " -> "); ok {
		if at, err := time.ParseInLocation(clamTime, head, time.Local); err == nil {
			w.at, text = at, rest
		}
	}
	text = strings.TrimSpace(text)
	switch {
	case strings.HasSuffix(text, " FOUND"):
		return w, w.found(strings.TrimSuffix(text, " FOUND"))
	case strings.Contains(text, "SCAN SUMMARY"):
		l.summary, l.scanned = true, 0
	case l.summary:
		return w, l.sum(&w, text)
	case strings.HasPrefix(text, "Database correctly reloaded ("), strings.HasPrefix(text, "Database updated ("):
		_, rest, _ := strings.Cut(text, "(")
		digits, _, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(digits, 10, 64)
		w.action, w.text, w.signatures = event.AntivirusReport, text, n
		return w, err == nil
	case strings.HasPrefix(text, "Loaded ") && strings.HasSuffix(text, " signatures."):
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(text, "Loaded "), " signatures."), 10, 64)
		w.action, w.text, w.signatures = event.AntivirusReport, text, n
		return w, err == nil
	}
	return w, false
}

// found reads "path: threat" or "path: threat(md5:size)". Both path and threat
// may hold anything; a threat holds no blank.
func (w *clamWord) found(text string) bool {
	i := strings.LastIndex(text, ": ")
	if i <= 0 {
		return false
	}
	w.path, w.threat = strings.TrimPrefix(text[:i], "ScanOnAccess: "), text[i+2:]
	if name, more, ok := strings.Cut(w.threat, "("); ok {
		md5, size, _ := strings.Cut(strings.TrimSuffix(more, ")"), ":")
		n, err := strconv.ParseInt(size, 10, 64)
		if len(md5) == 32 && err == nil {
			w.threat, w.md5, w.size = name, md5, n
		}
	}
	w.action = event.AntivirusDetection
	return w.threat != "" && !strings.Contains(w.threat, " ")
}

// sum reads a line of a summary.
func (l *clamLog) sum(w *clamWord, text string) bool {
	key, value, _ := strings.Cut(text, ": ")
	n, err := strconv.ParseInt(value, 10, 64)
	switch key {
	case "Scanned files":
		l.scanned = n
	case "Infected files":
		l.summary = false
		w.action, w.scanned, w.infected = event.AntivirusScanCompleted, l.scanned, n
		return err == nil
	}
	return false
}

// protected is the event of what ClamAV says.
func (h *host) protected(w *clamWord, s *sums, source string) *event.Event {
	e := &event.Event{Action: w.action, Fields: make([]event.Field, 0, 8)}
	more := map[string]any{"ReportSource": "ClamAV"}
	switch w.action {
	case event.AntivirusDetection:
		setPath(e, w.path)
		switch {
		case s != nil:
			h.setSums(e, s)
		case w.size >= 0:
			e.Set(event.MD5, w.md5)
			e.SetInt(event.FileSize, w.size)
		}
		more["ThreatName"] = valid(w.threat)
	case event.AntivirusScanCompleted:
		more["ScannedFiles"], more["InfectedFiles"] = w.scanned, w.infected
	default:
		e.Set(event.Reason, valid(w.text))
		more["Signatures"] = w.signatures
	}
	e.Set(event.AdditionalFields, object(more))
	e.Set(event.Source, source)
	return e
}

// clamUsers are the accounts that ClamAV runs as on distributions.
var clamUsers = []string{"root", "clamav", "clamscan", "clamupdate"}

// clamPrograms are those whose words in the journal count.
var clamPrograms = []string{"clamd", "clamonacc", "freshclam"}

// once lets the same word through only once in a while: it may come by a log
// and by the journal. Safe for concurrent use.
type once struct {
	mu sync.Mutex // guards the fields below
	windows[string]
	known map[string]bool
}

const onceWindow = 10 * time.Second

func newOnce() *once {
	return &once{windows: windows[string]{length: onceWindow}, known: map[string]bool{}}
}

func (o *once) first(w *clamWord, now time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k := range o.ended(now, false) {
		delete(o.known, k)
	}
	k := strconv.Itoa(int(w.action)) + " " + w.path + " " + w.threat + " " + w.text
	if o.known[k] || len(o.known) >= maxGroups {
		return !o.known[k]
	}
	o.known[k] = true
	o.begin(k, now)
	return true
}

// clamFiles finds the logs that a configuration of ClamAV names.
func clamFiles(config string) []string {
	var out []string
	for line := range strings.Lines(config) {
		f := strings.Fields(line)
		if len(f) == 2 && (f[0] == "LogFile" || f[0] == "UpdateLogFile") && strings.HasPrefix(f[1], "/") && len(out) < 8 {
			out = append(out, f[1])
		}
	}
	return out
}
