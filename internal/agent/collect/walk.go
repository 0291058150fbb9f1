package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// kind is one sort of file that the shared walk looks for.
type kind int

const (
	pythonKind kind = iota // METADATA, PKG-INFO and *.egg-info of installed distributions
	npmKind                // package.json of packages below node_modules
	gemKind                // *.gemspec below specifications
	exeKind                // executables large enough to hold a Go program
	javaKind               // Java archives
	kinds
)

// sweep is the walk over the disk that the collectors of language packages
// share: one walk serves each of them once per pass (a pass is one Host.Now).
// Safe for concurrent use.
type sweep struct {
	mu   sync.Mutex
	pass time.Time // guarded by mu
	root string    // guarded by mu
	have *catch    // what the last walk found and was not taken; guarded by mu
}

// catch is what one walk found: paths relative to the root.
type catch struct {
	lists [kinds][]string
	taken [kinds]bool

	seen    int // directory entries
	deep    int // directories below the depth limit
	closed  int // directories that could not be read
	wide    int // directories with more entries than are listed
	stopped bool
	over    bool // MaxFiles was reached
}

// take returns the paths of one kind, and tells r what the walk left out.
func (s *sweep) take(ctx context.Context, h Host, r *result, k kind) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.have == nil || s.have.taken[k] || !s.pass.Equal(h.Now) || s.root != h.Root || h.Now.IsZero() {
		s.have = walk(ctx, h, r.l)
		s.pass, s.root = h.Now, h.Root
	}
	c := s.have
	list := c.lists[k]
	c.lists[k], c.taken[k] = nil, true
	if c.stopped || c.taken == [kinds]bool{true, true, true, true, true} {
		s.have = nil
	}
	c.tell(r)
	return list
}

// tell adds what was left out to the reason of a section.
func (c *catch) tell(r *result) {
	if c.over {
		r.problem("the disk has more than %d files: the walk stopped there", r.l.MaxFiles)
	}
	if c.deep > 0 {
		r.problem("%d directories deeper than %d levels were left out", c.deep, r.l.MaxDepth)
	}
	if c.wide > 0 {
		r.problem("of %d directories with more than %d entries only the first were read", c.wide, maxDirEntries)
	}
	if c.closed > 0 {
		r.problem("%d directories cannot be read (the agent must run as root)", c.closed)
	}
}

// skipDirs are directories that hold no installed software of this host:
// kernel file systems, caches, temporary files, and the images and layers of
// containers, which are systems of their own.
func skipDirs() map[string]bool {
	m := map[string]bool{}
	for _, d := range []string{
		"proc", "sys", "dev", "run", "tmp", "lost+found", "snap",
		"var/tmp", "var/cache", "var/run", "var/lib/docker", "var/lib/containers", "var/lib/containerd", "var/lib/kubelet",
		"var/lib/machines", "var/lib/lxc", "var/lib/lxd", "var/lib/incus", "var/lib/snapd", "var/lib/flatpak", "var/lib/rancher",
		"var/lib/dpkg", "var/lib/apt", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/zoneinfo", "usr/share/icons",
	} {
		m[d] = true
	}
	return m
}

// skipName reports whether a directory is left out by its name, wherever it is.
func skipName(name string) bool {
	switch name {
	case ".git", ".svn", ".hg", ".cache", "_cacache", "__pycache__", "overlay2":
		return true
	}
	return false
}

// walk visits every directory of the local disks once, never through a
// symbolic link, and sorts what it finds by kind: each list is in order.
func walk(ctx context.Context, h Host, l Limits) *catch {
	w := &walker{h: h, l: l, skip: skipDirs(), todo: []node{{".", 0}}}
	w.more.L = &w.mu
	for _, m := range foreignMounts(h) {
		w.skip[m] = true
	}
	var others sync.WaitGroup
	for range l.Walkers - 1 {
		others.Go(func() { w.run(ctx) })
	}
	w.run(ctx)
	others.Wait()
	if w.panicked != nil {
		panic(w.panicked) // in the collector's own goroutine, where Run expects it
	}
	for k := range w.found.lists {
		slices.Sort(w.found.lists[k])
	}
	return &w.found
}

