package sense

import "time"

// windows remembers since when things are brought together, all for the same
// time: the first to begin is the first to end.
type windows[K comparable] struct {
	length time.Duration
	order  []window[K]
}

type window[K comparable] struct {
	key   K
	since time.Duration // of the boot
}

// begin opens the window of a key that has none.
func (w *windows[K]) begin(key K, since time.Duration) {
	w.order = append(w.order, window[K]{key, since})
}

// next is when the next window ends, as a time since boot; 0: there is none.
func (w *windows[K]) next() time.Duration {
	if len(w.order) == 0 {
		return 0
	}
	return w.order[0].since + w.length
}

// ended yields the keys whose windows have passed, all of them when all is set;
// their windows are closed.
func (w *windows[K]) ended(now time.Duration, all bool) func(yield func(K) bool) {
	return func(yield func(K) bool) {
		for len(w.order) > 0 && (all || w.next() <= now) {
			key := w.order[0].key
			w.order = w.order[1:]
			if len(w.order) == 0 {
				w.order = nil // give back what was before it
			}
			if !yield(key) {
				return
			}
		}
	}
}
