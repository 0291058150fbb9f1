package respond

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clam is where ClamAV may be on a host.
type clam struct {
	confs   []string // configurations of its daemon
	sockets []string // where it listens, when no configuration says so
	folders []string // of its signatures
}

// hostClam is where distributions have it.
var hostClam = clam{
	confs:   []string{"/etc/clamav/clamd.conf", "/etc/clamd.d/scan.conf", "/etc/clamd.conf", "/usr/local/etc/clamd.conf"},
	sockets: []string{"/run/clamav/clamd.ctl", "/run/clamd.scan/clamd.sock", "/run/clamav/clamd.sock"},
	folders: []string{"/var/lib/clamav", "/usr/local/share/clamav"},
}

const (
	clamWait   = 10 * time.Second // for an answer that needs no look at a file
	clamLook   = 3 * time.Minute  // for a look at a file
	clamAgain  = 30 * time.Second // for a daemon that is busy with new signatures
	maxAnswer  = 16 << 10
	clamMemory = 160 << 20 // bytes of data of the program
	// clamSignatures is how large the files of signatures may be for the program to
	// hold them in that memory.
	clamSignatures = 24 << 20
)

// settings reads how the daemon is set up.
func (c *clam) settings() (out []clamConf) {
	for _, name := range c.confs {
		if raw, err := readSome(name, 256<<10); err == nil {
			if conf := parseClamConf(string(raw)); conf.socket != "" {
				out = append(out, conf)
			}
		}
	}
	for _, s := range c.sockets {
		out = append(out, clamConf{socket: s, maxFile: clamMaxFile})
	}
	return out
}

// folder is where the signatures are.
func (c *clam) folder() string {
	for _, conf := range c.settings() {
		if conf.folder != "" {
			return conf.folder
		}
	}
	for _, dir := range c.folders {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// open finds a scanner that works. The error is a sentence that says what to install.
func (c *clam) open(ctx context.Context, state string) (scanner, error) {
	for _, conf := range c.settings() {
		d := &clamDaemon{conf: conf, folder: c.folder()}
		if d.version(ctx) == nil {
			return d, nil
		}
	}
	if _, err := program("clamscan"); err != nil {
		if errors.Is(err, errNoProgram) {
			return nil, errors.New(noScanner)
		}
		return nil, err
	}
	dir := c.folder()
	size, n := signatures(dir)
	switch {
	case n == 0:
		return nil, fmt.Errorf("ClamAV has no signatures on this host (%q is empty): run freshclam once, and start its daemon clamd", dir)
	case size > clamSignatures:
		return nil, fmt.Errorf("the daemon of ClamAV does not answer, and its program would need more memory for %d MB of signatures than the agent may use: install the package clamav-daemon (Debian, Ubuntu) or clamd (Fedora, RHEL) and start it", size>>20)
	}
	p := &clamProgram{folder: dir, temp: state}
	return p, p.version(ctx)
}

// signatures are the bytes and the number of files of signatures.
func signatures(dir string) (size int64, n int) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0
	}
	for _, e := range list {
		switch filepath.Ext(e.Name()) {
		case ".cvd", ".cld", ".cud", ".hdb", ".hsb", ".ndb", ".ldb", ".mdb", ".msb", ".yar", ".yara", ".db", ".cdb", ".pdb", ".gdb", ".wdb", ".fp", ".sfp":
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				size, n = size+info.Size(), n+1
			}
		}
	}
	return size, n
}

// newest is when the newest of the signatures was written.
func newest(dir string) (at time.Time) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return at
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().After(at) {
			at = info.ModTime().UTC().Truncate(time.Second)
		}
	}
	return at
}

// clamAbout is what a scanner says of itself.
type clamAbout struct {
	engine, database string
	made             time.Time
}

func (a *clamAbout) about() (string, string, time.Time) { return a.engine, a.database, a.made }

// take takes what it says; signatures without a time are as old as their files.
func (a *clamAbout) take(text, folder string) error {
	a.engine, a.database, a.made = parseVersion(text)
	if !strings.HasPrefix(a.engine, "ClamAV ") {
		return fmt.Errorf("what answers is not ClamAV: %q", a.engine)
	}
	if a.made.IsZero() {
		a.made = newest(folder)
	}
	return nil
}

// clamDaemon is clamd. Files are passed to it open, so that it reads what root
// may read, whoever it runs as.
type clamDaemon struct {
	clamAbout
	conf   clamConf
	folder string
}

func (d *clamDaemon) maxFile() int64 { return d.conf.maxFile }

func (d *clamDaemon) close() {}

func (d *clamDaemon) version(ctx context.Context) error {
	text, err := d.ask(ctx, "zVERSION\x00", nil, clamWait)
	if err != nil {
		return err
	}
	return d.take(text, d.folder)
}

