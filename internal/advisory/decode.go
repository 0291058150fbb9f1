package advisory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"
)

// Format names an upstream format that Decode understands.
type Format string

// The formats.
const (
	FormatDebianTracker Format = "debian-tracker" // security-tracker.debian.org /tracker/data/json
	FormatDSA           Format = "debian-list"    // data/DSA/list and data/DLA/list of the tracker's repository
	FormatOSV           Format = "osv"            // one OSV record
	FormatCVE5          Format = "cve5"           // one CVE record, JSON 5.x
	FormatNVD2          Format = "nvd-2.0"        // answer of the NVD API 2.0, or a 2.0 feed file
	FormatNVD11         Format = "nvd-1.1"        // NVD feed file, JSON 1.1
	FormatKEV           Format = "kev"            // CISA Known Exploited Vulnerabilities catalogue
	FormatKEVTable      Format = "kev-csv"        // the same catalogue as CSV
	FormatEPSS          Format = "epss"           // FIRST EPSS scores, CSV
	FormatEndOfLife     Format = "endoflife"      // endoflife.date, API v1 and v0
	FormatDemo          Format = "demo"           // Picket's own demo intelligence
)

// Limits of what is read from a feed. What exceeds them is skipped or cut, never kept.
const (
	maxRecord      = 16 << 20 // bytes of one record
	maxDepth       = 64       // nesting of one record
	maxDescription = 4000     // bytes
	maxTitle       = 300      // bytes
	maxNote        = 300      // bytes
	maxURL         = 2048     // bytes
	maxReferences  = 50
	maxTags        = 10
	maxAliases     = 100
	maxScores      = 20
	maxCWEs        = 20
	maxName        = 256 // bytes of a package name or version
	maxID          = 128 // bytes
	maxWeaknesses  = 5000
	maxStatements  = 20000 // of one record
	maxRanges      = 1000  // of one statement
	maxVersions    = 20000 // of one statement
	maxLine        = 1 << 20
	maxHead        = 64 << 10
)

// errTruncated says that a file ends in the middle.
var errTruncated = errors.New("the file is truncated: it ends in the middle of a value")

// Decode reads one decompressed file of format f and calls emit for each
// record, in the order of the file. name is the file's path; its last element
// tells the product of an old endoflife.date answer, and the date of the data
// where the format itself tells none. An OSV record that touches several
// ecosystems belongs to the feed of the one that is an element of the path, as
// in OSV's own layout (npm/all.zip/GHSA-….json), else to that of the first.
//
// The Header that emit gets has Feed and Mode; the returned Header is complete.
// A record that cannot be read or exceeds a limit is left out: skip gets its id
// (or its position, when the id cannot be read) and the reason; so it does for
// a part of a record that is left out while the rest is emitted. skip may be nil.
//
// An error means that the file is truncated or not of the format, or that emit
// returned it: then nothing of the file should be kept. Memory is bounded by
// the largest record, not by the file.
func Decode(f Format, name string, r io.Reader, emit func(Header, Record) error, skip func(id, reason string)) (Header, error) {
	if skip == nil {
		skip = func(string, string) {}
	}
	d := &decoding{path: name, name: path.Base(name), r: r, emit: emit, skip: skip}
	var err error
	switch f {
	case FormatDebianTracker:
		err = d.debianTracker()
	case FormatDSA:
		err = d.debianList()
	case FormatOSV:
		err = d.osv()
	case FormatCVE5:
		err = d.cve5()
	case FormatNVD2:
		err = d.nvd2()
	case FormatNVD11:
		err = d.nvd11()
	case FormatKEV:
		err = d.kev()
	case FormatKEVTable:
		err = d.kevTable()
	case FormatEPSS:
		err = d.epss()
	case FormatEndOfLife:
		err = d.endOfLife()
	case FormatDemo:
		err = d.demo()
	default:
		err = fmt.Errorf("unknown format %q", f)
	}
	if err != nil {
		return d.h, fmt.Errorf("decode %s as %s: %w", d.name, f, err)
	}
	if d.h.Date.IsZero() {
		d.h.Date = dateInName(d.name)
	}
	return d.h, nil
}

