package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/rig"
)

// activityShare is what the agent's spool has for what is no detection, in bytes.
const activityShare = 192 << 20

// agentSpool takes the server away from an agent of this very machine and looks
// how its spool grows, first while nothing is done and then while Go's standard
// library is built: for how long what waits would find room.
func agentSpool(b *bench) ([]figure, error) {
	seconds := b.number("SECONDS", 300)
	w, err := startWatched(b)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	kept, lost, err := w.counts(b.ctx)
	if err != nil {
		return nil, err
	}
	w.srv.Kill()
	dir := filepath.Join(b.dir, "state", "activity")
	grown := func(during func() error) (perDay, bytes float64, err error) {
		before, err := size(dir)
		if err != nil {
			return 0, 0, err
		}
		began := time.Now()
		if err := during(); err != nil {
			return 0, 0, err
		}
		took := time.Since(began)
		time.Sleep(2 * time.Second) // what was seen last is on the disk by then
		now, err := size(dir)
		n := float64(now - before)
		return n * (24 * time.Hour).Seconds() / took.Seconds(), n, err
	}
	b.say("the server is gone; the host is idle for %d s", seconds)
	idle, few, err := grown(func() error {
		select {
		case <-b.ctx.Done():
			return b.ctx.Err()
		case <-time.After(time.Duration(seconds) * time.Second):
			return nil
		}
	})
	if err != nil {
		return nil, err
	}
	busy, many, err := grown(func() error { return buildStd(b.ctx, filepath.Join(b.dir, "gocache")) })
	if err != nil {
		return nil, err
	}
	const mark = "picket-bench-spool-last"
	if err := exec.CommandContext(b.ctx, "/bin/true", mark).Run(); err != nil {
		return nil, err
	}
	time.Sleep(2 * time.Second)
	if err := w.srv.Start(b.ctx); err != nil {
		return nil, err
	}
	err = rig.Wait(b.ctx, 5*time.Minute, 200*time.Millisecond, func(ctx context.Context) (bool, error) { // what waited comes in its order
		var page rig.Page[struct{}]
		err := w.web.Get(ctx, "/api/x/devices/"+w.id+"/timeline?size=1&action="+event.ProcessCreated.String()+"&q="+mark, &page)
		return err == nil && len(page.Items) > 0, err
	})
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, w.agent.Log())
	}
	total, missing, err := w.counts(b.ctx)
	if err != nil {
		return nil, err
	}
	each := (few + many) / float64(max(total-kept, 1))
	const note = "192 MiB at %s MiB a day"
	return []figure{
		{what: "bytes of the spool per event, logons and sensors included", value: each, note: fmt.Sprintf("%d events while the server was away, %d told as missing", total-kept, missing-lost)},
		{what: "events that find room", value: activityShare / each},
		{what: "spool holds an idle host", value: activityShare / max(idle, 1), unit: "days", target: 7, more: true, note: fmt.Sprintf(note, short(idle/(1<<20)))},
		{what: "spool holds a host that builds Go's std all the time", value: activityShare / max(busy, 1), unit: "days", target: 2, more: true, note: fmt.Sprintf(note, short(busy/(1<<20)))},
	}, nil
}
