package collect

import (
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const aptLists = "var/lib/apt/lists"

// maxListText bounds the unpacked text of one apt list, in bytes.
const maxListText = 512 << 20

// aptRelease is what a repository says of itself.
type aptRelease struct {
	Origin, Label, Suite, Codename string
	NotAutomatic, ButAutomatic     bool
}

// suite is the name that people use for the pocket: "bookworm-security",
// "jammy-updates".
func (r aptRelease) suite() string {
	if r.Codename != "" && !strings.HasPrefix(r.Suite, r.Codename) {
		return r.Codename
	}
	return r.Suite
}

// security reports whether the repository says that it is a security archive.
func (r aptRelease) security() bool {
	for _, s := range []string{r.Label, r.Suite, r.Codename, r.Origin} {
		if strings.Contains(strings.ToLower(s), "security") {
			return true
		}
	}
	return false
}

// aptList is one Packages file and the repository that it belongs to.
type aptList struct {
	file    string
	size    int64
	mod     time.Time
	release aptRelease
	known   bool // a Release file was found
}

// findAptLists lists the Packages files that apt downloaded, in name order.
func findAptLists(h Host) ([]aptList, error) {
	dir, err := h.resolve(aptLists)
	if err != nil {
		return nil, err
	}
	entries, err := h.readDirAt(dir)
	if err != nil {
		return nil, err
	}
	type base struct {
		prefix string
		rel    aptRelease
	}
	var bases []base
	var lists []aptList
	for _, e := range entries {
		n := e.Name()
		if !e.Type().IsRegular() {
			continue
		}
		for _, suffix := range []string{"_InRelease", "_Release"} {
			if p, ok := strings.CutSuffix(n, suffix); ok {
				if rel, err := readRelease(h, path.Join(dir, n)); err == nil {
					bases = append(bases, base{p + "_", rel})
				}
			}
		}
		if plain, _ := cutCompression(n); strings.HasSuffix(plain, "_Packages") {
			l := aptList{file: path.Join(dir, n)}
			if st, err := e.Info(); err == nil {
				l.size, l.mod = st.Size(), st.ModTime()
			}
			lists = append(lists, l)
		}
	}
	for i := range lists {
		best := 0
		for _, b := range bases {
			if len(b.prefix) > best && strings.HasPrefix(path.Base(lists[i].file), b.prefix) {
				best, lists[i].release, lists[i].known = len(b.prefix), b.rel, true
			}
		}
	}
	return lists, nil
}

// readRelease reads the head of a Release or InRelease file (signed or not; the
// signature was apt's to check).
func readRelease(h Host, file string) (aptRelease, error) {
	f, _, err := h.openAt(file)
	if err != nil {
		return aptRelease{}, err
	}
	defer f.Close()
	return parseRelease(f)
}

func parseRelease(f io.Reader) (aptRelease, error) {
	s := newStanzas(io.LimitReader(f, 32<<20), "Origin", "Label", "Suite", "Codename", "NotAutomatic", "ButAutomaticUpgrades")
	for {
		more, err := s.next()
		if err != nil {
			return aptRelease{}, err
		}
		if s.val[0] != nil || s.val[2] != nil || s.val[3] != nil {
			return aptRelease{
				Origin: clean(s.get(0), 128), Label: clean(s.get(1), 128), Suite: clean(s.get(2), 128), Codename: clean(s.get(3), 128),
				NotAutomatic: s.get(4) == "yes", ButAutomatic: s.get(5) == "yes",
			}, nil
		}
		if !more {
			return aptRelease{}, errors.New("no Origin, Suite or Codename in it")
		}
	}
}

func cutCompression(name string) (plain, ext string) {
	for _, ext := range []string{".lz4", ".gz", ".xz", ".zst", ".bz2"} {
		if p, ok := strings.CutSuffix(name, ext); ok {
			return p, ext
		}
	}
	return name, ""
}

// unpack returns the plain text of a file that is compressed as its extension says.
func unpack(f io.Reader, ext string) (io.Reader, func(), error) {
	none := func() {}
	switch ext {
	case ".lz4":
		return newLZ4(f), none, nil
	case ".gz":
		r, err := gzip.NewReader(f)
		return r, none, err
	case ".bz2":
		return bzip2.NewReader(f), none, nil
	case ".xz":
		r, err := xz.ReaderConfig{DictCap: 1 << 23}.NewReader(f)
		return r, none, err
	case ".zst":
		r, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, none, err
		}
		return r, r.Close, nil
	}
	return f, none, nil
}

