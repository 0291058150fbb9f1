package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// clock turns the steps of a simulation into the dates that devices report.
// The dates of one step are the same in every run with the same clock.
type clock struct {
	start time.Time     // when the devices were first there
	tick  time.Duration // a simulated day
}

// host is one simulated device: what it is for, and the little that tells it
// from its image. Everything that it reports follows from these fields, so
// that the same seed, number, step and clock report the same bytes.
// It is not safe for concurrent use.
type host struct {
	u     *universe
	clock *clock
	seed  uint64
	n     int // number in the fleet

	rel     *release
	role    *role
	policy  *policy
	site    *site
	machine *machine
	groups  groups
	arm     bool
	lag     float64 // its own share of the policy's
	phase   float64 // time of day of its steps, in days
	built   time.Duration
	patched time.Duration // last time before the start; both before clock.start

	step    int
	levels  []uint8                   // by source: which version is installed, or absent
	since   []uint16                  // by source: step of the last change, 0: before the start
	apps    []uint8                   // by app: how new it is, or absent
	kernels uint32                    // levels of the installed kernels, one bit each
	running uint8                     // level of the kernel that runs
	boots   uint16                    // how often it was booted since the start
	booted  uint16                    // step of the last boot, 0: before the start
	changed [2][maxTopics / 64]uint64 // topics that were hardened, let slip since the start
	stale   []stale                   // libraries that were replaced under running processes
	quiet   int                       // steps for which it stays silent
}

// stale is a source of which an old version is still in memory.
type stale struct {
	source uint16
	level  uint8
}

// absent is the level of what is not installed.
const absent = math.MaxUint8

// What random numbers of a host are for: each use has a sequence of its own.
const (
	forTraits = iota + 1
	forImage
	forSteps // and up: one sequence per step
)

func (h *host) rand(use int) *rand.Rand {
	return rand.New(rand.NewPCG(h.seed+uint64(use)*0x9e3779b97f4a7c15, uint64(h.n)))
}

// newHost makes device number n as it is at the start.
func newHost(u *universe, c *clock, seed uint64, n int) *host {
	h := &host{u: u, clock: c, seed: seed, n: n}
	h.draw(h.rand(forTraits))
	h.install()
	return h
}

// draw decides what the device is, for good.
func (h *host) draw(r *rand.Rand) {
	h.rel = pick(r, h.u.releases, func(x *release) int { return x.weight })
	h.role = pick(r, h.u.roles, func(x *role) int {
		if x.desktop && !h.rel.desktop || len(h.u.possible(h.rel, x)) == 0 {
			return 0
		}
		return x.weight
	})
	choices := h.u.possible(h.rel, h.role)
	h.groups = h.u.base | h.u.local | choices[r.IntN(len(choices))]
	h.join(!h.role.desktop, "server")
	h.join(h.rel.id == "ubuntu", "ubuntu")
	h.join(h.rel.id == "ubuntu" && h.role.desktop, "snapdesktop")
	h.join(r.Float64() < 0.6, "extra")
	h.machine = pick(r, h.u.machines, func(x *machine) int {
		if x.desktop != h.role.desktop {
			return 0
		}
		return 1
	})
	h.join(h.machine.group != "", h.machine.group)
	h.arm = h.machine.virtual == "amazon ec2" && r.Float64() < 0.4
	h.join(!h.arm, "pc")
	h.policy = pick(r, h.u.policies, func(x *policy) int { return x.weight })
	h.site = &h.u.sites[r.IntN(len(h.u.sites))]
	h.lag = h.policy.lag[0] + r.Float64()*(h.policy.lag[1]-h.policy.lag[0])
	h.phase = r.Float64()
	age := max(h.clock.start.Sub(h.rel.born), 48*time.Hour)
	h.built = age / 100 * time.Duration(5+r.IntN(90))
	h.patched = min(time.Duration((1+h.lag*300)*(0.5+r.Float64())*24*float64(time.Hour)), h.built)
}

// pick draws one of a list by weight and returns a pointer into it.
func pick[T any](r *rand.Rand, list []T, weight func(*T) int) *T {
	sum := 0
	for i := range list {
		sum += weight(&list[i])
	}
	x := r.IntN(sum)
	for i := range list {
		if x -= weight(&list[i]); x < 0 {
			return &list[i]
		}
	}
	return &list[len(list)-1] // not reached: the weights sum to sum
}

// join makes the device a member of a group when ok is true.
func (h *host) join(ok bool, group string) {
	if set, known := h.u.set(group); ok && known {
		h.groups |= set
	}
}

// possible lists the choices of a role for which a release has what they need.
func (u *universe) possible(r *release, x *role) (sets []groups) {
	for _, c := range x.choices {
		if set, ok := u.set(c); ok && set&^r.have == 0 {
			sets = append(sets, set)
		}
	}
	return sets
}

// install makes the device what its image and its patching made it before the start.
func (h *host) install() {
	r := h.rand(forImage)
	h.levels = make([]uint8, len(h.rel.sources))
	h.since = make([]uint16, len(h.rel.sources))
	for i := range h.levels {
		h.levels[i] = absent
		if s := &h.rel.sources[i]; r.Float64() < h.chance(s) {
			h.levels[i] = h.behind(r, len(s.versions))
		}
	}
	h.apps = make([]uint8, len(h.u.apps))
	for i := range h.apps {
		h.apps[i] = absent
		if a := &h.u.apps[i]; a.groups&h.groups != 0 && r.IntN(100) < a.share {
			h.apps[i] = h.behind(r, a.depth)
		}
	}
	newest := h.levels[h.rel.kernel]
	h.running, h.kernels, h.stale = newest, 1<<newest, nil
	if newest > 0 && r.Float64() > h.policy.reboots { // a newer kernel waits for a restart
		h.running--
		h.kernels |= 1 << h.running
	}
	if h.lag > 0 && h.policy.wave > 0.5 && r.Float64() < 0.3 {
		h.replaced(r)
	}
}

// chance is how likely a device has a source that its groups call for.
func (h *host) chance(s *source) float64 {
	switch {
	case s.groups&h.groups == 0:
		return 0
	case s.groups&h.u.base != 0:
		return 1
	case s.groups&h.groups&^h.u.optional != 0:
		return 0.93
	case s.groups&h.u.local != 0 && !h.role.desktop && h.role.name != "build":
		return 0.15
	case s.groups&h.u.local != 0:
		return 0.85
	}
	return 0.3
}

// behind draws the level of something with so many versions on this device.
func (h *host) behind(r *rand.Rand, versions int) uint8 {
	top := float64(versions - 1)
	missed := h.lag * top
	if h.lag > 0 {
		missed += (r.Float64() - 0.5) * 1.2
	}
	return uint8(math.Round(min(max(top-missed, 0), top)))
}
