package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

const (
	scanRest  = 5 * time.Millisecond // that is worth sleeping
	maxHashed = 1 << 30              // bytes of a file in which something was found
)

// noScanner is what to do where there is none.
const noScanner = "ClamAV is not installed on this host: install the package clamav-daemon (Debian, Ubuntu) or clamd (Fedora, RHEL), let freshclam fetch its signatures once, and start the service clamav-daemon or clamd@scan"

// scanner is ClamAV in one of its forms.
type scanner interface {
	// about says what it is and how old what it knows is.
	about() (engine, database string, made time.Time)
	// maxFile is the largest file that it looks into, in bytes.
	maxFile() int64
	// look looks at the files that it is given, until there are no more, and tells
	// of each. An error ends the scan.
	look(ctx context.Context, files func(yield func(*candidate) bool), tell func(verdict)) error
	close()
}

// candidate is a file to be looked at. The one who yields it closes it.
type candidate struct {
	path string
	f    *os.File
	size int64
}

// verdict is what a scanner says of a file: a signature, or trouble, or neither.
type verdict struct {
	path, signature, trouble string
	size                     int64
	sum                      string
}

func (r *Responder) canScan() error {
	if !r.live() {
		return unsupported("the agent inventories another root (--root): its files are not scanned by the host that it runs on")
	}
	s, err := r.clam.open(context.Background(), r.cfg.State)
	if err != nil {
		return unsupported(err.Error())
	}
	s.close()
	return nil
}

