package collect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/rpmdb"
)

// owners returns which distribution package owns each of the paths (relative
// to the root), by the file lists of dpkg, rpm and apk. Paths that none owns
// are not in the map. It reads every list, so callers ask once for many.
func owners(ctx context.Context, h Host, l Limits, paths []string) map[string]string {
	if len(paths) == 0 {
		return nil
	}
	want := make(map[string]string, len(paths))
	for _, p := range paths {
		want[merged(p)] = ""
	}
	mark := func(pkg string, p []byte) {
		p = bytes.TrimPrefix(p, []byte("/"))
		if old, ok := want[string(mergedBytes(p))]; ok && old == "" {
			want[merged(string(p))] = pkg
		}
	}
	dpkgFiles(ctx, h, l, mark)
	if _, _, err := eachRPM(ctx, h, l, func(_ string, blob []byte) {
		p, err := rpmdb.Parse(blob)
		if err != nil {
			return
		}
		_ = rpmdb.Files(blob, func(f []byte) bool { mark(p.Name, f); return true })
	}); err != nil && !isNotExist(err) {
		// The rpm section itself tells what is wrong with the database.
		_ = err
	}
	_, _ = eachAPK(ctx, h, l, func(string, apkPackage) {}, mark)
	out := map[string]string{}
	for _, p := range paths {
		if pkg := want[merged(p)]; pkg != "" {
			out[p] = clean(pkg, maxName)
		}
	}
	return out
}

// merged names a path as it is called on systems whose /bin, /sbin and /lib are
// links into /usr, so that both names are one.
func merged(p string) string { return string(mergedBytes([]byte(p))) }

func mergedBytes(p []byte) []byte {
	dir, _, ok := bytes.Cut(p, []byte("/"))
	if !ok {
		return p
	}
	switch string(dir) {
	case "bin", "sbin", "lib", "lib32", "lib64", "libx32":
		return append([]byte("usr/"), p...)
	}
	return p
}

// dpkgFiles calls fn for every path in dpkg's file lists, with the package's name.
func dpkgFiles(ctx context.Context, h Host, l Limits, fn func(pkg string, p []byte)) {
	dir, err := h.resolve(dpkgInfo)
	if err != nil {
		return
	}
	entries, _ := h.readDirAt(dir)
	br := bufio.NewReaderSize(nil, 64<<10)
	for _, e := range entries {
		pkg, ok := strings.CutSuffix(e.Name(), ".list")
		if !ok || !e.Type().IsRegular() {
			continue
		}
		l.yield()
		if ctx.Err() != nil {
			return
		}
		f, err := h.FS.Open(path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		pkg, _, _ = strings.Cut(pkg, ":")
		eachLine(br, &capped{f, l.MaxFileBytes}, func(line []byte) { fn(pkg, line) })
		f.Close()
	}
}

// eachLine calls fn with every line that fits br's buffer; longer ones are no
// paths and are passed over.
func eachLine(br *bufio.Reader, f interface{ Read([]byte) (int, error) }, fn func([]byte)) {
	br.Reset(f)
	for {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = br.ReadSlice('\n')
			}
			line = nil
		}
		if line = trimEOL(line); len(line) > 0 {
			fn(line)
		}
		if err != nil {
			return
		}
	}
}

// installedVersions returns source names and versions of packages by binary
// name, from dpkg's or rpm's database.
func installedVersions(ctx context.Context, h Host, l Limits, names map[string]bool) (map[string]dpkgPackage, error) {
	out := map[string]dpkgPackage{}
	err := eachDPKG(ctx, h, l, func(p dpkgPackage) {
		if names[p.Name] && !p.Residual {
			out[p.Name] = p
		}
	}, nil)
	if isNotExist(err) {
		err = rpmVersions(ctx, h, l, names, out)
	}
	return out, err
}