// ask asks the daemon something, about an open file or not.
func (d *clamDaemon) ask(ctx context.Context, question string, f *os.File, wait time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", d.conf.socket)
	if err != nil {
		return "", err
	}
	c := conn.(*net.UnixConn)
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(c, question); err != nil {
		return "", err
	}
	if f != nil {
		if _, _, err := c.WriteMsgUnix([]byte{0}, unix.UnixRights(int(f.Fd())), nil); err != nil {
			return "", err
		}
	}
	answer, err := io.ReadAll(io.LimitReader(c, maxAnswer))
	if err != nil {
		return "", err
	}
	text, _, whole := bytes.Cut(answer, []byte{0})
	if !whole {
		return "", io.ErrUnexpectedEOF
	}
	return string(text), nil
}

// look implements scanner.
func (d *clamDaemon) look(ctx context.Context, files func(yield func(*candidate) bool), tell func(verdict)) error {
	var ended error
	var p pace
	files(func(c *candidate) bool {
		began := time.Now()
		v, err := d.one(ctx, c)
		if err != nil {
			ended = err
			return false
		}
		tell(v)
		return p.rest(ctx, time.Since(began))
	})
	return ended
}

// one looks at one file. A daemon that does not answer is asked again for a while.
func (d *clamDaemon) one(ctx context.Context, c *candidate) (verdict, error) {
	v := verdict{path: c.path, size: c.size}
	for began := time.Now(); ; {
		text, err := d.ask(ctx, "zFILDES\x00", c.f, clamLook)
		if err == nil {
			_, signature, trouble, ok := parseVerdict(text)
			if !ok {
				trouble = "it gives no answer"
			}
			v.signature, v.trouble = signature, trouble
			if signature != "" {
				v.sum = sumAt(ctx, c.f)
			}
			return v, nil
		}
		if ctx.Err() != nil {
			return v, context.Cause(ctx)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			v.trouble = fmt.Sprintf("it takes longer than %s", clamLook)
			return v, nil
		}
		if time.Since(began) > clamAgain {
			return v, fmt.Errorf("the daemon of ClamAV does not answer any more: %w", err)
		}
		if !rest(ctx, time.Second, nil) {
			return v, context.Cause(ctx)
		}
	}
}

// pace keeps work to half of the time.
type pace struct{ owed time.Duration }

// rest rests for work, when enough has come together. It reports whether ctx goes on.
func (p *pace) rest(ctx context.Context, worked time.Duration) bool {
	if p.owed += worked; p.owed < scanRest {
		return ctx.Err() == nil
	}
	d := min(p.owed, 10*time.Second)
	p.owed = 0
	return rest(ctx, d, nil)
}

// clamProgram is clamscan. It reads all signatures once and then looks at the
// files whose names it is given.
type clamProgram struct {
	clamAbout
	folder, temp string
}

func (*clamProgram) maxFile() int64 { return clamMaxFile }

func (*clamProgram) close() {}

func (p *clamProgram) version(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, clamWait)
	defer cancel()
	var b bytes.Buffer
	if err := output(ctx, &limited{w: &b, left: maxAnswer}, "clamscan", "--version", "--database="+p.folder); err != nil {
		return err
	}
	return p.take(b.String(), p.folder)
}

// look implements scanner.
func (p *clamProgram) look(ctx context.Context, files func(yield func(*candidate) bool), tell func(verdict)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd, err := command(ctx, "clamscan", "--database="+p.folder, "--tempdir="+p.temp, "--file-list=/dev/stdin", "--no-summary", "--stdout",
		fmt.Sprintf("--max-filesize=%d", clamMaxFile), fmt.Sprintf("--max-scansize=%d", 4*clamMaxFile))
	if err != nil {
		return err
	}
	var stderr tail
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// So that too many signatures end the program, and not whatever the kernel chooses.
	_ = unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: clamMemory, Max: clamMemory}, nil)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		p.feed(files, in)
	}()
	defer func() { <-fed }() // the program has ended: nobody reads what it writes
	lines := bufio.NewScanner(out)
	lines.Buffer(make([]byte, 64<<10), 64<<10)
	for lines.Scan() {
		name, signature, trouble, ok := parseVerdict(lines.Text())
		if !ok || !filepath.IsAbs(name) {
			continue // a warning
		}
		v := verdict{path: name, signature: signature, trouble: trouble}
		if f, err := openFile(name); err == nil {
			if info, err := f.Stat(); err == nil {
				v.size = info.Size()
			}
			if signature != "" {
				v.sum = sumAt(ctx, f)
			}
			_ = f.Close() // it was only read
		}
		tell(v)
	}
	if err := lines.Err(); err != nil {
		cancel(err)
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if code := cmd.ProcessState.ExitCode(); code == 0 || code == 1 { // 1: something was found
		return nil
	}
	if strings.Contains(string(stderr.b), "Can't open") || strings.Contains(string(stderr.b), "Some files") {
		return nil // they are counted
	}
	return fmt.Errorf("clamscan: %w%s", err, stderr.suffix())
}

// feed gives the program the names of files, until there are no more or it ends.
func (p *clamProgram) feed(files func(yield func(*candidate) bool), in io.WriteCloser) {
	defer in.Close()
	files(func(c *candidate) bool {
		_, err := io.WriteString(in, c.path+"\n")
		return err == nil
	})
}
