package simulate

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// advance lets one simulated day pass on the device. What happens depends on
// seed, number and step alone.
func (h *host) advance() {
	h.step++
	r := h.rand(forSteps + h.step)
	if h.quiet > 0 {
		h.quiet--
		return
	}
	h.stale = slices.DeleteFunc(h.stale, func(stale) bool { return r.Float64() < 0.4 }) // services are restarted
	if h.levels[h.rel.kernel] > h.running && r.Float64() < h.policy.reboots {
		h.reboot()
	}
	if (h.step+h.n)%week == 0 {
		h.patch(r)
	}
	if c := rand.New(rand.NewPCG(^h.seed, uint64(h.n)<<32|uint64(h.step))); c.Float64() < 0.04 {
		h.configure(c)
	}
	switch x := r.Float64(); {
	case x < 0.20:
		h.upgradeOne(r)
	case x < 0.32:
		h.add(r)
	case x < 0.42:
		h.remove(r)
	case x < 0.54:
		h.deploy(r)
	case x < 0.60:
		h.reboot()
	case x < 0.615:
		h.quiet = 1 + r.IntN(20)
	case x < 0.635: // restored from an old image
		h.install()
		for i := range h.since {
			h.since[i] = 0
		}
		h.reboot()
	}
}

// week is how many steps lie between two waves of fixes on one device; the
// devices of a fleet take their turns by number.
const week = 7

// patch takes this week's fixes as far as the device takes fixes: a source is
// in the wave of one week in three, the same for the whole fleet.
func (h *host) patch(r *rand.Rand) {
	for i := range h.levels {
		s := &h.rel.sources[i]
		if h.levels[i] == absent || int(h.levels[i]) == len(s.versions)-1 {
			continue
		}
		wave := rand.New(rand.NewPCG(h.seed, uint64(h.step/week)<<32|hash(s.name))).IntN(3)
		if (wave == 0 || h.policy.wave == 1) && r.Float64() < h.policy.wave {
			h.upgrade(r, i, uint8(len(s.versions)-1))
		}
	}
}

// hash is FNV-1a over the bytes of a text, 32 bits of it.
func hash(s string) uint64 {
	h := uint64(2166136261)
	for _, c := range []byte(s) {
		h = (h ^ uint64(c)) * 16777619 & 0xffffffff
	}
	return h
}

// upgrade brings one source to a newer level. A kernel is installed beside the
// old one and waits for a restart; of replaced libraries the old ones stay in
// memory for a while.
func (h *host) upgrade(r *rand.Rand, i int, to uint8) {
	from := h.levels[i]
	h.levels[i], h.since[i] = to, h.now()
	if i == h.rel.kernel {
		h.kernels = 1<<to | 1<<h.running
	} else if mapped(h.rel.sources[i].name) && r.Float64() < 0.5 {
		h.keepStale(i, from)
	}
}

func (h *host) keepStale(i int, from uint8) {
	if len(h.stale) < maxStale && !slices.ContainsFunc(h.stale, func(s stale) bool { return int(s.source) == i }) {
		h.stale = append(h.stale, stale{uint16(i), from})
	}
}

const maxStale = 4

// replaced makes a library look as if it had been upgraded a moment ago.
func (h *host) replaced(r *rand.Rand) {
	for i := range h.levels {
		if l := h.levels[i]; l != absent && l > 0 && mapped(h.rel.sources[i].name) && r.Float64() < 0.5 {
			h.keepStale(i, l-1)
			return
		}
	}
}

// now is the step as the fields hold it.
func (h *host) now() uint16 { return uint16(min(h.step, 1<<16-1)) }

// upgradeOne is an administrator who upgrades one thing by one version.
func (h *host) upgradeOne(r *rand.Rand) {
	if h.policy.wave == 0 {
		return
	}
	if i, ok := h.choose(r, func(i int) bool {
		return h.levels[i] != absent && int(h.levels[i]) < len(h.rel.sources[i].versions)-1
	}); ok {
		h.upgrade(r, i, h.levels[i]+1)
	}
}

// add installs something that the device's groups allow, fresh from the archive.
func (h *host) add(r *rand.Rand) {
	if i, ok := h.choose(r, func(i int) bool {
		s := &h.rel.sources[i]
		return h.levels[i] == absent && s.groups&(h.groups|h.u.extra) != 0
	}); ok {
		h.levels[i], h.since[i] = uint8(len(h.rel.sources[i].versions)-1), h.now()
	}
}

// remove takes away something that nothing depends on.
func (h *host) remove(r *rand.Rand) {
	if i, ok := h.choose(r, func(i int) bool {
		s := &h.rel.sources[i]
		return h.levels[i] != absent && s.groups&h.u.optional != 0 && s.groups&h.u.base == 0
	}); ok {
		h.levels[i] = absent
		h.stale = slices.DeleteFunc(h.stale, func(s stale) bool { return int(s.source) == i })
	}
}

// deploy brings an application to its next release.
func (h *host) deploy(r *rand.Rand) {
	var open []int
	for i, l := range h.apps {
		if l != absent && int(l) < h.u.apps[i].depth-1 {
			open = append(open, i)
		}
	}
	if len(open) > 0 && h.policy.wave > 0 {
		h.apps[open[r.IntN(len(open))]]++
	}
}

// reboot starts the newest kernel; nothing old is in memory afterwards.
func (h *host) reboot() {
	h.running = h.levels[h.rel.kernel]
	h.boots++
	h.booted = h.now()
	h.stale = nil
}

// choose draws one of the sources for which ok is true.
func (h *host) choose(r *rand.Rand, ok func(i int) bool) (int, bool) {
	var list []int
	for i := range h.levels {
		if ok(i) {
			list = append(list, i)
		}
	}
	if len(list) == 0 {
		return 0, false
	}
	return list[r.IntN(len(list))], true
}

// installedKernels lists the levels of the installed kernels, oldest first.
func (h *host) installedKernels() (levels []int) {
	for k := h.kernels; k != 0; k &= k - 1 {
		levels = append(levels, bits.TrailingZeros32(k))
	}
	return levels
}