// eachAptPackage streams one Packages file. The slices are valid during the call only.
func eachAptPackage(ctx context.Context, h Host, l Limits, file string, fn func(name, version, arch, source []byte)) error {
	f, _, err := h.openAt(file)
	if err != nil {
		return err
	}
	defer f.Close()
	_, ext := cutCompression(file)
	r, end, err := unpack(f, ext)
	if err != nil {
		return err
	}
	defer end()
	s := newStanzas(&capped{r, maxListText}, "Package", "Version", "Architecture", "Source")
	for n := 1; ; n++ {
		if n%256 == 0 {
			l.yield()
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		more, err := s.next()
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		if s.val[0] != nil && s.val[1] != nil {
			fn(s.val[0], s.val[1], s.val[2], s.val[3])
		}
	}
}

// aptIndex remembers which repositories offer which package versions, as
// sorted digests: some 12 bytes per package that apt's lists name. It is read
// again when a list changes. Safe for concurrent use.
type aptIndex struct {
	mu    sync.Mutex
	stamp string      // of the lists that table was read from; guarded by mu
	table *aptOrigins // guarded by mu; never changed once published

	offerStamp string                // of the lists that offers was read from; guarded by mu
	offers     map[string][]aptOffer // per package name that was asked for; guarded by mu
}

// aptOrigins answers which origin offers a package version. Digests stand for
// (name, version, architecture); a collision of 64 bits is not expected in the
// life of a fleet and would only mislabel an origin.
type aptOrigins struct {
	seed  maphash.Seed
	sums  []uint64
	which []uint8 // index into names
	names []string
}

// of returns the origin that offers exactly this version; empty when unknown.
func (o *aptOrigins) of(name, version, arch string) string {
	if o == nil {
		return ""
	}
	i, ok := slices.BinarySearch(o.sums, o.sum([]byte(name), []byte(version), []byte(arch)))
	if !ok {
		return ""
	}
	return o.names[o.which[i]]
}

func (o *aptOrigins) sum(name, version, arch []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(o.seed)
	h.Write(name)
	h.WriteByte(0)
	h.Write(version)
	h.WriteByte(0)
	h.Write(arch)
	return h.Sum64()
}

// origins returns the table for the lists of now. The error tells what could
// not be read; the table then holds the rest. A nil table (no lists) knows nothing.
func (a *aptIndex) origins(ctx context.Context, h Host, l Limits) (*aptOrigins, error) {
	lists, err := findAptLists(h)
	if isNotExist(err) || err == nil && len(lists) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("/%s: %s", aptLists, short(err))
	}
	stamp := listStamp(h, lists)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.table != nil && a.stamp == stamp {
		return a.table, nil
	}
	t, err := readOrigins(ctx, h, l, lists)
	if err == nil {
		a.table, a.stamp = t, stamp
	}
	return t, err
}

// listStamp changes whenever a list does.
func listStamp(h Host, lists []aptList) string {
	var sb strings.Builder
	sb.WriteString(h.Root)
	for _, li := range lists {
		fmt.Fprintf(&sb, "\x00%s\x00%d\x00%d\x00%v", li.file, li.size, li.mod.UnixNano(), li.release)
	}
	return sb.String()
}

// aptOffer is one version of a package in one list.
type aptOffer struct {
	version, arch, source string
	release               aptRelease
}

// maxOffered bounds the package names whose offers are remembered.
const maxOffered = 20_000

// offered returns what the lists offer of each name. Names that were asked for
// are remembered until a list changes, so that the removal or return of a
// package costs no reading. The error tells what could not be read.
func (a *aptIndex) offered(ctx context.Context, h Host, l Limits, lists []aptList, names map[string]bool) (map[string][]aptOffer, error) {
	stamp := listStamp(h, lists)
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.offers != nil && a.offerStamp == stamp
	for n := range names {
		if !known {
			break
		}
		_, known = a.offers[n]
	}
	if known {
		return a.offers, nil
	}
	next := make(map[string][]aptOffer, len(names))
	if a.offerStamp == stamp && len(a.offers) < maxOffered {
		for n := range a.offers {
			next[n] = nil
		}
	}
	for n := range names {
		next[n] = nil
	}
	var errs []error
	for _, li := range lists {
		err := eachAptPackage(ctx, h, l, li.file, func(name, version, arch, source []byte) {
			if have, ok := next[string(name)]; ok && len(have) < 1000 {
				next[string(name)] = append(have, aptOffer{string(version), string(arch), string(source), li.release})
			}
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s", abs(li.file), short(err)))
		}
	}
	if len(errs) == 0 {
		a.offers, a.offerStamp = next, stamp
	}
	return next, errors.Join(errs...)
}

type originSum struct {
	sum   uint64
	which uint8
}

func readOrigins(ctx context.Context, h Host, l Limits, lists []aptList) (*aptOrigins, error) {
	t := &aptOrigins{seed: maphash.MakeSeed()}
	own := ownOrigin(h)
	var all []originSum
	var errs []error
	for _, li := range lists {
		if !li.known || li.release.Origin == "" {
			continue
		}
		w := slices.Index(t.names, li.release.Origin)
		if w < 0 {
			if len(t.names) == 255 {
				errs = append(errs, errors.New("more than 255 repository origins"))
				break
			}
			w = len(t.names)
			t.names = append(t.names, li.release.Origin)
		}
		err := eachAptPackage(ctx, h, l, li.file, func(name, version, arch, _ []byte) {
			if len(all) < 2_000_000 {
				all = append(all, originSum{t.sum(name, version, arch), uint8(w)})
			}
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %s (run apt-get update)", abs(li.file), short(err)))
		}
	}
	// The distribution's own origin wins where several offer the same version,
	// then the first by name.
	rank := func(w uint8) string {
		if strings.EqualFold(t.names[w], own) {
			return ""
		}
		return t.names[w]
	}
	slices.SortFunc(all, func(a, b originSum) int {
		switch {
		case a.sum < b.sum:
			return -1
		case a.sum > b.sum:
			return 1
		case a.which == b.which:
			return 0
		}
		return strings.Compare(rank(a.which), rank(b.which))
	})
	all = slices.CompactFunc(all, func(a, b originSum) bool { return a.sum == b.sum })
	t.sums, t.which = make([]uint64, len(all)), make([]uint8, len(all))
	for i, s := range all {
		t.sums[i], t.which[i] = s.sum, s.which
	}
	return t, errors.Join(errs...)
}

// ownOrigin is the Origin that the distribution's own repositories carry: its
// id in os-release, compared without case ("debian", "ubuntu").
func ownOrigin(h Host) string {
	b, err := h.read("etc/os-release", 64<<10)
	if err != nil {
		b, _ = h.read("usr/lib/os-release", 64<<10)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "ID="); ok {
			return unquote(strings.TrimSpace(v))
		}
	}
	return ""
}
