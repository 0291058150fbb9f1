package sense

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// journal tells of logons and of services that start and stop, as the system's
// journal has them: one file for the system and one for each person.
type journal struct {
	h     *host
	dir   string
	files map[string]*tailed
	marks map[string]journalMark // by name of file
	told  bool                   // something since the marks were kept
	clam  clamLog
	doors *doors
}

// tailed is a file of the journal that is being read.
type tailed struct {
	name string
	file *os.File
	info os.FileInfo
	j    *journalFile
}

// journalMark is how far a file was read.
type journalMark struct {
	File   string `json:"file"`
	Origin string `json:"origin"`
	At     uint64 `json:"at"`
	Seq    uint64 `json:"seq"`
}

const (
	journalEvery = time.Second // the least time between two readings
	// journalAnyway is how often it is read although nothing was said to have
	// come: a journal in another place is looked for as well.
	journalAnyway = 10 * time.Second
	journalName   = "journal"
	// catchUp is how old an entry may be that is told of after the agent was away.
	catchUp         = 24 * time.Hour
	maxJournalFiles = 64
)

// journalDirs are where the journal lies; the first that has one counts.
var journalDirs = []string{"/var/log/journal", "/run/log/journal"}

// journalDir finds the journal of this host.
func journalDir() (string, error) {
	raw, err := readCapped("/etc/machine-id", 64)
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(raw))
	if _, err := hex.DecodeString(id); err != nil || len(id) != 32 {
		return "", errors.New("this host has no machine id")
	}
	for _, dir := range journalDirs {
		if _, err := os.Stat(dir + "/" + id + "/system.journal"); err == nil {
			return dir + "/" + id, nil
		}
	}
	return "", errors.New("this host has no journal")
}