// decoding is one run of Decode.
type decoding struct {
	path string // as given
	name string // its last element
	r    io.Reader
	h    Header
	emit func(Header, Record) error
	skip func(id, reason string)
}

// drop reports a skipped record: by its id when that is readable, else by where it stands.
func (d *decoding) drop(id, where string, err error) {
	source, rest, two := strings.Cut(id, "/") // ids of the tracker have two parts
	if !validID(source) || two && !validID(rest) {
		id = where
	}
	d.skip(id, clean(err.Error(), maxNote))
}

var nameDate = regexp.MustCompile(`(?:^|[^0-9])((?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9])(?:[^0-9]|$)`)

// dateInName returns the date that a file name carries, zero when it has none.
func dateInName(name string) time.Time {
	m := nameDate.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, m[1])
	if err != nil {
		return time.Time{}
	}
	return t
}

var (
	listHead = regexp.MustCompile(`^\s*\[[^\]\n]{5,30}\] D[SL]A-[0-9]+`)
	// An OSV record may begin with a list of packages longer than the head.
	affectedHead = regexp.MustCompile(`^\{\s*"affected"\s*:\s*\[\s*\{\s*"(?:package|ranges|versions)"`)
	trackerHead  = regexp.MustCompile(`^\{\s*"[^"\\{}]+"\s*:\s*\{\s*"(?:CVE-[0-9]|TEMP-)[^"]*"\s*:\s*\{`)
)

// Sniff recognises the format of a file by its content: head is its beginning,
// decompressed, up to 64 KiB (the whole file when it is shorter). The name is
// not trusted: it decides nothing. ok is false for everything that Decode does
// not understand.
func Sniff(_ string, head []byte) (Format, bool) {
	if len(head) > maxHead {
		head = head[:maxHead]
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 {
		return "", false
	}
	switch head[0] {
	case '{':
		return sniffObject(head)
	case '[':
		if listHead.Match(head) {
			return FormatDSA, true
		}
		if isCycleArray(head) {
			return FormatEndOfLife, true
		}
	case '#':
		line, _, _ := bytes.Cut(head, []byte("\n"))
		if bytes.HasPrefix(line, []byte("#model_version")) {
			return FormatEPSS, true
		}
	case 'c':
		switch {
		case bytes.HasPrefix(head, []byte("cve,epss")):
			return FormatEPSS, true
		case bytes.HasPrefix(head, []byte("cveID,vendorProject,")):
			return FormatKEVTable, true
		}
	}
	return "", false
}

// sniffObject tells JSON objects apart by their top-level keys.
func sniffObject(head []byte) (Format, bool) {
	var found Format
	topKeys(head, func(k map[string]string) bool {
		found = formatOf(k)
		return found != ""
	})
	switch {
	case found != "":
		return found, true
	case affectedHead.Match(head):
		return FormatOSV, true
	case trackerHead.Match(head):
		return FormatDebianTracker, true
	}
	return "", false
}

// formatOf decides by the keys seen so far, "" when they do not suffice.
func formatOf(k map[string]string) Format {
	has := func(keys ...string) bool {
		for _, key := range keys {
			if _, ok := k[key]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("picket_demo"):
		return FormatDemo
	case has("catalogVersion"), has("dateReleased", "vulnerabilities"):
		return FormatKEV
	case k["dataType"] == `"CVE_RECORD"`, has("cveMetadata", "containers"):
		return FormatCVE5
	case has("CVE_Items"), k["CVE_data_type"] == `"CVE"` && has("CVE_data_format"):
		return FormatNVD11
	case k["format"] == `"NVD_CVE"`, has("resultsPerPage", "vulnerabilities"):
		return FormatNVD2
	case has("id", "affected"), has("id", "modified") && (has("schema_version") || has("details") || has("summary")):
		return FormatOSV
	case has("result", "schema_version"):
		return FormatEndOfLife
	}
	return ""
}
