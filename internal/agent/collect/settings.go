package collect

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// Caps of settings.
const (
	maxConf    = 1 << 20 // bytes of one configuration file
	maxConfAll = 8 << 20 // bytes of all that one section reads
	maxDropIns = 500     // files of one set of drop-in directories
	maxWord    = 512     // bytes of a value, or of one of a list
	maxList    = 100     // values of one setting
)

// fromDefault is the source of a value that no file sets.
const fromDefault = "default"

// settings builds a section of inventory.Setting. A collector puts a setting
// only when everything that decides it was read: what is missing from a
// partial section is "not known", never "not set".
type settings struct {
	*result
	h    Host
	left int64 // bytes that may still be read
}

// beginSettings starts a section of settings. no is the finished section where
// the root is not Linux.
func beginSettings(name inventory.SectionName, h Host, l Limits) (s *settings, no *inventory.Section) {
	if h.Live && runtime.GOOS != "linux" {
		return nil, absent(name, "this section describes Linux systems")
	}
	if !h.exists("etc") {
		return nil, absent(name, "the root file system has no /etc: there is nothing that is configured")
	}
	return &settings{result: begin(name, l), h: h, left: maxConfAll}, nil
}

// set puts a setting of one value.
func (s *settings) set(name, value, source string) {
	s.put(name, inventory.Setting{Value: s.text(value, maxWord), Source: s.text(source, maxPath)})
}

// list puts a setting of several values, in their order.
func (s *settings) list(name string, values []string, source string) {
	s.both(name, "", values, source)
}

// both puts a setting that has a value and a list. A list beyond the cap makes
// the section partial and the setting unread: half of a list proves nothing.
func (s *settings) both(name, value string, values []string, source string) {
	if len(values) > maxList {
		s.unread(name, fmt.Sprintf("it has %d values, more than the %d that are carried", len(values), maxList))
		return
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = s.text(v, maxWord)
	}
	s.put(name, inventory.Setting{Value: s.text(value, maxWord), List: out, Source: s.text(source, maxPath)})
}

// offenders puts a list of what offends. Of many the first are kept, and the
// value says how many there are.
func (s *settings) offenders(name string, values []string, source string) {
	values = sorted(values)
	n := len(values)
	s.both(name, strconv.Itoa(n), values[:min(n, maxList)], source)
}

// unread puts a setting that could not be read.
func (s *settings) unread(name, why string) {
	s.put(name, inventory.Setting{Unread: s.text(why, 1000)})
}

// config returns the text of a configuration file; nil without an error when
// there is none. A file that cannot be read makes the section partial.
func (s *settings) config(name string) ([]byte, error) {
	s.l.yield()
	name = strings.TrimPrefix(name, "/")
	b, err := s.h.read(name, min(maxConf, s.left))
	if s.left -= int64(len(b)); err == nil && b == nil {
		b = []byte{}
	}
	switch {
	case err == nil:
		return b, nil
	case isNotExist(err):
		return nil, nil
	}
	s.problem("/%s cannot be read (%s)%s", name, short(err), mend(err))
	return nil, fmt.Errorf("read /%s: %w", name, err)
}

// mend says how to help an agent that may not read a file.
func mend(err error) string {
	if short(err) == "permission denied" || short(err) == "operation not permitted" {
		return ": run the agent as root"
	}
	return ""
}

// names lists the files of a directory by name, links too; none when it does
// not exist.
func (s *settings) names(dir string) ([]string, error) {
	list, err := s.h.readDir(strings.TrimPrefix(dir, "/"))
	if isNotExist(err) {
		return nil, nil
	}
	if err != nil {
		s.problem("/%s cannot be listed (%s)%s", strings.TrimPrefix(dir, "/"), short(err), mend(err))
		return nil, fmt.Errorf("list /%s: %w", strings.TrimPrefix(dir, "/"), err)
	}
	var out []string
	for _, e := range list {
		if e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0 {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// dropIns returns the files of drop-in directories in the order in which
// systemd and its like read them: by file name; of equal names only the one in
// the first directory counts.
func (s *settings) dropIns(suffix string, dirs ...string) ([]string, error) {
	at := map[string]string{}
	for _, dir := range dirs {
		names, err := s.names(dir)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if strings.HasSuffix(n, suffix) && at[n] == "" {
				at[n] = path.Join(dir, n)
			}
		}
	}
	var out []string
	for _, p := range at {
		if !s.masked(p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(strings.Compare(path.Base(a), path.Base(b)), strings.Compare(a, b))
	})
	if len(out) > maxDropIns {
		s.problem("%s holds more than %d files: they were not read", strings.Join(dirs, ", "), maxDropIns)
		return nil, errReadEnough
	}
	return out, nil
}

// masked reports whether a file is a link to /dev/null, which takes it out.
func (s *settings) masked(file string) bool {
	to, err := s.h.resolve(file)
	return err == nil && to == "dev/null"
}

// glob returns the files that match a pattern with "*" in its last element,
// sorted.
func (s *settings) glob(pattern string) ([]string, error) {
	dir, base := path.Split(pattern)
	if strings.ContainsAny(dir, "*?[") {
		s.problem("the include pattern %s cannot be followed", pattern)
		return nil, fmt.Errorf("include %q: pattern in a directory name", pattern)
	}
	if !strings.ContainsAny(base, "*?[") {
		if !s.h.exists(strings.TrimPrefix(pattern, "/")) {
			return nil, nil
		}
		return []string{pattern}, nil
	}
	names, err := s.names(dir)
	var out []string
	for _, n := range names {
		if ok, _ := path.Match(base, n); ok {
			out = append(out, path.Join(dir, n))
		}
	}
	if len(out) > maxDropIns {
		s.problem("%s stands for more than %d files: they were not read", pattern, maxDropIns)
		return nil, errReadEnough
	}
	return out, err
}

// at names a line of a file.
func at(file string, line int) string {
	if !strings.HasPrefix(file, "/") {
		file = "/" + file
	}
	return file + ":" + strconv.Itoa(line)
}