// Scan looks for malware with the host's ClamAV: by its daemon where that answers,
// else by its program. It looks at one file at a time and rests as long as it
// works. What it finds is told as an event at once. It moves and removes nothing.
// When ctx ends, the result tells how far it came, beside the error.
func (r *Responder) Scan(ctx context.Context, extent Extent, progress func(Progress)) (*ScanResult, error) {
	if extent != Quick && extent != Full {
		return nil, fmt.Errorf("a scan is %q or %q, not %q", Quick, Full, extent)
	}
	if !r.live() {
		return nil, r.canScan()
	}
	release, err := take(ctx, r.scanning)
	if err != nil {
		return nil, err
	}
	defer release()
	s, err := r.clam.open(ctx, r.cfg.State)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r.scans.begin()
	defer r.scans.end()
	if progress == nil {
		progress = func(Progress) {}
	}
	w := &walk{ctx: ctx, maxFile: s.maxFile(), without: []string{r.cfg.State, r.clam.folder()}}
	_, w.oneLine = s.(*clamProgram)
	f := &found{}
	f.Engine, f.Database, f.Signatures = s.about()
	told := time.Now()
	err = s.look(ctx, w.files(extent, r.places), func(v verdict) {
		r.verdict(f, v)
		if time.Since(told) >= r.progressEvery {
			told = time.Now()
			progress(Progress{Files: f.Files, Bytes: f.Bytes, Detections: len(f.Detections) + f.More, At: v.path})
		}
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		f.Ended = "cancelled"
		if !errors.Is(err, context.Canceled) {
			f.Ended = clip(err.Error(), 200)
		}
	} else if err != nil {
		f.Ended = clip(err.Error(), 200)
	}
	for reason, n := range w.missed.skips {
		f.skipped(reason, n)
	}
	out := f.result()
	r.scanned(extent, out)
	return out, err
}

// ScannedLately reports whether a scan of this responder runs or ended less than
// so long ago: what ClamAV's own log tells of then is told already.
func (r *Responder) ScannedLately(d time.Duration) bool {
	return r.scans.lately(d)
}

// verdict counts what is said of a file, and tells of a detection.
func (r *Responder) verdict(f *found, v verdict) {
	if v.trouble != "" {
		f.skip("the scanner could not look at it: " + v.trouble)
		return
	}
	f.Files++
	f.Bytes += uint64(max(v.size, 0))
	if v.signature == "" {
		return
	}
	d := Detection{Path: clip(v.path, 4096), Signature: v.signature, SHA256: v.sum}
	if len(f.Detections) >= maxDetections {
		f.More++
		return
	}
	f.Detections = append(f.Detections, d)
	e := &event.Event{Action: event.AntivirusDetection}
	e.Set(event.FolderPath, d.Path)
	e.Set(event.FileName, filepath.Base(d.Path))
	if d.SHA256 != "" {
		e.Set(event.SHA256, d.SHA256)
	}
	e.SetInt(event.FileSize, v.size)
	more(e, map[string]any{"ReportSource": "ClamAV", "ThreatName": d.Signature})
	e.Set(event.Source, "agent")
	r.cfg.Event(e)
}

// scanned tells that a scan has ended.
func (r *Responder) scanned(extent Extent, s *ScanResult) {
	e := &event.Event{Action: event.AntivirusScanCompleted}
	if s.Ended != "" {
		e.Action = event.AntivirusScanCancelled
		e.Set(event.Reason, s.Ended)
	}
	skipped := uint64(0)
	for _, k := range s.Skipped {
		skipped += k.Files
	}
	said := map[string]any{"ReportSource": "ClamAV", "ScanType": string(extent), "Engine": s.Engine, "ScannedFiles": s.Files, "SkippedFiles": skipped, "InfectedFiles": len(s.Detections) + s.More}
	if !s.Signatures.IsZero() {
		said["SignaturesMade"] = s.Signatures
	}
	more(e, said)
	e.Set(event.Source, "agent")
	r.cfg.Event(e)
}

func more(e *event.Event, fields map[string]any) {
	if raw, err := json.Marshal(fields); err == nil {
		e.Set(event.AdditionalFields, string(raw))
	}
}

// places are those that a quick scan looks at, besides the programs that run.
type places struct {
	all    []string // whole
	recent []string // programs that were written of late
	homes  bool     // those of the accounts as well
	procs  bool     // programs that run
}

// quickPlaces are those of a host.
var quickPlaces = places{
	all: []string{"/tmp", "/var/tmp", "/dev/shm", "/run/user", "/root", "/home", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly", "/etc/crontab",
		"/var/spool/cron", "/etc/systemd", "/etc/init.d", "/etc/rc.local", "/etc/profile.d", "/etc/ld.so.preload", "/etc/xdg/autostart", "/etc/update-motd.d", "/usr/local/bin", "/usr/local/sbin", "/var/www"},
	recent: []string{"/usr", "/opt", "/srv", "/var/lib", "/boot"},
	homes:  true,
	procs:  true,
}

// homes are the home directories of accounts, apart from those of the system.
func homes() (out []string) {
	raw, err := readSome("/etc/passwd", medium)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(line, ":")
		if len(f) < 7 {
			continue
		}
		if uid, err := strconv.ParseUint(f[2], 10, 32); err == nil && uid >= 1000 && uid < 60000 && filepath.IsAbs(f[5]) && filepath.Clean(f[5]) != "/" {
			out = append(out, filepath.Clean(f[5]))
		}
	}
	return out
}

// openFile opens a file for a look: nothing that waits, no link, and, where that
// is allowed, without a trace in its time of access.
func openFile(path string) (*os.File, error) {
	const flags = os.O_RDONLY | unix.O_NONBLOCK | unix.O_NOFOLLOW | unix.O_CLOEXEC
	f, err := os.OpenFile(path, flags|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) {
		return os.OpenFile(path, flags, 0)
	}
	return f, err
}

// sumAt is the SHA-256 of a file that was found bad.
func sumAt(ctx context.Context, f *os.File) string {
	if _, err := f.Seek(0, 0); err != nil {
		return ""
	}
	if info, err := f.Stat(); err != nil || info.Size() > maxHashed {
		return ""
	}
	sum, err := sumOf(ctx, f, maxHashed)
	if err != nil {
		return ""
	}
	return sum
}
