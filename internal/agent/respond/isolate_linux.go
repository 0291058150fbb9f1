package respond

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// Times of isolation.
const (
	nftWait     = 20 * time.Second // of one call of nft
	resolveWait = 15 * time.Second // for the addresses of the server
	reachWait   = 30 * time.Second // for the server to answer once the rules are there
	// probation is after what time the kernel ends an isolation by itself in which
	// the server was not reached yet: so that an agent which dies there leaves the
	// host as it was.
	probation = 2 * time.Minute
)

// isolation is the state of a responder's isolation.
type isolation struct {
	doing sync.Mutex // one change at a time

	mu     sync.Mutex // guards the fields below
	now    kept
	listed string // our table as nft tells it, right after it was made
}

// set takes a new state.
func (i *isolation) set(k kept) {
	i.mu.Lock()
	i.now = k
	i.mu.Unlock()
}

func (i *isolation) get() kept {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.now
}

// mayIsolate says why this agent cannot isolate, whatever is installed.
func (r *Responder) mayIsolate() error {
	switch {
	case !r.live():
		return unsupported("the agent inventories another root (--root); it does not change the network of the host that it runs on")
	case os.Geteuid() != 0:
		return unsupported("isolation needs an agent that runs as root")
	}
	return nil
}

// canIsolate says why this host cannot be isolated.
func (r *Responder) canIsolate() error {
	if err := r.mayIsolate(); err != nil {
		return err
	}
	if r.cfg.Server == nil || r.cfg.Reach == nil {
		return unsupported("the agent has no way to its server, which an isolated host has to reach")
	}
	if _, err := program("nft"); err != nil {
		return unsupported("isolation needs the program nft: install the package nftables (" + err.Error() + ")")
	}
	ctx, cancel := context.WithTimeout(context.Background(), nftWait)
	defer cancel()
	if _, err := nft(ctx, "list tables", "list", "tables"); err != nil {
		return unsupported("the kernel of this host does not offer nf_tables to the agent: " + err.Error())
	}
	return nil
}

// Isolate cuts the host off from everything but its server, until then, or
// without an end when until is zero. It returns nil when the rules are there, on
// the disk for the next start, and the server was reached through them. With an
// error the host is as it was before. A host that is isolated gets the new end.
func (r *Responder) Isolate(ctx context.Context, task string, until time.Time) error {
	if err := r.canIsolate(); err != nil {
		return err
	}
	if !until.IsZero() && time.Until(until) <= 0 {
		return fmt.Errorf("isolation until %s: that is over by the clock of this host", until.UTC().Format(time.RFC3339))
	}
	r.isolation.doing.Lock()
	defer r.isolation.doing.Unlock()
	servers, err := r.servers(ctx)
	if err != nil {
		return err
	}
	before := r.isolation.get()
	k := kept{Isolation: Isolation{On: true, Since: time.Now().UTC(), Until: until.UTC(), Task: task}, Servers: servers, DNS: r.dns()}
	if until.IsZero() {
		k.Until = time.Time{}
	}
	if before.On {
		k.Since, k.Repaired = before.Since, before.Repaired
	}
	if err := r.keep(k); err != nil {
		return errors.Join(err, r.back(before)) // nothing has happened yet
	}
	err = r.apply(ctx, k)
	if err == nil {
		err = r.verify(ctx, &k)
	}
	if err != nil {
		return errors.Join(err, r.back(before))
	}
	cut(servers, k.DNS)
	r.cfg.Changed(k.Isolation)
	return nil
}

// Release ends isolation. It returns nil when our rules are gone and this is on
// the disk, also where there was no isolation.
func (r *Responder) Release(ctx context.Context, task string) error {
	if err := r.canIsolate(); err != nil {
		return err
	}
	r.isolation.doing.Lock()
	defer r.isolation.doing.Unlock()
	return r.end(ctx, task, "")
}

