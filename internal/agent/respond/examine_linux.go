package respond

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of an investigation.
const (
	examineFor     = 10 * time.Minute
	mostFiles      = 192       // that are examined, with what is found on the way
	mostHashed     = 512 << 20 // bytes of a file that is hashed
	mostHashedAll  = 4 << 30   // of all files
	mostChildren   = 32
	mostConnected  = 256
	mostStarts     = 64
	mostPlaces     = 4000 // files that may start something
	mostPlaceBytes = 256 << 10
	mostLine       = 400
	scannerWait    = time.Minute // for a scan of the host that is going on
	sameBegin      = 3 * time.Second
)

// startPlaces are where something is started from, whole trees of small files.
var startPlaces = []string{"/etc/crontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/var/spool/cron", "/var/spool/at",
	"/etc/systemd", "/run/systemd/system", "/usr/local/lib/systemd", "/etc/init.d", "/etc/rc.local", "/etc/profile", "/etc/profile.d", "/etc/bash.bashrc", "/etc/environment", "/etc/ld.so.preload",
	"/etc/xdg/autostart", "/etc/update-motd.d", "/etc/udev/rules.d", "/etc/apt/apt.conf.d", "/etc/modules-load.d"}

// startHomes are such places in home directories.
var startHomes = []string{".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".config/systemd/user", ".config/autostart"}

func (r *Responder) canInvestigate() error {
	if !r.live() {
		return unsupported("the agent inventories another root (--root): its files and processes are not those of the host that it runs on")
	}
	return nil
}

// Investigate examines files, processes and connections, and what starts them. It
// reads only, rests as long as it works, and ends after 10 minutes with what it has.
// When ctx ends, what it has comes beside the error.
func (r *Responder) Investigate(ctx context.Context, q Questions, progress func(string)) (*Findings, error) {
	if err := r.canInvestigate(); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(string) {}
	}
	run, cancel := context.WithTimeoutCause(ctx, examineFor, fmt.Errorf("it took longer than %s", examineFor))
	defer cancel()
	x := &examination{r: r, ctx: run, users: userNames(&hostRoot{}), out: &Findings{}, sums: map[unix.Stat_t]string{}, md5s: map[string]string{}}
	x.mounts, _ = readMounts() // without them no file is taken for one of a network
	progress("Looking at processes and connections.")
	x.processes(q)
	progress("Looking at files.")
	for _, name := range q.Files {
		x.file(name)
	}
	for _, p := range x.out.Processes {
		if p.Program != "" && !p.Deleted {
			x.file(p.Program)
		}
	}
	progress("Looking for what starts them.")
	x.started()
	progress("Asking the package database.")
	x.packages()
	progress("Scanning files.")
	x.scan()
	if ctx.Err() != nil {
		return x.out, context.Cause(ctx)
	}
	if run.Err() != nil {
		x.out.Ended = clip(context.Cause(run).Error(), 200)
	}
	return x.out, nil
}

// examination is an investigation under way, used by one goroutine.
type examination struct {
	r      *Responder
	ctx    context.Context
	out    *Findings
	users  map[string]string
	mounts []mount
	sums   map[unix.Stat_t]string
	md5s   map[string]string // of files, by path
	hashed int64
	pace   pace
}

// index is where a file is among what was examined, -1: it was not.
func (x *examination) index(name string) int {
	return slices.IndexFunc(x.out.Files, func(f FileFacts) bool { return f.Path == name })
}

// file examines a file, once.
func (x *examination) file(name string) {
	if x.index(name) >= 0 {
		return
	}
	if len(x.out.Files) >= mostFiles {
		x.out.More++
		return
	}
	began := time.Now()
	f := FileFacts{Path: name}
	if err := x.look(&f); err != nil {
		if f.Trouble = clip(err.Error(), 300); errors.Is(err, fs.ErrNotExist) {
			f.Gone, f.Trouble = true, ""
		}
	}
	x.out.Files = append(x.out.Files, f)
	x.pace.rest(x.ctx, time.Since(began))
}

// look fills in what is there to know of a file. It is fs.ErrNotExist when it is gone.
func (x *examination) look(f *FileFacts) error {
	if x.ctx.Err() != nil {
		return context.Cause(x.ctx)
	}
	name := filepath.Clean(f.Path)
	if !filepath.IsAbs(name) {
		return errors.New("its path is not known whole")
	}
	if m := x.mountOf(name); m != nil && (m.isForeign() || pseudo[m.kind]) {
		return fmt.Errorf("it is on a file system of the kind %s, where files are not looked at", m.kind)
	}
	target, err := filepath.EvalSymlinks(name)
	if errors.Is(err, syscall.ENOTDIR) { // a file is where a directory was
		return fs.ErrNotExist
	}
	if err != nil {
		return err
	}
	if target != name {
		if m := x.mountOf(target); m != nil && (m.isForeign() || pseudo[m.kind]) {
			return fmt.Errorf("it leads to a file system of the kind %s, where files are not looked at", m.kind)
		}
		f.Target = target
	}
	h, err := openFile(target)
	if err != nil {
		return err
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return err
	}
	f.Size, f.Mode, f.Changed = info.Size(), info.Mode().String(), info.ModTime().UTC().Truncate(time.Second)
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		uid := strconv.FormatUint(uint64(st.Uid), 10)
		if f.Owner = x.users[uid]; f.Owner == "" {
			f.Owner = uid
		}
	}
	switch {
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	case info.Size() > mostHashed || x.hashed > mostHashedAll:
		return fmt.Errorf("it is larger than is hashed (%d MB)", mostHashed>>20)
	}
	x.hashed += info.Size()
	long, short := sha256.New(), md5.New()
	if err := copyWhile(x.ctx, io.MultiWriter(long, short), io.LimitReader(h, mostHashed)); err != nil {
		return err
	}
	f.SHA256, x.md5s[f.Path] = hex.EncodeToString(long.Sum(nil)), hex.EncodeToString(short.Sum(nil))
	return nil
}

