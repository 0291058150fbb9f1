package collect

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"runtime/debug"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// minGoBinary is the least size of a file that may be a Go program, in bytes:
// the runtime alone is larger.
const minGoBinary = 200 << 10

// maxBuildInfoRead bounds what is read of one file to find its build
// information, in bytes: the readers of executable formats hold whole symbol
// tables in memory, of whatever size a file claims.
const maxBuildInfoRead = 24 << 20

var errNoGo = errors.New("not a Go program")

// collectGo lists the modules that are linked into the Go programs on the disk,
// by the build information that the linker put there, and the toolchain's
// standard library as the module "stdlib".
func (s *sweep) collectGo(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.GoBinaries, l)
	type program struct {
		path string
		info *buildinfo.BuildInfo
	}
	var all []program
	var paths []string
	for _, p := range s.take(ctx, h, r, exeKind) {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		info, err := readBuildInfo(ctx, h, l, p)
		switch {
		case err == nil:
			all = append(all, program{p, info})
			paths = append(paths, p)
		case errors.Is(err, errNoGo), isNotExist(err):
		default:
			r.skip("Go program whose build information cannot be read")
		}
	}
	owner := owners(ctx, h, l, paths)
	for _, g := range all {
		where := r.text(abs(g.path), maxPath)
		put := func(name, version string) {
			name, version = r.text(name, maxName), r.text(version, maxVersion)
			r.put(name+"@"+where, inventory.Package{
				Ecosystem: inventory.EcoGo, Name: name, Version: version, Source: owner[g.path], Paths: []string{where},
			})
		}
		if v := goRelease(g.info.GoVersion); v != "" {
			put("stdlib", v)
		}
		if m := g.info.Main; m.Path != "" && m.Version != "" && m.Version != "(devel)" {
			put(m.Path, m.Version)
		}
		for _, m := range g.info.Deps {
			if m == nil {
				continue
			}
			put(goModule(m))
		}
	}
	return r.done(ctx)
}

// goModule is the module whose code is linked: the replacement where there is
// one. A module that was replaced by a directory has no version: it is listed
// under its own name and cannot be assessed.
func goModule(m *debug.Module) (name, version string) {
	switch {
	case m.Replace == nil:
		return m.Path, m.Version
	case m.Replace.Version == "" || m.Replace.Version == "(devel)":
		return m.Path, ""
	}
	return m.Replace.Path, m.Replace.Version
}

// goRelease turns "go1.26.8 X:boringcrypto" into "1.26.8"; empty for
// development versions.
func goRelease(v string) string {
	v, _, _ = strings.Cut(v, " ")
	v, ok := strings.CutPrefix(v, "go")
	if !ok || v == "" || v[0] < '0' || v[0] > '9' {
		return ""
	}
	return v
}

// readBuildInfo reads the build information of one executable. It looks at the
// first bytes, then for the section that only Go programs have, before it reads
// anything larger. errNoGo says that the file is no Go program.
func readBuildInfo(ctx context.Context, h Host, l Limits, p string) (info *buildinfo.BuildInfo, err error) {
	f, _, err := h.openAt(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: p, Err: errors.New("no random access")}
	}
	return parseBuildInfo(&pausingAt{ctx: ctx, l: l, r: at, left: maxBuildInfoRead})
}

func parseBuildInfo(at io.ReaderAt) (info *buildinfo.BuildInfo, err error) {
	var magic [4]byte
	if _, err := at.ReadAt(magic[:], 0); err != nil {
		return nil, errNoGo
	}
	// The readers of executable formats are fed by any file of the disk: a
	// panic of theirs is that file's fault alone.
	defer func() {
		if recover() != nil {
			info, err = nil, errors.New("damaged executable")
		}
	}()
	switch {
	case string(magic[:]) == elf.ELFMAG:
		if !hasGoSection(at) {
			return nil, errNoGo
		}
	case magic[0] == 'M' && magic[1] == 'Z',
		bytes.Equal(magic[:3], []byte{0xce, 0xfa, 0xed}), bytes.Equal(magic[:3], []byte{0xcf, 0xfa, 0xed}),
		bytes.Equal(magic[:], []byte{0xfe, 0xed, 0xfa, 0xce}), bytes.Equal(magic[:], []byte{0xfe, 0xed, 0xfa, 0xcf}),
		bytes.Equal(magic[:], []byte{0xca, 0xfe, 0xba, 0xbe}):
		info, err = buildinfo.Read(at)
		if err != nil {
			return nil, errNoGo // most programs of these systems are not Go's
		}
		return info, nil
	default:
		return nil, errNoGo
	}
	return buildinfo.Read(at)
}

// hasGoSection reports whether an ELF file has Go's build information section.
func hasGoSection(at io.ReaderAt) bool {
	f, err := elf.NewFile(at)
	if err != nil {
		return false
	}
	for _, s := range f.Sections {
		if s.Name == ".go.buildinfo" {
			return true
		}
	}
	return false
}
