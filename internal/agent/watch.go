package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// A change is passed on when nothing more happened for quiet, and at the
// latest after patience: package managers write their database many times.
const (
	quiet      = 300 * time.Millisecond
	patience   = 1500 * time.Millisecond
	pollOften  = 2 * time.Second  // where the system does not tell of changes
	pollSeldom = 30 * time.Second // where it does
)

// point is one place to be watched: an entry of a directory, or with an empty
// name every entry of it.
type point struct{ dir, name string }

// watched is a path of a collector and the sections that depend on it.
type watched struct {
	path     string
	sections []inventory.SectionName
	points   []point
	print    string
}

// notifier tells of changes in directories.
type notifier interface {
	// Watch replaces the set of directories (absolute paths). Directories that
	// cannot be watched are left out; the error names the first.
	Watch(dirs []string) error
	// Events delivers the points that changed; a zero point means anything may have.
	Events() <-chan point
	Close() error
}

// watch turns changes of files into looks at sections, until ctx ends.
func (g *gatherer) watch(ctx context.Context) error {
	dir, _ := g.cfg.hostRoot()
	list := g.watchList()
	every := pollOften
	var events <-chan point
	n, err := newNotifier()
	if err != nil {
		g.log.WarnContext(ctx, "changes are noticed by polling: the system does not tell of them", "error", err)
	} else {
		defer n.Close()
		events = n.Events()
		if tellsChanges(dir) {
			every = g.seldom
		}
	}
	arm := func() {
		seen := map[string]bool{}
		var dirs []string
		for i := range list {
			list[i].points, list[i].print = survey(dir, list[i].path)
			for _, p := range list[i].points {
				if !seen[p.dir] {
					seen[p.dir] = true
					dirs = append(dirs, p.dir)
				}
			}
		}
		if n == nil {
			return
		}
		if err := n.Watch(dirs); err != nil && every != pollOften {
			every = pollOften
			g.log.WarnContext(ctx, "some changes are noticed by polling", "error", err)
		}
	}
	arm()
	poll := time.NewTimer(every)
	defer poll.Stop()
	var pending debounce
	for {
		wait, waiting := pending.wait(time.Now())
		due := time.NewTimer(wait)
		if !waiting {
			due.Stop()
		}
		select {
		case <-ctx.Done():
			due.Stop()
			return ctx.Err()
		case p, ok := <-events:
			if !ok {
				return errors.New("watch of the file system ended")
			}
			pending.add(touches(list, p), time.Now())
		case <-poll.C:
			for i := range list {
				if _, print := survey(dir, list[i].path); print != list[i].print {
					list[i].print = print
					pending.add(list[i].sections, time.Now())
				}
			}
			poll.Reset(every)
		case <-due.C:
			names := pending.take()
			g.log.DebugContext(ctx, "change noticed", "sections", names)
			arm()
			g.trigger(names...)
		}
		due.Stop()
	}
}

// watchList joins the paths of all collectors.
func (g *gatherer) watchList() []watched {
	at := map[string]int{}
	var list []watched
	for _, c := range g.collectors {
		for _, p := range c.Watch {
			i, ok := at[p]
			if !ok {
				i = len(list)
				at[p] = i
				list = append(list, watched{path: p})
			}
			list[i].sections = append(list[i].sections, c.Name)
		}
	}
	return list
}

// touches returns the sections that a changed point concerns.
func touches(list []watched, p point) []inventory.SectionName {
	var names []inventory.SectionName
	for _, w := range list {
		for _, q := range w.points {
			if p.dir == "" || p.dir == q.dir && (q.name == "" || p.name == "" || p.name == q.name) {
				names = append(names, w.sections...)
				break
			}
		}
	}
	return names
}

// maxHops bounds the symbolic links on the way to a watched path.
const maxHops = 40

// survey walks from root to a path below it and returns every place whose
// change would change what the path stands for: the links on the way, the
// entry itself, the entries of a directory, or the first part that does not
// exist. Absolute links begin at root again, as for a process that is confined
// to it. print changes when the file or directory at the end does.
func survey(root, name string) (points []point, print string) {
	rest := strings.Split(name, "/")
	cur := "."
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			cur = path.Dir(cur)
			continue
		}
		dir := filepath.Join(root, filepath.FromSlash(cur))
		full := filepath.Join(dir, part)
		info, err := os.Lstat(full)
		if err != nil {
			return append(points, point{dir, part}), "missing " + cur + "/" + part
		}
		if info.Mode()&os.ModeSymlink != 0 {
			points = append(points, point{dir, part})
			to, err := os.Readlink(full)
			if hops++; err != nil || hops > maxHops || len(rest) > 1000 {
				return points, "broken"
			}
			if path.IsAbs(filepath.ToSlash(to)) {
				cur = "."
			}
			rest = append(strings.Split(filepath.ToSlash(to), "/"), rest...)
			continue
		}
		cur = path.Join(cur, part)
		if len(rest) > 0 {
			continue
		}
		points = append(points, point{dir, part})
		if info.IsDir() {
			points = append(points, point{full, ""})
		}
		print = fmt.Sprintf("%s %d %d %v", cur, info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return points, print
}

// debounce collects sections until a burst of changes is over.
type debounce struct {
	names map[inventory.SectionName]bool
	first time.Time
	last  time.Time
}

func (d *debounce) add(names []inventory.SectionName, now time.Time) {
	if len(names) == 0 {
		return
	}
	if len(d.names) == 0 {
		d.names, d.first = map[inventory.SectionName]bool{}, now
	}
	for _, n := range names {
		d.names[n] = true
	}
	d.last = now
}

// wait says in how long what was collected is due; ok is false when nothing was.
func (d *debounce) wait(now time.Time) (in time.Duration, ok bool) {
	if len(d.names) == 0 {
		return 0, false
	}
	at := d.last.Add(quiet)
	if end := d.first.Add(patience); end.Before(at) {
		at = end
	}
	return max(at.Sub(now), 0), true
}

func (d *debounce) take() []inventory.SectionName {
	var names []inventory.SectionName
	for _, n := range inventory.SectionNames {
		if d.names[n] {
			names = append(names, n)
		}
	}
	d.names = nil
	return names
}
