package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// A view is a page of the console that somebody opens: what the page asks for,
// all at once, as a browser does. N is a page number, DEVICE, WEAKNESS and
// PRODUCT are drawn from what the fleet has. share is in parts of 100.
type view struct {
	name  string
	share int
	asks  []string
}

// views is the mix of a working day: most look at devices and what is wrong
// with them, some at the whole.
var views = []view{
	{"dashboard", 15, []string{"/api/x/dashboard", "/api/x/exposure-score"}},
	{"devices", 20, []string{"/api/x/devices?sort=-score&page=N"}},
	{"devices searched", 5, []string{"/api/x/devices?sort=name&q=bulk-9N"}},
	{"device", 10, []string{"/api/x/devices/DEVICE", "/api/x/devices/DEVICE/score"}},
	{"device's weaknesses", 15, []string{"/api/x/devices/DEVICE", "/api/x/devices/DEVICE/vulnerabilities?sort=-cvss&page=1"}},
	{"device's software", 5, []string{"/api/x/devices/DEVICE", "/api/x/devices/DEVICE/software?page=1"}},
	{"weaknesses", 10, []string{"/api/x/weaknesses?page=N"}},
	{"weaknesses filtered", 5, []string{"/api/x/weaknesses?sort=-exposed&severity=High&page=N"}},
	{"weakness", 5, []string{"/api/x/weaknesses/WEAKNESS", "/api/x/weaknesses/WEAKNESS/devices?page=1"}},
	{"software", 5, []string{"/api/x/software?sort=-exposed&page=N"}},
	{"recommendations", 5, []string{"/api/x/recommendations?page=N"}},
}

// crowd is many people at the console at once.
type crowd struct {
	b        *bench
	srv      *rig.Server
	think    time.Duration // between two pages, on average
	names    map[string][]string
	mu       sync.Mutex // guards what follows
	took     []time.Duration
	byView   map[string][]time.Duration
	failures []error
}

