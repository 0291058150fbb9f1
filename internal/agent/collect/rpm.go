package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/rpmdb"
	"github.com/picketsec/picket/internal/inventory"
)

// rpmDatabases are the places of rpm's database, newest convention first.
func rpmDatabases() []string {
	var all []string
	for _, dir := range []string{"usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"} {
		for _, f := range []string{"rpmdb.sqlite", "Packages.db", "Packages"} {
			all = append(all, dir+"/"+f)
		}
	}
	return all
}

func rpmWatch() []string {
	all := rpmDatabases()
	for _, dir := range []string{"usr/lib/sysimage/rpm", "var/lib/rpm"} {
		all = append(all, dir+"/rpmdb.sqlite-wal")
	}
	return all
}

var errWritten = errors.New("it was written while it was read; it is read again when the writing ends")

// eachRPM calls fn for every header of the root's rpm database. file is where
// it is. The error is fs.ErrNotExist where there is none.
func eachRPM(ctx context.Context, h Host, l Limits, fn func(file string, blob []byte)) (file string, st rpmdb.Stats, err error) {
	for _, file := range rpmDatabases() {
		f, before, err := h.open(file)
		if isNotExist(err) {
			continue
		}
		if err != nil {
			return file, st, err
		}
		st, err = readRPM(ctx, h, l, file, f, before.Size(), func(blob []byte) { fn(file, blob) })
		after, statErr := f.Stat()
		f.Close()
		if err == nil && (statErr != nil || !after.ModTime().Equal(before.ModTime()) || after.Size() != before.Size() || h.nonEmpty(file+"-journal")) {
			err = errWritten
		}
		return file, st, err
	}
	return "", st, fs.ErrNotExist
}

func readRPM(ctx context.Context, h Host, l Limits, file string, f fs.File, size int64, fn func([]byte)) (rpmdb.Stats, error) {
	src := rpmdb.Source{Size: size}
	var ok bool
	if src.DB, ok = f.(io.ReaderAt); !ok {
		return rpmdb.Stats{}, errors.New("the file system gives no random access")
	}
	src.DB = &pausingAt{ctx: ctx, l: l, r: src.DB, left: math.MaxInt64}
	if w, info, err := h.open(file + "-wal"); err == nil {
		defer w.Close()
		if src.WAL, ok = w.(io.ReaderAt); ok {
			src.WALSize = info.Size()
		}
	} else if !isNotExist(err) {
		return rpmdb.Stats{}, fmt.Errorf("the write-ahead log beside it: %w", err)
	}
	return rpmdb.Each(src, func(blob []byte) error {
		fn(blob)
		return ctx.Err()
	})
}

// collectRPM lists the packages of rpm's database, whichever of its three
// formats it has. Public keys ("gpg-pubkey") are no packages.
func collectRPM(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.RPM, l)
	file, st, err := eachRPM(ctx, h, l, func(file string, blob []byte) {
		p, err := rpmdb.Parse(blob)
		if err != nil {
			r.skip("package header that cannot be read")
			return
		}
		if p.Name == "gpg-pubkey" {
			return
		}
		out := inventory.Package{
			Ecosystem: inventory.EcoRPM,
			Name:      r.text(p.Name, maxName), Version: r.text(p.EVR(), maxVersion), Arch: r.text(p.Arch, 32),
			Vendor: clean(p.Vendor, 256), Summary: clean(p.Summary, maxSummary), Module: r.text(p.Module(), 256),
			InstalledAt: p.Installed, Paths: []string{abs(file)},
		}
		name, evr := p.Source()
		out.Source, out.SourceVersion = r.text(name, maxName), r.text(evr, maxVersion)
		r.put(out.Name+"-"+out.Arch+"@"+out.Version, out)
	})
	if isNotExist(err) {
		return absent(inventory.RPM, "there is no rpm database in /usr/lib/sysimage/rpm or /var/lib/rpm")
	}
	if err != nil && ctx.Err() == nil {
		r.problem("the rpm database at %s was not read in full: %s; rpm --rebuilddb mends a damaged one", abs(file), short(err))
	}
	if st.Damaged > 0 {
		r.problem("%d damaged records in the rpm database at %s were left out; rpm --rebuilddb mends it", st.Damaged, abs(file))
	}
	return r.done(ctx)
}

// rpmKernel finds the package whose "version-release.arch" is the release of
// the running kernel; a "-core" package, which holds the kernel, wins over the
// meta package of the same version.
func rpmKernel(ctx context.Context, h Host, l Limits, release string) (name, version string, err error) {
	plain, variant, _ := strings.Cut(release, "+") // "…x86_64+debug", "…x86_64+rt"
	_, _, err = eachRPM(ctx, h, l, func(_ string, blob []byte) {
		p, err := rpmdb.Parse(blob)
		if err != nil || !strings.HasPrefix(p.Name, "kernel") || strings.HasSuffix(name, "-core") {
			return
		}
		for _, part := range []string{"-devel", "-headers", "-modules", "-tools", "-doc", "-debuginfo", "-srpm-macros", "-firmware"} {
			if strings.Contains(p.Name, part) {
				return
			}
		}
		for _, v := range []string{"rt", "debug", "64k"} { // of one source and version
			if runs := strings.Contains(variant, v) || strings.Contains(plain, "."+v); strings.Contains(p.Name, "-"+v) != runs {
				return
			}
		}
		vr := p.Version + "-" + p.Release
		if vr+"."+p.Arch == plain || suseRelease(p, release) {
			name, version = p.Name, p.EVR()
		}
	})
	return name, version, err
}

// rpmVersions returns source names and versions of packages by binary name.
func rpmVersions(ctx context.Context, h Host, l Limits, names map[string]bool, out map[string]dpkgPackage) error {
	_, _, err := eachRPM(ctx, h, l, func(_ string, blob []byte) {
		p, err := rpmdb.Parse(blob)
		if err != nil || !names[p.Name] {
			return
		}
		var d dpkgPackage
		d.Name, d.Version = p.Name, p.EVR()
		d.Source, d.SourceVersion = p.Source()
		out[p.Name] = d
	})
	return err
}

// suseRelease reports whether a SUSE kernel package ("kernel-default"
// 5.14.21-150500.55.19.1) carries the release "5.14.21-150500.55.19-default":
// the last number of the package's release is a rebuild count.
func suseRelease(p *rpmdb.Package, release string) bool {
	flavour, ok := strings.CutPrefix(p.Name, "kernel-")
	if !ok {
		return false
	}
	vr, ok := strings.CutSuffix(release, "-"+flavour)
	return ok && strings.HasPrefix(p.Version+"-"+p.Release+".", vr+".")
}