// end ends isolation: on the disk first, so that nothing puts the rules back.
func (r *Responder) end(ctx context.Context, task, cause string) error {
	k := kept{Isolation: Isolation{Since: time.Now().UTC(), Task: task, Cause: cause, Repaired: r.isolation.get().Repaired}}
	if err := r.keep(k); err != nil {
		return err
	}
	if err := dropTable(ctx); err != nil {
		return err
	}
	r.cfg.Changed(k.Isolation)
	return nil
}

// ReleaseLocal ends the isolation of the host by the agent with that state
// directory, whether or not the agent runs. It reports whether the host was
// isolated. The agent notices and tells its server.
func ReleaseLocal(ctx context.Context, state string) (was bool, err error) {
	if os.Geteuid() != 0 {
		return false, errors.New("only root can end isolation")
	}
	err = underLock(state, func() error {
		k, err := loadKept(state)
		if err != nil { // it is damaged: what counts is that the rules go
			k = kept{Isolation: Isolation{On: true}}
		}
		was = k.On
		if !k.On {
			return nil
		}
		return saveKept(state, kept{Isolation: Isolation{Since: time.Now().UTC(), Cause: CauseLocal, Repaired: k.Repaired}})
	})
	if err != nil {
		return was, err
	}
	if !was {
		return false, dropLeft(ctx)
	}
	return true, dropTable(ctx)
}

// dropLeft removes our table where one was left behind.
func dropLeft(ctx context.Context) error {
	if _, err := listTable(ctx); err != nil {
		return nil // there is none
	}
	return dropTable(ctx)
}

// Uninstall leaves nothing of isolation behind on a host whose agent is taken
// away. state may be "" when it is not known.
func Uninstall(ctx context.Context, state string) error {
	if !hasNFT() {
		return nil // and nothing of ours can be there
	}
	if state == "" {
		return dropLeft(ctx)
	}
	_, err := ReleaseLocal(ctx, state)
	return err
}

func hasNFT() bool {
	_, err := program("nft")
	return err == nil
}

// Restore puts the isolation back that is on the disk, and takes away rules that
// nothing on the disk asks for. Call it at the start of the agent, before
// anything else; it needs neither the server nor the network.
func (r *Responder) Restore(ctx context.Context) error {
	if err := r.mayIsolate(); err != nil {
		return nil // such an agent has never isolated
	}
	r.isolation.doing.Lock()
	defer r.isolation.doing.Unlock()
	k, err := loadKept(r.cfg.State)
	if err != nil {
		return err
	}
	r.isolation.set(k)
	switch {
	case !k.On && k.Since.IsZero(): // it has never isolated
		return nil
	case !k.On:
		return dropLeft(ctx)
	case k.over():
		return r.end(ctx, "", CauseTime)
	}
	r.log.WarnContext(ctx, "the host is isolated: only its server is reached", "since", k.Since, "until", k.Until)
	return r.apply(ctx, k)
}

// over reports whether the time of an isolation is over.
func (k *kept) over() bool { return !k.Until.IsZero() && time.Until(k.Until) <= 0 }

// servers are the addresses that stay allowed.
func (r *Responder) servers(ctx context.Context) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveWait)
	defer cancel()
	list, err := r.cfg.Server(ctx)
	list = merge(nil, list)
	if len(list) == 0 {
		return nil, fmt.Errorf("isolation would cut the agent off: no address of its server is known: %w", errors.Join(err, errors.New("the name has none")))
	}
	return list, nil
}

// dns are the resolvers that may be asked, when the server is known by a name.
func (r *Responder) dns() []netip.Addr {
	if !r.cfg.Named {
		return nil
	}
	var out []netip.Addr
	for _, file := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		if raw, err := readSome(file, 64<<10); err == nil {
			for _, a := range resolvers(string(raw)) {
				if !slices.Contains(out, a) && len(out) < maxResolvers {
					out = append(out, a)
				}
			}
		}
	}
	return out
}

