package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Where dpkg keeps its database.
const (
	dpkgStatus    = "var/lib/dpkg/status"
	dpkgStatusDir = "var/lib/dpkg/status.d" // distroless images: one file per package
	dpkgUpdates   = "var/lib/dpkg/updates"  // what a running dpkg has not yet merged into status
	dpkgInfo      = "var/lib/dpkg/info"
)

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// dpkgPackage is one paragraph of the status database.
type dpkgPackage struct {
	inventory.Package
	file      string // where the paragraph is
	want      string // "install", "hold", "deinstall", …
	state     string // "installed", "half-configured", "config-files", …
	multiArch string
}

func (p *dpkgPackage) key() string {
	if p.Arch == "" {
		return p.Name
	}
	return p.Name + ":" + p.Arch
}

// eachDPKG calls fn for every package that dpkg knows as present, wholly or in
// its configuration files, and miss (when given) for paragraphs that cannot be
// used. The error is fs.ErrNotExist where there is no dpkg database.
func eachDPKG(ctx context.Context, h Host, l Limits, fn func(dpkgPackage), miss func(string)) error {
	if miss == nil {
		miss = func(string) {}
	}
	emit := func(p dpkgPackage) {
		if p.state != "not-installed" {
			fn(p)
		}
	}
	var errs []error
	found := false
	pending := map[string]dpkgPackage{} // only while dpkg runs
	for _, f := range listFiles(h, dpkgUpdates) {
		if strings.Trim(path.Base(f), "0123456789") != "" {
			continue
		}
		_ = readStatus(ctx, h, l, f, false, func(p dpkgPackage) { pending[p.key()] = p }, miss)
	}
	err := readStatus(ctx, h, l, dpkgStatus, false, func(p dpkgPackage) {
		if q, ok := pending[p.key()]; ok {
			q.file = dpkgStatus
			delete(pending, p.key())
			p = q
		}
		emit(p)
	}, miss)
	if err == nil || !isNotExist(err) {
		found = true
	}
	if err != nil && !isNotExist(err) {
		errs = append(errs, fmt.Errorf("/%s: %s", dpkgStatus, short(err)))
	}
	for _, p := range pending {
		p.file = dpkgStatus
		emit(p)
	}
	for _, f := range listFiles(h, dpkgStatusDir) {
		if strings.HasSuffix(f, ".md5sums") {
			continue
		}
		found = true
		if err := readStatus(ctx, h, l, f, true, emit, miss); err != nil {
			errs = append(errs, fmt.Errorf("/%s: %s", f, short(err)))
		}
	}
	if !found {
		return fs.ErrNotExist
	}
	return errors.Join(errs...)
}

// listFiles returns the paths of the regular files in a directory, sorted.
func listFiles(h Host, dir string) []string {
	at, err := h.resolve(dir)
	if err != nil {
		return nil
	}
	list, _ := h.readDirAt(at)
	var files []string
	for _, e := range list {
		if e.Type().IsRegular() {
			files = append(files, path.Join(at, e.Name()))
		}
	}
	return files
}

// readStatus streams one status file. In status.d paragraphs carry no Status
// and are installed by being there.
func readStatus(ctx context.Context, h Host, l Limits, file string, bare bool, fn func(dpkgPackage), miss func(string)) error {
	f, _, err := h.open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	s := newStanzas(&capped{f, l.MaxFileBytes}, "Package", "Status", "Version", "Architecture", "Source", "Maintainer", "Description", "Multi-Arch")
	for n := 0; ; n++ {
		if n%64 == 0 {
			l.yield()
			if ctx.Err() != nil {
				return nil // told by result.done
			}
		}
		more, err := s.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		p := dpkgPackage{file: file}
		p.Ecosystem = inventory.EcoDebian
		p.Name, p.Version, p.Arch = s.get(0), s.get(2), s.get(3)
		if p.Name == "" {
			miss("paragraph without a package name in /" + file)
			continue
		}
		if words := strings.Fields(s.get(1)); len(words) == 3 {
			p.want, p.state = words[0], words[2]
		} else if bare {
			p.want, p.state = "install", "installed"
		} else {
			miss("package without a readable Status in /" + file)
			continue
		}
		p.Source, p.SourceVersion = debianSource(s.get(4), p.Name, p.Version)
		p.Vendor, p.Summary, p.multiArch = s.get(5), s.get(6), s.get(7)
		p.Residual = p.state == "config-files"
		fn(p)
	}
	if s.long > 0 {
		miss(fmt.Sprintf("file with lines beyond %d bytes, which were cut: /%s", maxLine, file))
	}
	return nil
}

// debianSource reads a Source field: "name" or "name (version)"; where it is
// absent the binary package is its own source.
func debianSource(field, name, version string) (source, sourceVersion string) {
	source, rest, ok := strings.Cut(field, " ")
	if source == "" {
		return name, version
	}
	if ok {
		if v := strings.Trim(rest, " ()"); v != "" {
			return source, v
		}
	}
	return source, version
}

// collectDPKG lists the packages of a Debian-like root, each with the origin of
// the repository that offers exactly its version where apt's lists tell it.
func (a *aptIndex) collectDPKG(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.DPKG, l)
	origins, err := a.origins(ctx, h, l)
	if err != nil {
		r.problem("the origin of packages is not known in full: %s", err)
	}
	info, _ := h.resolve(dpkgInfo)
	err = eachDPKG(ctx, h, l, func(p dpkgPackage) {
		out := p.Package
		if !p.Residual {
			out.Origin = r.text(origins.of(p.Name, p.Version, p.Arch), 128)
		}
		if info != "" {
			out.InstalledAt = listTime(h, info, &p)
		}
		out.Name, out.Version, out.Arch = r.text(out.Name, maxName), r.text(out.Version, maxVersion), r.text(out.Arch, 32)
		out.Source, out.SourceVersion = r.text(out.Source, maxName), r.text(out.SourceVersion, maxVersion)
		out.Vendor, out.Summary = clean(out.Vendor, 256), clean(out.Summary, maxSummary)
		out.Paths = []string{r.text(abs(p.file), maxPath)}
		r.put(p.key(), out)
	}, r.skip)
	if isNotExist(err) {
		return absent(inventory.DPKG, "there is no dpkg database at /%s", dpkgStatus)
	}
	if err != nil {
		r.problem("the dpkg database was not read in full: %s", err)
	}
	return r.done(ctx)
}

// listTime is when dpkg wrote the file list of a package: at its last
// installation or upgrade.
func listTime(h Host, info string, p *dpkgPackage) time.Time {
	if strings.Contains(p.Name, "/") {
		return time.Time{}
	}
	names := [2]string{p.Name, p.Name + ":" + p.Arch}
	if p.multiArch == "same" {
		names[0], names[1] = names[1], names[0]
	}
	for _, n := range names {
		if st, err := fs.Lstat(h.FS, info+"/"+n+".list"); err == nil && st.Mode().IsRegular() {
			return st.ModTime().UTC().Truncate(time.Second)
		}
	}
	return time.Time{}
}
