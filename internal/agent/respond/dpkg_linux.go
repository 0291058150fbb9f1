package respond

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// dpkgDir is where Debian's package database is.
const dpkgDir = "/var/lib/dpkg"

const mostDpkg = 64 << 20 // bytes of one file of the database

// packages asks the package database who has the files, and compares them.
func (x *examination) packages() {
	lists, err := os.ReadDir(filepath.Join(x.r.dpkg, "info"))
	if err != nil {
		for i := range x.out.Files {
			x.out.Files[i].NoPackage = "The package database of this system is not one of dpkg: packages were not asked."
		}
		return
	}
	wanted := map[string][]int{} // by a path that dpkg may know
	for i := range x.out.Files {
		f := &x.out.Files[i]
		if f.SHA256 == "" {
			continue
		}
		for _, name := range []string{f.Path, f.Target} {
			for _, n := range aliases(name) {
				wanted[n] = append(wanted[n], i)
			}
		}
	}
	owners := map[string][]string{} // paths by package
	for _, e := range lists {
		pkg, ok := strings.CutSuffix(e.Name(), ".list")
		if !ok || len(wanted) == 0 {
			continue
		}
		if x.ctx.Err() != nil {
			return
		}
		began := time.Now()
		_ = eachLine(filepath.Join(x.r.dpkg, "info", e.Name()), func(line []byte) { // a list that cannot be read has no files
			if wanted[string(line)] != nil {
				owners[pkg] = append(owners[pkg], string(line))
			}
		})
		x.pace.rest(x.ctx, time.Since(began))
	}
	if len(owners) == 0 {
		return
	}
	versions, configs := x.dpkgStatus(owners)
	for pkg, paths := range owners {
		sums := map[string]string{}
		_ = eachLine(filepath.Join(x.r.dpkg, "info", pkg+".md5sums"), func(line []byte) { // a package without sums is not compared
			if sum, name, ok := bytes.Cut(line, []byte("  ")); ok && wanted["/"+string(name)] != nil {
				sums["/"+string(name)] = string(sum)
			}
		})
		for _, name := range paths {
			sum, config := sums[name], false
			if c, ok := configs[pkg][name]; ok {
				sum, config = c, true
			}
			for _, i := range wanted[name] {
				x.owned(i, strings.TrimSpace(pkg+" "+versions[pkg]), sum, config)
			}
		}
	}
}

// owned notes that a package has a file. Of several, as with diversions, one that the
// file equals counts.
func (x *examination) owned(i int, pkg, sum string, config bool) {
	f := &x.out.Files[i]
	how := NotCompared
	if len(sum) == md5.Size*2 {
		if how = Different; sum == x.md5s[f.Path] {
			how = Same
		}
	}
	if f.Integrity == Same || f.Integrity != "" && how != Same {
		return
	}
	f.Package, f.Integrity, f.Config = clip(pkg, 200), how, config
}

// dpkgStatus reads the versions of packages, and the checksums of their
// configuration files.
func (x *examination) dpkgStatus(of map[string][]string) (versions map[string]string, configs map[string]map[string]string) {
	versions, configs = map[string]string{}, map[string]map[string]string{}
	var pkg, arch, version string
	sums, inside := map[string]string{}, false
	flush := func() {
		for _, key := range []string{pkg, pkg + ":" + arch} {
			if of[key] != nil {
				versions[key], configs[key] = version, sums
			}
		}
		pkg, arch, version, sums, inside = "", "", "", map[string]string{}, false
	}
	x.note(eachLine(filepath.Join(x.r.dpkg, "status"), func(b []byte) {
		line := string(b)
		if inside && strings.HasPrefix(line, " ") {
			if f := strings.Fields(line); len(f) >= 2 {
				sums[f[0]] = f[1]
			}
			return
		}
		inside = false
		switch key, value, _ := strings.Cut(line, ":"); key {
		case "":
			if line == "" {
				flush()
			}
		case "Package":
			pkg = strings.TrimSpace(value)
		case "Architecture":
			arch = strings.TrimSpace(value)
		case "Version":
			version = strings.TrimSpace(value)
		case "Conffiles":
			inside = true
		}
	}))
	flush()
	return versions, configs
}

// eachLine calls fn for the lines of a file, without their ends.
func eachLine(name string, fn func(line []byte)) error {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, mostDpkg))
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for lines.Scan() {
		fn(lines.Bytes())
	}
	return lines.Err()
}

// aliases are the paths under which dpkg may know a file: /bin and the like may be
// links into /usr.
func aliases(name string) []string {
	if name == "" {
		return nil
	}
	out := []string{name}
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"} {
		switch {
		case strings.HasPrefix(name, dir):
			out = append(out, "/usr"+name)
		case strings.HasPrefix(name, "/usr"+dir):
			out = append(out, strings.TrimPrefix(name, "/usr"))
		}
	}
	return out
}