// keep puts a state on the disk and takes it, unless root has ended isolation meanwhile.
func (r *Responder) keep(k kept) error {
	err := underLock(r.cfg.State, func() error { return saveKept(r.cfg.State, k) })
	if err != nil {
		return fmt.Errorf("keep isolation on the disk: %w", err)
	}
	r.isolation.set(k)
	return nil
}

// apply makes our table.
func (r *Responder) apply(ctx context.Context, k kept) error {
	var left time.Duration
	if !k.Until.IsZero() {
		left = max(time.Until(k.Until), time.Second)
	}
	if !k.Verified && (left == 0 || left > probation) {
		left = probation
	}
	if err := load(ctx, ruleset(k.Servers, k.DNS, left)); err != nil {
		return fmt.Errorf("put the rules of isolation in place: %w", err)
	}
	text, err := listTable(ctx)
	if err != nil {
		return fmt.Errorf("read the rules of isolation back: %w", err)
	}
	r.isolation.mu.Lock()
	r.isolation.listed = text
	r.isolation.mu.Unlock()
	return nil
}

// verify reaches the server through the rules and gives them their full time.
func (r *Responder) verify(ctx context.Context, k *kept) error {
	reach, cancel := context.WithTimeout(ctx, reachWait)
	defer cancel()
	if err := r.cfg.Reach(reach); err != nil {
		return fmt.Errorf("the server could not be reached through the rules of isolation, so they were taken away again: %w", err)
	}
	k.Verified = true
	if err := r.apply(ctx, *k); err != nil {
		return err
	}
	return r.keep(*k)
}

// back goes back to a state after a change that did not work. It does not depend
// on a context that may have ended.
func (r *Responder) back(before kept) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*nftWait)
	defer cancel()
	if before.On && !before.over() {
		return errors.Join(r.keep(before), r.apply(ctx, before))
	}
	before.On, before.Until = false, time.Time{}
	return errors.Join(r.keep(before), dropTable(ctx))
}

// nft runs nft and returns what it says.
func nft(ctx context.Context, what string, args ...string) (string, error) {
	var out bytes.Buffer
	if err := output(ctx, &limited{w: &out, left: 1 << 20}, "nft", args...); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return out.String(), nil
}

// load gives nft a text of rules, which takes effect as a whole or not at all.
func load(ctx context.Context, rules string) error {
	ctx, cancel := context.WithTimeout(ctx, nftWait)
	defer cancel()
	cmd, err := command(ctx, "nft", "-f", "-")
	if err != nil {
		return err
	}
	var stderr tail
	cmd.Stdin, cmd.Stderr = strings.NewReader(rules), &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("nft: %w%s", err, stderr.suffix())
	}
	return nil
}

func dropTable(ctx context.Context) error {
	if err := load(ctx, deleteTable); err != nil {
		return fmt.Errorf("take the rules of isolation away: %w", err)
	}
	return nil
}

// listTable is our table as nft tells it, without counts and times that pass.
func listTable(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, nftWait)
	defer cancel()
	return nft(ctx, "list our table", append([]string{"-s", "-n", "list", "table"}, strings.Fields(tableName)...)...)
}

// limited takes so many bytes.
type limited struct {
	w    *bytes.Buffer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errFull
	}
	l.left -= len(p)
	return l.w.Write(p)
}

// told makes an event of what happened to isolation without the server's doing.
func (r *Responder) told(what, reason string) {
	e := &event.Event{Action: event.ResponseAction}
	e.Set(event.Source, "agent")
	e.Set(event.Reason, reason)
	more, err := json.Marshal(map[string]any{"action": what, "repaired": r.Isolation().Repaired})
	if err == nil {
		e.Set(event.AdditionalFields, string(more))
	}
	r.cfg.Event(e)
}

// lock takes an exclusive lock that ends with the file's closing.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

const noFollow = unix.O_NOFOLLOW | unix.O_CLOEXEC

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
