package collect

import (
	"context"
	"path"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

func pythonWatch() []string {
	all := []string{"usr/lib/python3/dist-packages"}
	for _, v := range []string{"3.9", "3.10", "3.11", "3.12", "3.13", "3.14"} {
		all = append(all, "usr/local/lib/python"+v+"/dist-packages", "usr/local/lib/python"+v+"/site-packages", "usr/lib/python"+v+"/site-packages")
	}
	return all
}

// collectPython lists the Python distributions installed anywhere on the disk:
// what has its metadata in a site-packages or dist-packages directory, virtual
// environments included.
func (s *sweep) collectPython(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.Python, l)
	type dist struct{ file, name, version, summary string }
	var all []dist
	var files []string
	for _, p := range s.take(ctx, h, r, pythonKind) {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		d := dist{}
		for _, f := range []string{p + "/METADATA", p + "/PKG-INFO", p} {
			name, version, summary, err := readMetadata(h, f, l)
			if err == nil {
				d = dist{f, name, version, summary}
				break
			}
		}
		if d.name == "" || d.version == "" {
			// Metadata that cannot be read: the directory's name still says what it is.
			base := strings.TrimSuffix(strings.TrimSuffix(path.Base(p), ".dist-info"), ".egg-info")
			name, version, ok := strings.Cut(base, "-")
			version, _, _ = strings.Cut(version, "-py")
			if !ok || version == "" {
				r.skip("Python distribution without readable metadata")
				continue
			}
			d = dist{file: p, name: name, version: version}
		}
		all = append(all, d)
		files = append(files, d.file)
	}
	owner := owners(ctx, h, l, files)
	for _, d := range all {
		p := inventory.Package{
			Ecosystem: inventory.EcoPyPI, Name: r.text(normalPyPI(d.name), maxName), Version: r.text(d.version, maxVersion),
			Source: owner[d.file], Summary: clean(d.summary, maxSummary), Paths: []string{r.text(abs(d.file), maxPath)},
		}
		r.put(p.Name+"@"+p.Paths[0], p)
	}
	return r.done(ctx)
}

// readMetadata reads the head of a METADATA or PKG-INFO file ("Core metadata
// specifications"); the description that may follow is not read.
func readMetadata(h Host, file string, l Limits) (name, version, summary string, err error) {
	f, _, err := h.openAt(file)
	if err != nil {
		return "", "", "", err
	}
	defer f.Close()
	s := newStanzasSize(&capped{f, min(l.MaxFileBytes, 8<<20)}, 8<<10, "Name", "Version", "Summary")
	if _, err := s.next(); err != nil {
		return "", "", "", err
	}
	return s.get(0), s.get(1), s.get(2), nil
}

// normalPyPI is the normalised form of PEP 503: lower case, runs of "-", "_"
// and "." as one "-".
func normalPyPI(name string) string {
	var b strings.Builder
	dash := false
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}
