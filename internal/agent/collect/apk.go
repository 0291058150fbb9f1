package collect

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

func apkDatabases() []string {
	return []string{"lib/apk/db/installed", "usr/lib/apk/db/installed"}
}

// apkPackage is one record of apk's installed database: lines "X:value", a
// blank line between records.
type apkPackage struct {
	name, version, arch, origin, maintainer, summary string
}

// readAPK streams an installed database. file, when given, is called with each
// file of each package (relative path); the bytes are valid during the call.
// bad counts records without a name.
func readAPK(src io.Reader, fn func(apkPackage), file func(pkg string, path []byte)) (bad int, err error) {
	br := bufio.NewReaderSize(src, maxLine)
	var p apkPackage
	var dir, full []byte
	some := false
	flush := func() {
		switch {
		case p.name != "":
			fn(p)
		case some:
			bad++
		}
		p, dir, some = apkPackage{}, dir[:0], false
	}
	for {
		line, err := br.ReadSlice('\n')
		cut := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			// What is kept of a line is its beginning; ReadSlice reuses the buffer.
			line = append([]byte(nil), line[:min(len(line), 4096)]...)
			_, err = br.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return bad, err
		}
		line = trimEOL(line)
		switch {
		case len(line) == 0:
			flush()
		case len(line) < 2 || line[1] != ':':
			some = true
		default:
			some = true
			v := line[2:]
			switch line[0] {
			case 'P':
				p.name = string(v)
			case 'V':
				p.version = string(v)
			case 'A':
				p.arch = string(v)
			case 'o':
				p.origin = string(v)
			case 'm':
				p.maintainer = string(v)
			case 'T':
				p.summary = string(v)
			case 'F':
				dir = append(dir[:0], v...)
			case 'R':
				if file != nil && !cut {
					full = append(append(append(full[:0], dir...), '/'), v...)
					file(p.name, full)
				}
			}
		}
		if err == io.EOF {
			flush()
			return bad, nil
		}
	}
}

func trimEOL(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// eachAPK reads the databases of the root. The error is fs.ErrNotExist where
// there is none.
func eachAPK(ctx context.Context, h Host, l Limits, fn func(db string, p apkPackage), file func(pkg string, path []byte)) (bad int, err error) {
	seen := map[string]bool{} // one database may be reachable by both names
	for _, db := range apkDatabases() {
		at, err := h.resolve(db)
		if isNotExist(err) || seen[at] {
			continue
		}
		if err != nil {
			return bad, err
		}
		seen[at] = true
		f, _, err := h.openAt(at)
		if err != nil {
			return bad, err
		}
		n, err := readAPK(&capped{&pausing{ctx, l, f}, l.MaxFileBytes}, func(p apkPackage) { fn(db, p) }, file)
		f.Close()
		bad += n
		if err != nil {
			return bad, err
		}
	}
	if len(seen) == 0 {
		return 0, fs.ErrNotExist
	}
	return bad, nil
}

// pausing yields before each read and ends with the context.
type pausing struct {
	ctx context.Context
	l   Limits
	r   io.Reader
}

// Read implements io.Reader.
func (p *pausing) Read(b []byte) (int, error) {
	p.l.yield()
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// collectAPK lists the packages of Alpine's database.
func collectAPK(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.APK, l)
	bad, err := eachAPK(ctx, h, l, func(db string, p apkPackage) {
		out := inventory.Package{
			Ecosystem: inventory.EcoAlpine,
			Name:      r.text(p.name, maxName), Version: r.text(p.version, maxVersion), Arch: r.text(p.arch, 32),
			Vendor: clean(p.maintainer, 256), Summary: clean(p.summary, maxSummary), Paths: []string{abs(db)},
		}
		out.Source, out.SourceVersion = r.text(p.origin, maxName), out.Version
		if out.Source == "" {
			out.Source = out.Name
		}
		r.put(out.Name+":"+out.Arch, out)
	}, nil)
	if isNotExist(err) {
		return absent(inventory.APK, "there is no apk database at /lib/apk/db/installed")
	}
	if bad > 0 {
		r.problem("%d records without a package name in /lib/apk/db/installed were left out; apk fix mends it", bad)
	}
	if err != nil && ctx.Err() == nil {
		r.problem("/lib/apk/db/installed was not read in full: %s", short(err))
	}
	return r.done(ctx)
}

// apkKernel finds the package "linux-FLAVOUR" whose version the release carries:
// "6.6.7-0-lts" is linux-lts 6.6.7-r0.
func apkKernel(ctx context.Context, h Host, l Limits, release string) (name, version string, err error) {
	parts := strings.SplitN(release, "-", 3)
	if len(parts) != 3 {
		return "", "", nil
	}
	_, err = eachAPK(ctx, h, l, func(_ string, p apkPackage) {
		if p.name == "linux-"+parts[2] && p.version == parts[0]+"-r"+parts[1] {
			name, version = p.name, p.version
		}
	}, nil)
	return name, version, err
}