func copyWhile(ctx context.Context, w io.Writer, f io.Reader) error {
	buf := make([]byte, 128<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := f.Read(buf)
		_, _ = w.Write(buf[:n]) // hashes take all
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// mountOf is the mount that a path is on.
func (x *examination) mountOf(name string) (found *mount) {
	for i := range x.mounts {
		if m := &x.mounts[i]; inside(name, m.at) && (found == nil || len(m.at) >= len(found.at)) {
			found = m // the last one covers the others
		}
	}
	return found
}

// processes looks for processes that were asked for, their children and connections,
// and for connections to addresses.
func (x *examination) processes(q Questions) {
	p, boot := &procs{}, bootTime()
	byPID := map[int]int{}
	for _, key := range q.Processes {
		f := ProcessFacts{ProcessKey: key}
		now, ok := readProcess(int(key.PID), boot)
		if ok = ok && key.PID > 0 && now.state != "Z" && (key.Began.IsZero() || now.start.Sub(key.Began).Abs() <= sameBegin); !ok {
			f.Gone = true
		} else {
			f.Program, f.Deleted = strings.CutSuffix(now.exe, " (deleted)")
			f.Began, f.Name, f.User, f.Parent, f.Command = now.start, clip(now.name, 64), x.users[now.uid], int64(now.parent), clip(redactText(now.args), 1000)
			f.SHA256 = programSum(x.ctx, int(key.PID), x.sums)
			byPID[int(key.PID)] = len(x.out.Processes)
		}
		x.out.Processes = append(x.out.Processes, f)
	}
	if len(byPID) > 0 {
		x.note(p.each(x.ctx, func(pid int) error {
			c, ok := readProcess(pid, boot)
			i, mine := byPID[c.parent]
			if !ok || !mine {
				return nil
			}
			if f := &x.out.Processes[i]; len(f.Children) >= mostChildren {
				f.More++
			} else {
				f.Children = append(f.Children, Child{PID: int64(pid), Name: clip(c.name, 64), Program: c.exe})
			}
			return nil
		}))
	}
	wanted := map[netip.Addr]bool{}
	for _, a := range q.Addresses {
		if at, err := netip.ParseAddr(a); err == nil {
			wanted[at.Unmap().WithZone("")] = true
		}
	}
	if len(byPID) > 0 || len(wanted) > 0 {
		x.connections(p, byPID, wanted)
	}
}

func (x *examination) connections(p *procs, byPID map[int]int, wanted map[netip.Addr]bool) {
	owners, networks, err := p.owners(x.ctx)
	x.note(err)
	for _, pid := range networks {
		for _, proto := range []string{"tcp", "tcp6", "udp", "udp6"} {
			err := socketTable(x.ctx, fmt.Sprintf("/proc/%d/net/%s", pid, proto), func(s socket) error {
				c := Connection{Protocol: proto, Local: s.local.String(), Remote: s.remote.String()}
				if strings.HasPrefix(proto, "tcp") && s.state < len(tcpStates) {
					c.State = tcpStates[s.state]
				}
				if o := owners[s.inode]; o.pid != 0 {
					c.PID, c.Name = int64(o.pid), clip(o.name, 64)
				}
				if i, ok := byPID[int(c.PID)]; ok && c.PID != 0 {
					if f := &x.out.Processes[i]; len(f.Connections) >= mostChildren {
						f.More++
					} else {
						f.Connections = append(f.Connections, c)
					}
				}
				if wanted[s.remote.Addr().Unmap()] && c.State != "TIME_WAIT" && c.State != "CLOSE" {
					if len(x.out.Connections) >= mostConnected {
						x.out.More++
					} else {
						x.out.Connections = append(x.out.Connections, c)
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				x.note(err)
			}
		}
	}
}

// note keeps the first reason why something was not examined.
func (x *examination) note(err error) {
	if err != nil && x.out.Ended == "" {
		x.out.Ended = clip(err.Error(), 200)
	}
}

// started looks for lines that start a file that was examined, and examines the files
// that have them. Programs of packages start by so much that they are not looked for.
func (x *examination) started() {
	var names []string
	for _, f := range x.out.Files {
		if !f.Gone && filepath.Clean(f.Path) != "/" && !strings.HasPrefix(f.Path, "/usr/bin/") && !strings.HasPrefix(f.Path, "/bin/") && !strings.HasPrefix(f.Path, "/usr/sbin/") && !strings.HasPrefix(f.Path, "/sbin/") {
			names = append(names, f.Path)
		}
	}
	if len(names) == 0 {
		return
	}
	places := slices.Clone(x.r.starts)
	if slices.Equal(places, startPlaces) {
		for _, home := range append(homes(), "/root") {
			for _, at := range startHomes {
				places = append(places, filepath.Join(home, at))
			}
		}
	}
	left := mostPlaces
	for _, at := range places {
		_ = filepath.WalkDir(at, func(name string, e fs.DirEntry, err error) error { // what cannot be read starts nothing that could be told
			if err != nil || x.ctx.Err() != nil {
				return x.ctx.Err()
			}
			if e.IsDir() {
				if m := x.mountOf(name); m != nil && m.isForeign() {
					return filepath.SkipDir
				}
				return nil
			}
			if left--; left < 0 || !e.Type().IsRegular() {
				return nil
			}
			x.place(name, names)
			return nil
		})
	}
	if left < 0 {
		x.note(fmt.Errorf("more than %d files may start something: the others are left out", mostPlaces))
	}
}

// place looks for names in a file that may start something.
func (x *examination) place(at string, names []string) {
	raw, err := readSome(at, mostPlaceBytes)
	if err != nil {
		return
	}
	for _, name := range names {
		if name == at || !bytes.Contains(raw, []byte(name)) {
			continue
		}
		for line := range bytes.Lines(raw) {
			line = bytes.TrimSpace(line)
			if len(line) == 0 || line[0] == '#' || !wholeWord(line, name) {
				continue
			}
			if len(x.out.Starts) >= mostStarts {
				x.out.More++
				return
			}
			x.out.Starts = append(x.out.Starts, Start{Place: at, Line: clip(redactText(string(line)), mostLine), File: name})
			x.file(at)
			break
		}
	}
}

// wholeWord reports whether a line has a path as a whole word.
func wholeWord(line []byte, name string) bool {
	for rest := line; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 0 {
			return false
		}
		rest = rest[i+len(name):]
		if len(rest) == 0 || strings.IndexByte(" \t\"';&|)<>,:=@%", rest[0]) >= 0 {
			return true
		}
	}
}

// scan has the host's scanner look at the files that are there.
func (x *examination) scan() {
	wait, cancel := context.WithTimeout(x.ctx, scannerWait)
	release, err := take(wait, x.r.scanning)
	cancel()
	if err != nil {
		if x.out.NoEngine = "A scan of the whole device was going on."; x.ctx.Err() != nil {
			x.out.NoEngine = "There was no time left to scan files."
		}
		return
	}
	defer release()
	s, err := x.r.clam.open(x.ctx, x.r.cfg.State)
	if err != nil {
		x.out.NoEngine = clip(err.Error(), 400)
		return
	}
	defer s.close()
	x.r.scans.begin()
	defer x.r.scans.end()
	x.out.Engine, x.out.Database, x.out.Signatures = s.about()
	_, oneLine := s.(*clamProgram)
	at, names := map[string][]int{}, []string{}
	for i := range x.out.Files {
		if name := x.scanned(i, s.maxFile(), oneLine); name != "" {
			if at[name] == nil {
				names = append(names, name)
			}
			at[name] = append(at[name], i)
		}
	}
	f := &found{}
	err = s.look(x.ctx, func(yield func(*candidate) bool) {
		for _, name := range names {
			h, err := openFile(name)
			if err != nil {
				continue // it went meanwhile: it is not scanned
			}
			more := yield(&candidate{path: name, f: h, size: x.out.Files[at[name][0]].Size})
			_ = h.Close() // it was only read
			if !more {
				return
			}
		}
	}, func(v verdict) {
		x.r.verdict(f, v)
		for _, i := range at[v.path] {
			switch {
			case v.trouble != "":
				x.out.Files[i].NotScan = "The scanner could not look at it: " + clip(v.trouble, 80)
			default:
				x.out.Files[i].Scanned, x.out.Files[i].Signature = true, v.signature
			}
		}
	})
	if err != nil && x.ctx.Err() == nil {
		x.out.NoEngine = clip(err.Error(), 200)
	}
}

// scanned is the name by which the scanner is given a file; "": it is not, and why is noted.
func (x *examination) scanned(i int, most int64, oneLine bool) string {
	f := &x.out.Files[i]
	name := f.Path
	if f.Target != "" {
		name = f.Target
	}
	switch {
	case f.SHA256 == "":
		return ""
	case f.Size > most:
		f.NotScan = fmt.Sprintf("It is larger than the scanner looks into (%d MB).", most>>20)
		return ""
	case oneLine && strings.ContainsAny(name, "\n\r"):
		f.NotScan = "Its name has a line break."
		return ""
	}
	return name
}
