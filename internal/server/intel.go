package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/intel"
)

// intelDesk runs imports and syncs of intelligence, one at a time, and says how
// the intelligence stands. Its methods are safe for concurrent use.
type intelDesk struct {
	store   *intel.Store
	log     *slog.Logger
	changed func(context.Context, intel.Result) error
	turn    chan struct{}              // holds one token; who has it may change the intelligence
	starts  chan func(context.Context) // jobs for Run to carry out

	mu   sync.Mutex // guards what follows
	job  *JobRow    // the running job, or the last one
	stop context.CancelCauseFunc
	seq  int
	sync intel.SyncOptions // addresses and proxy of syncs started from the console
}

// newIntelDesk makes a desk. changed is called after every import that changed
// something, before the import counts as ended.
func newIntelDesk(store *intel.Store, log *slog.Logger, changed func(context.Context, intel.Result) error) *intelDesk {
	d := &intelDesk{store: store, log: log, changed: changed, turn: make(chan struct{}, 1), starts: make(chan func(context.Context), 1)}
	d.sync.Dir = filepath.Join(filepath.Dir(store.Path()), "intel-sync")
	d.turn <- struct{}{}
	return d
}

// configure sets the addresses and the client of syncs that are started from the console.
func (d *intelDesk) configure(base map[string]string, client *http.Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sync.Base, d.sync.Client = base, client
}

// Run carries out jobs that were started from the console, until ctx ends.
func (d *intelDesk) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case start := <-d.starts:
			start(ctx)
		}
	}
}

// errCancelled is why a job ended that someone ended.
var errCancelled = errors.New("cancelled")

// begin takes the turn and opens a job. end must be called with the job's outcome.
func (d *intelDesk) begin(ctx context.Context, kind, text string) (jobCtx context.Context, end func(error), err error) {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	jobCtx, end = d.open(ctx, kind, text)
	return jobCtx, end, nil
}

// open opens a job; the caller has the turn.
func (d *intelDesk) open(ctx context.Context, kind, text string) (context.Context, func(error)) {
	jobCtx, stop := context.WithCancelCause(ctx)
	d.mu.Lock()
	d.seq++
	job := &JobRow{ID: fmt.Sprintf("intel-%d", d.seq), Kind: kind, State: "running", Text: text, Started: time.Now().UTC()}
	d.job, d.stop = job, stop
	d.mu.Unlock()
	return jobCtx, func(err error) {
		d.mu.Lock()
		job.Finished, d.stop = time.Now().UTC(), nil
		switch {
		case err == nil:
			job.State = "done"
		case errors.Is(context.Cause(jobCtx), errCancelled):
			job.State, job.Error = "cancelled", errCancelled.Error()
		default:
			job.State, job.Error = "failed", err.Error()
		}
		d.mu.Unlock()
		stop(nil)
		d.turn <- struct{}{}
	}
}

// note keeps the running job's progress and passes it on.
func (d *intelDesk) note(p intel.Progress, pass func(Progress)) {
	out := Progress{Text: progressText(p), Done: p.Done, Of: p.Total}
	d.mu.Lock()
	if d.job != nil && d.job.State == "running" {
		d.job.Text, d.job.Done, d.job.Of = out.Text, out.Done, out.Of
	}
	d.mu.Unlock()
	if pass != nil {
		pass(out)
	}
}

func progressText(p intel.Progress) string {
	text := p.Phase
	if p.Source != "" {
		text += " " + p.Source
	}
	if p.Feed != "" && p.Records > 0 {
		text += fmt.Sprintf(" (%s, %d records)", p.Feed, p.Records)
	}
	return text
}

// runImport loads feeds from paths of this machine; see intel.Store.Import for
// what the result and the error mean. When it returns, the server answers from
// the new data. It waits for an import or sync that runs.
func (d *intelDesk) runImport(ctx context.Context, paths []string, progress func(Progress)) (intel.Result, error) {
	return d.load(ctx, paths, false, progress)
}

func (d *intelDesk) load(ctx context.Context, paths []string, force bool, progress func(Progress)) (intel.Result, error) {
	jobCtx, end, err := d.begin(ctx, "import", "import")
	if err != nil {
		return intel.Result{}, err
	}
	res, err := d.store.Import(jobCtx, paths, intel.ImportOptions{Force: force, Progress: func(p intel.Progress) { d.note(p, progress) }})
	err = errors.Join(err, d.carry(ctx, res, progress))
	end(err)
	return res, err
}

