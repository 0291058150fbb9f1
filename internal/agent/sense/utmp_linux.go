package sense

import (
	"context"
	"os"
	"time"
)

// utmp reads the files in which programs note who came and went: for hosts
// without a journal.
type utmp struct {
	h     *host
	files [2]growing // logons, failed ones
	open  map[string]logon
}

// growing is a file that records are added to.
type growing struct {
	name string
	info os.FileInfo
	at   int64
}

func openUtmp(_ context.Context, h *host) (running, error) {
	u := &utmp{h: h, open: map[string]logon{}}
	u.files[0].name, u.files[1].name = "/var/log/wtmp", "/var/log/btmp"
	info, err := os.Stat(u.files[0].name)
	if err != nil {
		return nil, err
	}
	u.files[0].info, u.files[0].at = info, info.Size()
	if info, err := os.Stat(u.files[1].name); err == nil {
		u.files[1].info, u.files[1].at = info, info.Size()
	}
	return u, nil
}

// Run implements running.
func (u *utmp) Run(ctx context.Context) error {
	n, err := newNotices(growsMask)
	if err != nil {
		return err
	}
	defer n.close()
	defer interruptible(ctx, n.file)()
	for {
		// The files themselves: others of their directory are written all the time.
		if err := n.set([]string{u.files[0].name, u.files[1].name}); err != nil {
			return err
		}
		more := false
		for i := range u.files {
			more = u.files[i].read(func(raw []byte) {
				r := parseUtmp(raw)
				if l, ok := r.logon(i == 1, u.open); ok {
					u.h.put(u.h.logonEvent(&l, r.pid, SourceUtmp), Now()-time.Since(r.at))
				}
			}) || more
		}
		if !more {
			if err := n.wait(ctx, time.Now().Add(journalAnyway)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// read gives the records that were added, at most so many at a time, and says
// whether there are more.
func (g *growing) read(each func(raw []byte)) (more bool) {
	info, err := os.Stat(g.name)
	if err != nil {
		return false
	}
	if g.info == nil || !os.SameFile(info, g.info) || info.Size() < g.at {
		g.at = 0 // a new file
	}
	g.info = info
	if info.Size() < g.at+utmpSize {
		return false
	}
	f, err := os.Open(g.name)
	if err != nil {
		return false
	}
	defer f.Close()
	var raw [utmpSize]byte
	for range 1000 {
		if _, err := f.ReadAt(raw[:], g.at); err != nil {
			return false
		}
		g.at += utmpSize
		each(raw[:])
	}
	return true
}
