package collect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// Bounds of one archive on the disk with all that is nested in it.
const (
	maxArchiveDepth = 4        // archives in archives
	maxNested       = 4_000    // nested archives
	maxHeld         = 24 << 20 // bytes of packed nested archives that are unpacked in memory at a time
	maxUnpacked     = 1 << 30  // bytes unpacked in all
)

// collectJava lists the Maven coordinates of the Java archives on the disk, and
// of those nested in them.
func (s *sweep) collectJava(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.Java, l)
	files := s.take(ctx, h, r, javaKind)
	owner := owners(ctx, h, l, files)
	for _, f := range files {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		file, info, err := h.openAt(f)
		if err != nil {
			if !isNotExist(err) {
				r.skip("Java archive that cannot be opened (" + short(err) + ")")
			}
			continue
		}
		if at, ok := file.(io.ReaderAt); ok {
			a := &archive{ctx: ctx, r: r, owner: owner[f], held: maxHeld, unpacked: maxUnpacked, nested: maxNested}
			a.read(at, info.Size(), abs(f), 0)
		} else {
			r.skip("Java archive on a file system without random access")
		}
		file.Close()
	}
	return r.done(ctx)
}

// archive is the state of reading one archive of the disk.
type archive struct {
	ctx      context.Context
	r        *result
	owner    string
	held     int64 // what is left of maxHeld
	unpacked int64 // what is left of maxUnpacked
	nested   int   // what is left of maxNested
}

// read lists one archive; where is its path, "a.jar!/lib/b.jar" when nested.
func (a *archive) read(at io.ReaderAt, size int64, where string, depth int) {
	var manifest *zipEntry
	poms := 0
	err := eachZipEntry(at, size, wantEntry, func(e zipEntry) error {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		a.r.l.yield()
		switch {
		case e.name == "META-INF/MANIFEST.MF":
			manifest = &e
		case strings.HasSuffix(e.name, "/pom.properties"):
			if b := a.small(&e, at, size); b != nil {
				group, artifact, version := parsePomProperties(b)
				poms += a.put(group, artifact, version, where)
			}
		default:
			a.inner(&e, at, size, where, depth)
		}
		return nil
	})
	if err != nil && a.ctx.Err() == nil {
		if errors.Is(err, errZip) && size == 0 {
			return // an empty file is an empty archive
		}
		a.r.skip("Java archive that cannot be read in full (" + strings.TrimPrefix(err.Error(), errZip.Error()+": ") + ")")
	}
	if poms == 0 && manifest != nil {
		if b := a.small(manifest, at, size); b != nil {
			group, artifact, version := parseManifest(b)
			a.put(group, artifact, version, where)
		}
	}
}

func wantEntry(name []byte) bool {
	switch {
	case string(name) == "META-INF/MANIFEST.MF":
		return true
	case bytes.HasPrefix(name, []byte("META-INF/maven/")):
		return bytes.HasSuffix(name, []byte("/pom.properties"))
	}
	dot := bytes.LastIndexByte(name, '.')
	return dot >= 0 && len(name)-dot <= 4 && isArchive(string(bytes.ToLower(name[dot:])))
}

// put adds one package and returns 1, or 0 when the coordinates are not whole.
func (a *archive) put(group, artifact, version, where string) int {
	if group == "" || artifact == "" || version == "" || strings.Contains(group+artifact+version, "${") {
		return 0
	}
	r := a.r
	p := inventory.Package{
		Ecosystem: inventory.EcoMaven, Name: r.text(group+":"+artifact, maxName), Version: r.text(version, maxVersion),
		Source: a.owner, Paths: []string{r.text(where, maxPath)},
	}
	r.put(p.Name+"@"+p.Paths[0], p)
	return 1
}

// small reads a text member.
func (a *archive) small(e *zipEntry, at io.ReaderAt, size int64) []byte {
	src, err := e.open(at, size)
	if err != nil {
		a.r.skip("damaged member of a Java archive")
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(src, 64<<10))
	if a.unpacked -= int64(len(b)); err != nil {
		a.r.skip("damaged member of a Java archive")
		return nil
	}
	return b
}

// inner reads an archive in the archive: in place where it is stored plainly,
// in memory where it is packed.
func (a *archive) inner(e *zipEntry, at io.ReaderAt, size int64, where string, depth int) {
	if depth+1 > maxArchiveDepth {
		a.r.skip("Java archive nested too deep")
		return
	}
	if a.nested--; a.nested < 0 {
		a.r.skip("Java archive beyond the count of nested ones that is read")
		return
	}
	where += "!/" + strings.TrimPrefix(path.Clean("/"+e.name), "/")
	if len(where) > maxPath {
		a.r.skip("Java archive nested under a path too long")
		return
	}
	if e.method == 0 {
		s, err := e.data(at, size)
		if err != nil {
			a.r.skip("damaged member of a Java archive")
			return
		}
		a.read(s, s.Size(), where, depth+1)
		return
	}
	limit := min(a.held, a.unpacked)
	src, err := e.open(at, size)
	if err != nil {
		a.r.skip("damaged member of a Java archive")
		return
	}
	if e.plain > uint64(limit) {
		a.r.skip("packed Java archive in an archive that is too large to be read")
		return
	}
	var buf bytes.Buffer
	buf.Grow(int(min(e.plain, 1<<20)))
	n, err := io.Copy(&buf, io.LimitReader(src, limit+1))
	a.unpacked -= n
	switch {
	case err != nil:
		a.r.skip("damaged member of a Java archive")
		return
	case n > limit:
		a.r.skip("packed Java archive in an archive that is too large to be read")
		return
	}
	a.held -= int64(buf.Cap())
	a.read(bytes.NewReader(buf.Bytes()), n, where, depth+1)
	a.held += int64(buf.Cap())
}

// parsePomProperties reads the coordinates that Maven puts into an archive.
func parsePomProperties(b []byte) (group, artifact, version string) {
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		i := strings.IndexAny(line, "=:")
		if i < 0 {
			continue
		}
		v := strings.TrimSpace(line[i+1:])
		switch strings.TrimSpace(line[:i]) {
		case "groupId":
			group = v
		case "artifactId":
			artifact = v
		case "version":
			version = v
		}
	}
	return group, artifact, version
}

// parseManifest reads coordinates from the main section of a manifest, where it
// names a full group and artifact; otherwise they stay empty: a title alone is
// no evidence of what a file is.
func parseManifest(b []byte) (group, artifact, version string) {
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n ", "")
	v := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		if k, val, ok := strings.Cut(line, ": "); ok && len(v) < 1000 {
			v[strings.ToLower(k)] = strings.TrimSpace(val)
		}
	}
	if v["group-id"] != "" && v["short-name"] != "" { // Jenkins plug-ins
		return v["group-id"], v["short-name"], v["plugin-version"]
	}
	group, artifact, version = v["implementation-vendor-id"], v["implementation-title"], v["implementation-version"]
	if !strings.Contains(group, ".") || strings.ContainsAny(group+artifact, " \t/:") {
		return "", "", ""
	}
	return group, artifact, version
}