// carry takes a committed change into the fleet, also when who asked for it has gone.
func (d *intelDesk) carry(ctx context.Context, res intel.Result, progress func(Progress)) error {
	if !res.Changed {
		return nil
	}
	d.note(intel.Progress{Phase: "evaluating"}, progress)
	d.log.InfoContext(ctx, "intelligence changed", "generation", res.Generation, "packages", len(res.Keys), "everything", res.All, "took", res.Took)
	if err := d.changed(context.WithoutCancel(ctx), res); err != nil {
		return fmt.Errorf("evaluate the fleet by the new intelligence: %w", err)
	}
	return nil
}

// runSync fetches feeds from their addresses and loads what is new.
func (d *intelDesk) runSync(ctx context.Context, opt intel.SyncOptions, progress func(Progress)) (intel.SyncResult, error) {
	jobCtx, end, err := d.begin(ctx, "sync", "sync")
	if err != nil {
		return intel.SyncResult{}, err
	}
	res, err := d.syncNow(jobCtx, opt, progress)
	end(err)
	return res, err
}

func (d *intelDesk) syncNow(ctx context.Context, opt intel.SyncOptions, progress func(Progress)) (intel.SyncResult, error) {
	opt.Progress = func(p intel.Progress) { d.note(p, progress) }
	opt.Changed = func(res intel.Result) error { return d.carry(ctx, res, progress) }
	return d.store.Sync(ctx, opt)
}

// startSync starts a sync that Run carries out. It is ErrConflict while an
// import or a sync runs.
func (d *intelDesk) startSync(context.Context) (JobRow, error) {
	select {
	case <-d.turn:
	default:
		return JobRow{}, fmt.Errorf("%w: an import or a sync is running", ErrConflict)
	}
	d.mu.Lock()
	opt := d.sync
	d.mu.Unlock()
	jobCtx, end := d.open(context.Background(), "sync", "sync")
	d.mu.Lock()
	row := *d.job
	d.mu.Unlock()
	d.starts <- func(ctx context.Context) { // one place is free: only the holder of the turn sends
		jobCtx, stop := context.WithCancelCause(jobCtx)
		defer stop(nil)
		release := context.AfterFunc(ctx, func() { stop(context.Cause(ctx)) })
		defer release()
		res, err := d.syncNow(jobCtx, opt, nil)
		if err != nil {
			d.log.WarnContext(ctx, "sync of intelligence ended with an error", "error", err)
		} else if failed := res.Failed(); failed != nil {
			err = failed
		}
		end(err)
	}
	return row, nil
}

// cancel ends a running job. It is ErrNotFound when no such job runs.
func (d *intelDesk) cancel(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.job == nil || d.job.ID != id || d.stop == nil {
		return fmt.Errorf("%w: no job %q is running", ErrNotFound, id)
	}
	d.stop(errCancelled)
	return nil
}

// intel says how the intelligence stands.
func (d *intelDesk) intel() Intel {
	out := Intel{Feeds: []FeedRow{}, Empty: true}
	d.mu.Lock()
	if d.job != nil {
		row := *d.job
		out.Job = &row
	}
	d.mu.Unlock()
	now := time.Now()
	err := d.store.View(func(sn *intel.Snapshot) error {
		feeds, err := sn.Feeds()
		for i := range feeds {
			row := feedRow(&feeds[i], now)
			out.Feeds = append(out.Feeds, row)
			out.Stale = out.Stale || row.Stale
		}
		out.Weaknesses, out.Generation, out.Demo = sn.Weaknesses(), sn.Generation(), sn.Demo()
		out.Empty = len(feeds) == 0
		return err
	})
	if err != nil {
		d.log.Error("read state of intelligence", "error", err)
	}
	return out
}

// feedRow is a feed as the console and the command line show it.
func feedRow(f *intel.FeedState, now time.Time) FeedRow {
	const day = 24 * time.Hour
	row := FeedRow{
		Name: f.Name, Title: f.Title, Source: f.Source, Licence: f.Licence, DataDate: f.Date, LoadedAt: f.LoadedAt,
		Stale: f.Stale(now), MaxAge: int(f.MaxAge / day), Records: f.Records, Skipped: f.Skipped, Skips: []FeedSkip{}, Demo: f.Demo,
	}
	if at := f.Date; !at.IsZero() {
		row.AgeDays = max(0, int(now.Sub(at)/day))
	} else if !f.LoadedAt.IsZero() {
		row.AgeDays = max(0, int(now.Sub(f.LoadedAt)/day))
	}
	for _, s := range f.Skips {
		row.Skips = append(row.Skips, FeedSkip{Reason: s.Reason, Count: s.Count, Sample: s.Sample})
	}
	return row
}
