package sense

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// clam reads the logs of ClamAV as they grow, where there are any. How far they
// were read outlives the agent.
type clam struct {
	h     *host
	etc   []string // patterns of configurations
	logs  []string // patterns of logs
	files map[string]*clamTail
	marks map[string]clamMark
}

// clamMark is how far a log was read.
type clamMark struct {
	Inode uint64 `json:"inode"`
	At    int64  `json:"at"`
}

// clamTail is a log that is read.
type clamTail struct {
	clamMark
	lines clamLog
	rest  []byte // of a line that is not whole yet
}

const (
	clamName    = "clamav"
	maxClamLogs = 16
	maxClamLine = 8 << 10
	clamAtOnce  = 1 << 20 // bytes of a log at a time
)

func openClam(_ context.Context, h *host) (running, error) {
	return newClam(h, []string{"/etc/clamav/*.conf", "/etc/clamd.d/*.conf", "/etc/clamd.conf", "/etc/freshclam.conf"}, []string{"/var/log/clamav/*.log", "/var/log/clamd*", "/var/log/freshclam.log"}), nil
}

func newClam(h *host, etc, logs []string) *clam {
	return &clam{h: h, etc: etc, logs: logs, files: map[string]*clamTail{}, marks: map[string]clamMark{}}
}

// find lists the logs that there are now.
func (c *clam) find() []string {
	out := expand(c.logs)
	for _, name := range expand(c.etc) {
		if raw, ok := content(name); ok {
			out = append(out, clamFiles(string(raw))...)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxClamLogs)]
}

// Run implements running.
func (c *clam) Run(ctx context.Context) error {
	n, err := newNotices(growsMask)
	if err != nil {
		return err
	}
	defer n.close()
	defer interruptible(ctx, n.file)()
	raw := c.h.cfg.Memory.Get(clamName)
	first := raw == nil || json.Unmarshal(raw, &c.marks) != nil
	why := "found when the agent was there again"
	for {
		list := c.find()
		dirs := make([]string, 0, len(list)+len(c.logs)+len(c.etc))
		for _, f := range slices.Concat(list, c.logs, c.etc) {
			if dir := filepath.Dir(f); dir != "/var/log" && dir != "/etc" { // others write there all the time
				dirs = append(dirs, dir)
			}
		}
		_ = n.set(append(dirs, list...)) // what cannot be watched is looked at anyway
		changed, more := false, false
		for _, name := range list {
			grown, left := c.read(name, first, why)
			changed, more = changed || grown, more || left
		}
		first, why = false, ""
		if changed || raw == nil {
			if raw, err = json.Marshal(c.marks); err == nil {
				c.h.cfg.Memory.Set(clamName, raw)
			}
		}
		if !more {
			if err := n.wait(ctx, time.Now().Add(lookAnyway)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// read tells what a log has more than before, at most so much at a time. skip
// leaves out what it holds.
func (c *clam) read(name string, skip bool, why string) (changed, more bool) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false, false
	}
	defer f.Close()
	id, ok := identify(f)
	if !ok {
		return false, false
	}
	t := c.files[name]
	if t == nil {
		t = &clamTail{clamMark: c.marks[name]}
		c.files[name] = t
	}
	if skip {
		t.clamMark = clamMark{id.ino, id.size}
	}
	if t.Inode != id.ino || id.size < t.At { // a new file
		*t = clamTail{clamMark: clamMark{Inode: id.ino}}
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, t.At, min(id.size-t.At, clamAtOnce)))
	if err != nil {
		return false, false
	}
	t.At += int64(len(raw))
	raw = append(t.rest, raw...)
	for {
		line, after, whole := bytes.Cut(raw, []byte("\n"))
		if !whole {
			break
		}
		raw = after
		if len(line) <= maxClamLine {
			if w, ok := t.lines.line(string(line)); ok {
				c.tell(&w, why)
			}
		}
	}
	t.rest = nil
	if len(raw) <= maxClamLine {
		t.rest = bytes.Clone(raw)
	}
	mark := t.clamMark
	mark.At -= int64(len(t.rest)) // begun again after a restart
	changed = c.marks[name] != mark
	c.marks[name] = mark
	return changed, t.At < id.size
}

// ownScan is how long after a scan of the agent's own its words may still come.
const ownScan = 2 * time.Minute

// tell makes an event of a word.
func (c *clam) tell(w *clamWord, why string) {
	age := time.Duration(0)
	if !w.at.IsZero() {
		age = max(time.Since(w.at), 0)
	}
	c.h.antivirus(w, age, SourceFiles, why)
}

// antivirus tells what ClamAV said a while ago, unless it is old or was told.
func (h *host) antivirus(w *clamWord, age time.Duration, source, why string) {
	if w.action == event.AntivirusDetection && !filepath.IsAbs(w.path) && h.cfg.ScannedLately != nil && h.cfg.ScannedLately(age+ownScan) {
		return
	}
	if age > catchUp || !h.clam.first(w, Now()) {
		return
	}
	e := h.protected(w, h.sumsAt(w), source)
	if e.Text(event.Reason) == "" {
		e.Set(event.Reason, why)
	}
	h.put(e, Now()-age)
}

// clamSays reads a word of ClamAV in the journal.
func (s *journal) clamSays(j *journalEntry, age time.Duration) {
	uid, err := strconv.ParseUint(j.fields["_UID"], 10, 32)
	if err != nil || !slices.Contains(clamUsers, s.h.users.name(uint32(uid))) {
		return
	}
	if w, ok := s.clam.line(j.fields["MESSAGE"]); ok {
		s.told = true
		s.h.antivirus(&w, age, SourceJournal, "")
	}
}

// sumsAt takes the digests of a file that was found bad, while it is there.
func (h *host) sumsAt(w *clamWord) *sums {
	if w.action != event.AntivirusDetection || !filepath.IsAbs(w.path) {
		return nil
	}
	f, err := os.OpenFile(w.path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	s := h.files.file(f)
	if s != nil && w.md5 != "" && s.md5 != w.md5 { // another file by now
		return nil
	}
	return s
}