// node is a directory that is to be visited.
type node struct {
	path  string
	depth int
}

// walker is one walk, that several goroutines share: most of a first walk is
// waiting for the disk, which answers many as fast as one.
type walker struct {
	h    Host
	l    Limits
	skip map[string]bool

	mu       sync.Mutex // guards the fields below
	more     sync.Cond  // todo or busy changed
	todo     []node
	busy     int // goroutines that visit a directory
	found    catch
	panicked any
}

// run visits directories until there are none left.
func (w *walker) run(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.todo) == 0 && w.busy > 0 {
			w.more.Wait()
		}
		if len(w.todo) == 0 {
			return
		}
		n := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.busy++
		w.mu.Unlock()
		c, below, panicked := w.visit(n)
		w.mu.Lock()
		w.busy--
		w.found.add(c)
		w.todo = append(w.todo, below...)
		if panicked != nil {
			w.panicked = panicked
		}
		w.found.stopped = w.found.stopped || ctx.Err() != nil
		w.found.over = w.found.over || w.found.seen > w.l.MaxFiles
		if w.found.stopped || w.found.over || w.panicked != nil {
			w.todo = nil
		}
		w.more.Broadcast()
	}
}

// visit lists one directory: what is in it, and the directories below it.
func (w *walker) visit(n node) (c catch, below []node, panicked any) {
	defer func() { panicked = recover() }()
	w.l.yield()
	list, err := w.h.readDirAt(n.path)
	switch {
	case errors.Is(err, errTooLarge):
		c.wide++
	case err != nil && n.path == ".", err != nil && !isNotExist(err):
		c.closed++
	}
	c.seen = len(list)
	d := describe(n.path)
	for i := len(list) - 1; i >= 0; i-- { // the last of below is visited first
		e := list[i]
		if !e.IsDir() {
			continue
		}
		p := path.Join(n.path, e.Name())
		switch {
		case !fs.ValidPath(p), w.skip[p], skipName(e.Name()), d.isGoCache(w.h, p):
		case d.site && (strings.HasSuffix(e.Name(), ".dist-info") || strings.HasSuffix(e.Name(), ".egg-info")):
			c.lists[pythonKind] = append(c.lists[pythonKind], p)
		case n.depth+1 > w.l.MaxDepth || len(p) > maxPath:
			c.deep++
		default:
			below = append(below, node{p, n.depth + 1})
		}
	}
	for _, e := range list {
		if e.Type().IsRegular() {
			c.file(d, e)
		}
	}
	return c, below, nil
}

// add joins what was found elsewhere.
func (c *catch) add(o catch) {
	for k := range c.lists {
		c.lists[k] = append(c.lists[k], o.lists[k]...)
	}
	c.seen, c.deep, c.closed, c.wide = c.seen+o.seen, c.deep+o.deep, c.closed+o.closed, c.wide+o.wide
}

// place is what the path of a directory says about the files in it.
type place struct {
	path   string
	site   bool // Python's site-packages or dist-packages
	module bool // a package directly below a node_modules
	specs  bool // a directory of gem specifications
}

func describe(dir string) place {
	base, parent := path.Base(dir), path.Dir(dir)
	up := path.Base(parent)
	d := place{path: dir}
	d.site = base == "site-packages" || base == "dist-packages"
	isRoot := func(p string) bool { return path.Base(p) == "node_modules" || p == "usr/share/nodejs" }
	d.module = isRoot(parent) && base[0] != '@' && base[0] != '.' || strings.HasPrefix(up, "@") && isRoot(path.Dir(parent))
	d.specs = base == "specifications" || base == "default" && up == "specifications"
	return d
}