// users lets many signed-in people read at a large fleet, each with a session
// and connections of their own: one opens a page of the mix above, looks at it
// for half to one and a half times THINK seconds, and opens another. A request
// is timed from before it is sent until its whole answer was read. People and
// server share the machine.
func users(b *bench) ([]figure, error) {
	srv, _, err := b.startFleet(b.number("DEVICES", 100_000))
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c := &crowd{b: b, srv: srv, think: time.Duration(b.number("THINK", 10)) * time.Second, byView: map[string][]time.Duration{}}
	people, err := c.signIn(b.number("USERS", 1000))
	if err != nil {
		return nil, err
	}
	before, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	seconds := b.number("SECONDS", 60)
	b.say("%d people read for %d s", len(people), seconds)
	ctx, cancel := context.WithTimeout(b.ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for n, p := range people {
		all.Go(func() { c.read(ctx, p, rand.New(rand.NewPCG(uint64(n), 1))) })
	}
	all.Wait()
	after, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	return c.figures(before, after, seconds)
}

func (c *crowd) figures(before, after proc, seconds int) ([]figure, error) {
	if len(c.took) == 0 {
		return nil, errors.New("nobody read anything")
	}
	cpu := after.cpu - before.cpu
	note := fmt.Sprintf("%d requests, %s/s; median %s ms, p99 %s ms; %s CPU-ms of the server each", len(c.took), short(float64(len(c.took))/float64(seconds)),
		short(ms(median(c.took))), short(ms(quantile(c.took, 0.99))), short(ms(cpu)/float64(len(c.took))))
	out := []figure{
		{what: "many people at the console, p95 of a read", value: ms(quantile(c.took, 0.95)), unit: "ms", target: 150, floor: 150, note: note},
		{what: "their errors", value: float64(len(c.failures)), unit: "of all"},
		{what: "server, resident memory at its most", value: after.peak, unit: "MB", note: fmt.Sprintf("%s MB above what it was at its most before they came", short(after.peak-before.peak))},
	}
	for _, v := range views {
		took := c.byView[v.name]
		if len(took) > 0 {
			out = append(out, figure{what: "… " + v.name, value: ms(quantile(took, 0.95)), unit: "ms", note: fmt.Sprintf("p95 of %d, median %s ms", len(took), short(ms(median(took))))})
		}
	}
	if len(c.failures) > 0 {
		return out, fmt.Errorf("%d reads failed, the first: %w", len(c.failures), c.failures[0])
	}
	return out, nil
}

// signIn makes so many accounts, readers all of them, signs each in by its
// one-time link, and draws what they will look at.
func (c *crowd) signIn(n int) ([]*http.Client, error) {
	b := c.b
	admin, err := c.srv.Console(b.ctx)
	if err != nil {
		return nil, err
	}
	var roles []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	if err := admin.Get(b.ctx, "/api/x/roles", &roles); err != nil {
		return nil, err
	}
	var group struct {
		ID int64 `json:"id"`
	}
	reader := slices.IndexFunc(roles, func(r struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}) bool {
		return r.Name == "Security reader"
	})
	if reader < 0 {
		return nil, errors.New("there is no role Security reader")
	}
	if err := admin.Post(b.ctx, "/api/x/user-groups", map[string]any{"name": "Readers", "roles": []int64{roles[reader].ID}}, &group); err != nil {
		return nil, err
	}
	b.say("%d people sign in", n)
	people := make([]*http.Client, n)
	for i := range people {
		var link struct {
			Secret string `json:"secret"`
		}
		if err := admin.Post(b.ctx, "/api/x/people", map[string]any{"name": fmt.Sprintf("reader%04d", i), "user_groups": []int64{group.ID}}, &link); err != nil {
			return nil, err
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		people[i] = &http.Client{Timeout: time.Minute, Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: 6, IdleConnTimeout: time.Minute}}
		if err := rig.With(c.srv.URL, people[i]).Post(b.ctx, "/api/x/session/redeem", map[string]string{"token": link.Secret}, nil); err != nil {
			return nil, fmt.Errorf("sign in person %d: %w", i+1, err)
		}
	}
	client := rig.With(c.srv.URL, people[0])
	c.names = map[string][]string{}
	for word, list := range map[string]string{"DEVICE": "devices", "WEAKNESS": "weaknesses", "PRODUCT": "software"} {
		var p rig.Page[struct {
			ID string `json:"id"`
		}]
		if err := client.Get(b.ctx, "/api/x/"+list+"?size=200", &p); err != nil {
			return nil, err
		}
		if len(p.Items) == 0 {
			return nil, fmt.Errorf("the fleet has no %s", list)
		}
		for _, x := range p.Items {
			c.names[word] = append(c.names[word], url.PathEscape(x.ID))
		}
	}
	return people, client.Get(b.ctx, "/api/x/exposure-score", nil) // scores are settled before anybody comes
}

// read is one person at work until ctx ends.
func (c *crowd) read(ctx context.Context, who *http.Client, rng *rand.Rand) {
	wait := time.Duration(rng.Int64N(int64(c.think))) // they do not all come at once
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		v := c.draw(rng)
		var page sync.WaitGroup
		for _, path := range v.asks {
			path = c.fill(path, rng)
			page.Go(func() { c.time(v.name, who, path) })
		}
		page.Wait()
		wait = c.think/2 + time.Duration(rng.Int64N(int64(c.think)))
	}
}

func (c *crowd) draw(rng *rand.Rand) view {
	n := rng.IntN(100)
	i := slices.IndexFunc(views, func(v view) bool {
		n -= v.share
		return n < 0
	})
	return views[i]
}

func (c *crowd) fill(path string, rng *rand.Rand) string {
	for word, list := range c.names {
		path = strings.ReplaceAll(path, word, list[rng.IntN(len(list))])
	}
	if head, ok := strings.CutSuffix(path, "N"); ok {
		path = head + fmt.Sprint(1+rng.IntN(30))
	}
	return path
}

func (c *crowd) time(name string, who *http.Client, path string) {
	began := time.Now()
	err := rig.With(c.srv.URL, who).Get(c.b.ctx, path, nil)
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failures = append(c.failures, err)
		return
	}
	c.took = append(c.took, took)
	c.byView[name] = append(c.byView[name], took)
}