func openJournal(_ context.Context, h *host) (running, error) {
	if _, err := os.Stat("/run/systemd/journal/socket"); err != nil {
		return nil, fmt.Errorf("nobody keeps a journal: %w", err)
	}
	s := &journal{h: h, files: map[string]*tailed{}, marks: map[string]journalMark{}, doors: newDoors()}
	first := true
	if raw := h.cfg.Memory.Get(journalName); raw != nil {
		first = json.Unmarshal(raw, &s.marks) != nil
	}
	if err := s.open(first); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open opens the files that there are now; those that are open stay. skip
// leaves out what they hold.
func (s *journal) open(skip bool) error {
	dir, err := journalDir()
	if err != nil {
		return err
	}
	if dir != s.dir {
		s.close()
		s.dir = dir
	}
	names, err := filepath.Glob(dir + "/user-*.journal")
	if err != nil {
		return err
	}
	for _, name := range append([]string{dir + "/system.journal"}, names...) {
		if strings.Contains(filepath.Base(name), "@") || s.files[name] != nil || len(s.files) >= maxJournalFiles {
			continue // of old, or known
		}
		if err := s.add(name, skip); err != nil {
			return err
		}
	}
	return nil
}

func (s *journal) add(name string, skip bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	t := &tailed{name: name, file: f}
	if t.j, err = newJournalFile(f); err == nil {
		t.info, err = f.Stat()
	}
	if err == nil && skip {
		err = t.j.skip()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if mark := s.marks[filepath.Base(name)]; mark.File == hex.EncodeToString(t.j.id[:]) {
		t.j.at = max(t.j.at, mark.At)
	}
	s.files[name] = t
	return nil
}

func (s *journal) close() {
	for name, t := range s.files {
		t.j.close()
		_ = t.file.Close() // it was only read
		delete(s.files, name)
	}
}

// Run implements running.
func (s *journal) Run(ctx context.Context) error {
	defer s.close()
	n, err := newNotices(growsMask) // journald cuts its files to their own length to be noticed
	if err != nil {
		return err
	}
	defer n.close()
	defer interruptible(ctx, n.file)()
	kept, changed := time.Now(), false
	defer func() { s.keep() }()
	for {
		if err := n.set([]string{s.dir}); err != nil {
			return err
		}
		for name, t := range s.files {
			moved := false
			if now, err := os.Stat(name); err == nil {
				moved = !os.SameFile(now, t.info)
			}
			c, err := s.read(t) // what is in the file of old is read before it is left
			if err != nil {
				return err
			}
			changed = changed || c
			if moved {
				t.j.close()
				_ = t.file.Close() // it was only read
				delete(s.files, name)
			}
		}
		if err := s.open(false); err != nil {
			return err
		}
		// Nothing is told twice after a crash; how far the rest was read may be old.
		if s.told || changed && time.Since(kept) > time.Minute {
			s.keep()
			kept, changed, s.told = time.Now(), false, false
		}
		pause(ctx, journalEvery-settleFor)
		if err := n.wait(ctx, time.Now().Add(journalAnyway)); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// keep remembers how far the journal was read.
func (s *journal) keep() {
	if raw, err := json.Marshal(s.marks); err == nil {
		s.h.cfg.Memory.Set(journalName, raw)
	}
}

// read tells what a file has more than before, and whether there was any.
func (s *journal) read(t *tailed) (bool, error) {
	if err := t.j.refresh(); err != nil {
		return false, err
	}
	base, origin := filepath.Base(t.name), hex.EncodeToString(t.j.origin[:])
	mark := s.marks[base]
	for {
		e, ok, err := t.j.next(wanted)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		if mark.Origin == origin && e.seq <= mark.Seq {
			continue
		}
		mark.Origin, mark.Seq = origin, e.seq
		s.tell(&e)
	}
	mark.File, mark.At = hex.EncodeToString(t.j.id[:]), t.j.at
	changed := s.marks[base] != mark
	s.marks[base] = mark
	return changed, nil
}

// The ids of systemd's messages.
const (
	unitStarted = "39f53479d3a045ac8e11786248231fbf"
	unitStopped = "9d1aaa27d60140bd96365438aad20286"
	unitFailed  = "be02cf6855d2428ba40df7e9d022f03d"
)

// tell makes an event of an entry. Anybody may write to the journal under any
// name: what counts is root's word, and under the names of su and sudo that of a
// program that runs as root for somebody else.
func (s *journal) tell(j *journalEntry) {
	age := time.Since(time.UnixMicro(int64(j.realtime)))
	if age > catchUp {
		return
	}
	at := Now() - age
	number, _ := strconv.ParseUint(j.fields["_PID"], 10, 32) // 0: not told
	pid, root := uint32(number), j.fields["_UID"] == "0"
	if unit := j.fields["UNIT"]; root && pid == 1 && strings.HasSuffix(unit, ".service") {
		s.service(strings.TrimSuffix(unit, ".service"), j.fields["MESSAGE_ID"], at)
		return
	}
	if slices.Contains(clamPrograms, j.fields["SYSLOG_IDENTIFIER"]) {
		s.clamSays(j, age)
		return
	}
	identifier := j.fields["SYSLOG_IDENTIFIER"]
	if !root {
		if p := s.h.who(pid); identifier != "su" && identifier != "sudo" || p == nil || p.euid != 0 || p.container != "" {
			return
		}
	}
	l, ok := s.doors.read(identifier, j.fields["MESSAGE"], pid)
	if !ok {
		return
	}
	if l.stage == stageSession {
		l.more = terminalOf(pid)
	}
	s.told = true
	s.h.put(s.h.logonEvent(&l, pid, SourceJournal), at)
}

// terminalOf is the terminal at which a process sits, if it is still there.
func terminalOf(pid uint32) map[string]any {
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", pid))
	name, ok := strings.CutPrefix(name, "/dev/")
	if err != nil || !ok || name == "null" {
		return nil
	}
	return map[string]any{"terminal": valid(name)}
}

func (s *journal) service(name, message string, at time.Duration) {
	e := &event.Event{Action: event.ServiceStarted}
	switch message {
	case unitStarted:
	case unitStopped:
		e.Action = event.ServiceStopped
	case unitFailed:
		e.Action = event.ServiceStopped
		e.Set(event.Reason, "it could not be started")
	default:
		return
	}
	s.told = true
	e.Set(event.ServiceName, name)
	e.Set(event.Source, SourceJournal)
	s.h.put(e, at)
}
