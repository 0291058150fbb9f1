package respond

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Extent is how far a scan looks.
type Extent string

// The extents of a scan.
const (
	// Quick looks where malware is likely: programs that run, temp and home
	// directories, what starts by itself, programs that were written of late.
	Quick Extent = "quick"
	// Full looks at all local file systems.
	Full Extent = "full"
)

// ScanResult is what a scan found. It is also there, as far as the scan came, when
// it was cancelled.
type ScanResult struct {
	Engine     string    // name and version
	Database   string    // version of the signatures, "" when they have none
	Signatures time.Time // when they were made
	Files      uint64    // looked at
	Bytes      uint64    // of them
	Skipped    []Skipped // by falling number
	Detections []Detection
	More       int    // further detections, beyond those
	Ended      string // "" when it came to its end, else by what it ended
}

// Skipped counts files that a scan did not look at.
type Skipped struct {
	Reason string
	Files  uint64
}

// Detection is a file in which a scan found something.
type Detection struct {
	Path      string
	Signature string
	SHA256    string // "" when it could not be read
}

// Progress is how far a scan is.
type Progress struct {
	Files      uint64
	Bytes      uint64
	Detections int
	At         string // the file that it is at
}

// scans knows when the last scan was. Safe for concurrent use.
type scans struct {
	mu    sync.Mutex // guards the fields below
	runs  bool
	ended time.Time // zero: there was none
}

func (s *scans) begin() {
	s.mu.Lock()
	s.runs = true
	s.mu.Unlock()
}

func (s *scans) end() {
	s.mu.Lock()
	s.runs, s.ended = false, time.Now()
	s.mu.Unlock()
}

// lately reports whether a scan runs, or ended less than so long ago.
func (s *scans) lately(d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs || !s.ended.IsZero() && time.Since(s.ended) < d
}

const (
	maxDetections = 1000 // that are told one by one
	maxReasons    = 24
)

// found counts what a scan comes to.
type found struct {
	ScanResult
	skips map[string]uint64
}

func (f *found) skip(reason string) { f.skipped(reason, 1) }

func (f *found) skipped(reason string, n uint64) {
	if f.skips == nil {
		f.skips = map[string]uint64{}
	}
	if _, known := f.skips[reason]; !known && len(f.skips) >= maxReasons {
		reason = "other reasons"
	}
	f.skips[reason] += n
}

// result is what there is to tell.
func (f *found) result() *ScanResult {
	out := f.ScanResult
	for reason, n := range f.skips {
		out.Skipped = append(out.Skipped, Skipped{reason, n})
	}
	slices.SortFunc(out.Skipped, func(a, b Skipped) int {
		if a.Files != b.Files {
			return int(min(max(int64(b.Files)-int64(a.Files), -1), 1))
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	return &out
}

// parseVersion reads what ClamAV says of itself: "ClamAV 1.4.6/27500/Fri Nov 14
// 09:26:40 2025", without the end where the signatures have no version.
func parseVersion(text string) (engine, database string, made time.Time) {
	f := strings.SplitN(strings.TrimSpace(text), "/", 3)
	engine = clip(f[0], 100)
	if len(f) > 1 {
		database = clip(f[1], 100)
	}
	if len(f) > 2 {
		if at, err := time.Parse(time.ANSIC, strings.TrimSpace(f[2])); err == nil {
			made = at.UTC()
		}
	}
	return engine, database, made
}

// parseVerdict reads an answer of ClamAV about a file: "NAME: OK", "NAME:
// SIGNATURE FOUND" or "NAME: WHY ERROR". The name may hold anything.
func parseVerdict(line string) (name, signature, trouble string, ok bool) {
	i := strings.LastIndex(line, ": ")
	if i < 0 {
		return "", "", "", false
	}
	name = line[:i]
	switch word := line[i+2:]; {
	case word == "OK" || word == "Empty file" || word == "Excluded":
		return name, "", "", true
	case strings.HasSuffix(word, " FOUND"):
		return name, clip(strings.TrimSuffix(word, " FOUND"), 300), "", true
	case strings.HasSuffix(word, " ERROR"):
		return name, "", clip(strings.TrimSuffix(word, " ERROR"), 80), true
	default:
		return name, "", clip(word, 80), true
	}
}

// clip makes a text of somebody else one that can be shown: valid, on one line, so long.
func clip(s string, n int) string {
	s = cell(strings.ToValidUTF8(s, "?"))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// clamConf is what is used of a configuration of clamd.
type clamConf struct {
	socket  string
	maxFile int64
	folder  string // of the signatures
}

// clamMaxFile is the largest file that ClamAV looks into, unless it is told otherwise.
const clamMaxFile = 100 << 20

func parseClamConf(text string) (c clamConf) {
	c.maxFile = clamMaxFile
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		switch f[0] {
		case "LocalSocket":
			if filepath.IsAbs(f[1]) {
				c.socket = f[1]
			}
		case "DatabaseDirectory":
			if filepath.IsAbs(f[1]) {
				c.folder = f[1]
			}
		case "MaxFileSize":
			if n, ok := parseSize(f[1]); ok {
				c.maxFile = n
			}
		}
	}
	return c
}

// parseSize reads a size of ClamAV: bytes, or with K, M or G behind; 0 is no limit.
func parseSize(text string) (int64, bool) {
	unit := int64(1)
	switch text[len(text)-1] {
	case 'k', 'K':
		unit = 1 << 10
	case 'm', 'M':
		unit = 1 << 20
	case 'g', 'G':
		unit = 1 << 30
	}
	if unit > 1 {
		text = text[:len(text)-1]
	}
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' || n > 1<<40 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if n == 0 || text == "" {
		return 1 << 40, text != ""
	}
	return n * unit, true
}