// isGoCache reports whether p is the module cache of the Go toolchain: sources
// and test data, nothing that is installed.
func (d place) isGoCache(h Host, p string) bool {
	if path.Base(p) != "mod" || path.Base(d.path) != "pkg" {
		return false
	}
	_, err := fs.Lstat(h.FS, path.Join(p, "cache/download"))
	return err == nil
}

// file sorts one regular file.
func (c *catch) file(d place, e fs.DirEntry) {
	name := e.Name()
	k := kinds
	ext := strings.ToLower(path.Ext(name))
	switch {
	case d.site && ext == ".egg-info":
		k = pythonKind
	case d.module && name == "package.json":
		k = npmKind
	case d.specs && ext == ".gemspec":
		k = gemKind
	case isArchive(ext):
		k = javaKind
	case !isData(ext) && !strings.Contains(name, ".so."):
		info, err := e.Info()
		if err == nil && info.Size() >= minGoBinary && (info.Mode()&0o111 != 0 || ext == ".exe") {
			k = exeKind
		}
	}
	if k == kinds {
		return
	}
	if p := path.Join(d.path, name); fs.ValidPath(p) && len(p) <= maxPath {
		c.lists[k] = append(c.lists[k], p)
	}
}

func isArchive(ext string) bool {
	switch ext {
	case ".jar", ".war", ".ear", ".hpi", ".jpi":
		return true
	}
	return false
}

// isData reports whether a file with this extension is never an executable
// program; it spares the look at the mode of most files of a disk.
func isData(ext string) bool {
	switch ext {
	case ".py", ".pyc", ".pyi", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".map", ".json", ".md", ".txt", ".rst", ".html", ".htm", ".css", ".scss",
		".c", ".h", ".cc", ".cpp", ".hpp", ".go", ".rs", ".rb", ".pl", ".pm", ".php", ".java", ".class", ".sh", ".bash", ".m4", ".tcl", ".lua",
		".so", ".a", ".o", ".la", ".ko", ".xz", ".gz", ".zst", ".bz2", ".zip", ".tar", ".deb", ".rpm", ".whl", ".gem", ".lz4",
		".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".ttf", ".otf", ".woff", ".woff2", ".pdf", ".ps",
		".xml", ".yml", ".yaml", ".toml", ".ini", ".conf", ".cfg", ".list", ".md5sums", ".mo", ".po", ".gmo", ".log", ".db", ".sqlite",
		".service", ".desktop", ".rules", ".patch", ".diff", ".csv", ".dat", ".bin.map", ".pem", ".crt", ".key", ".mp3", ".mp4", ".wav":
		return true
	}
	return false
}

// foreignMounts returns the mount points of the running host that are left out:
// kernel and network file systems, and what is mounted a second time.
func foreignMounts(h Host) []string {
	if !h.Live {
		return nil
	}
	b, err := h.read("proc/self/mountinfo", 4<<20)
	if err != nil {
		return nil
	}
	return parseMounts(string(b))
}

// parseMounts reads mountinfo (proc_pid_mountinfo(5)).
func parseMounts(info string) []string {
	type mount struct{ dev, root, at string }
	var kept []mount
	var out []string
	for line := range strings.Lines(info) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 1 {
			continue
		}
		m := mount{f[2], unescapeMount(f[3]), strings.TrimPrefix(unescapeMount(f[4]), "/")}
		if m.at == "" { // the root itself, whatever it is
			kept = append(kept, m)
			continue
		}
		again := false
		for _, k := range kept {
			again = again || k.dev == m.dev && (k.root == m.root || k.root == "/" || strings.HasPrefix(m.root, k.root+"/"))
		}
		if !localDisk(g[0]) || again {
			out = append(out, m.at)
			continue
		}
		kept = append(kept, m)
	}
	return out
}

func localDisk(fstype string) bool {
	switch fstype {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "vfat", "exfat", "ntfs3", "apfs", "hfs":
		return true
	}
	return false
}

// unescapeMount undoes the octal escapes of mountinfo.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '\\' && i+3 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+4], "%03o", &c); err == nil {
				b.WriteByte(c)
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
