package server

import (
	linked "container/list"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/picketsec/picket/internal/exposure"
)

// countedMutex is a sync.RWMutex that counts how often it was taken for
// writing: whoever holds it for reading, and finds the count as it was, reads
// the same state as then.
type countedMutex struct {
	sync.RWMutex
	writes atomic.Uint64
}

// Lock takes the mutex for writing.
func (m *countedMutex) Lock() {
	m.RWMutex.Lock()
	m.writes.Add(1)
}

// state is the count. Whoever asks holds the mutex for reading.
func (m *countedMutex) state() uint64 { return m.writes.Load() }

// lru keeps values by key, up to so many bytes, roughly: those that were asked
// for last stay. Its owner guards it.
type lru[K comparable, V any] struct {
	most, size int
	order      linked.List // of *lruItem, asked for last in front
	at         map[K]*linked.Element
}

type lruItem[K comparable, V any] struct {
	key   K
	value V
	size  int
}

func newLRU[K comparable, V any](most int) *lru[K, V] {
	return &lru[K, V]{most: most, at: map[K]*linked.Element{}}
}

func (l *lru[K, V]) get(key K) (value V, ok bool) {
	e := l.at[key]
	if e == nil {
		return value, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).value, true
}

// put keeps a value in the place of what is there.
func (l *lru[K, V]) put(key K, value V, size int) {
	l.drop(key)
	l.at[key] = l.order.PushFront(&lruItem[K, V]{key, value, size})
	for l.size += size; l.size > l.most; {
		l.drop(l.order.Back().Value.(*lruItem[K, V]).key)
	}
}

func (l *lru[K, V]) drop(key K) {
	if e := l.at[key]; e != nil {
		l.size -= l.order.Remove(e).(*lruItem[K, V]).size
		delete(l.at, key)
	}
}

// kept holds what reads have worked out of the index until the index changes:
// many people look at the same lists. It has no age: an answer is given again
// only in the state that it was worked out in, to the scope that it was worked
// out for, and who asks at the same time waits for the one who works it out.
// What depends on the time of day is not kept. See ADR 36.
type kept struct {
	mu    sync.Mutex // guards what follows; held for no longer than a look
	state uint64
	byKey *lru[string, *keptOne]
}

type keptOne struct {
	once  sync.Once
	value any // nil while it is worked out, and when that went wrong
}

// mostKept is how much is kept, in bytes, roughly.
const mostKept = 96 << 20

// keep returns what work returns, which is worked out once for a key and a state
// and must not be changed by anybody. The caller holds core.mu for reading from
// before the state was read until it is done with the value; size is how many
// bytes the value takes, roughly.
func keep[T any](k *kept, state uint64, key string, work func() (value T, size int)) T {
	const empty = 200 // what the place takes
	k.mu.Lock()
	if k.state != state || k.byKey == nil {
		k.state, k.byKey = state, newLRU[string, *keptOne](mostKept)
	}
	one, ok := k.byKey.get(key)
	if !ok {
		one = &keptOne{}
		k.byKey.put(key, one, empty+len(key))
	}
	k.mu.Unlock()
	one.once.Do(func() {
		value, size := work()
		one.value = value
		k.mu.Lock()
		defer k.mu.Unlock()
		if now, ok := k.byKey.get(key); ok && now == one {
			k.byKey.put(key, one, empty+len(key)+size)
		}
	})
	value, ok := one.value.(T)
	if !ok { // whoever was to work it out panicked
		value, _ = work()
	}
	return value
}

// scopeKey names a scope in keys.
func scopeKey(in exposure.Scope) string {
	if in.All() {
		return "all"
	}
	var b strings.Builder
	for _, g := range in.Groups() {
		b.WriteString(strconv.Itoa(int(g)))
		b.WriteByte(',')
	}
	return b.String()
}

// key names a query, the page apart, in keys.
func (q *Query) key() string {
	var b strings.Builder
	say := func(s string) { b.WriteString(strconv.Quote(s)) }
	say(q.Text)
	for _, name := range slices.Sorted(maps.Keys(q.Filter)) {
		b.WriteByte('&')
		say(name)
		for _, v := range q.Filter[name] {
			say(v)
		}
	}
	b.WriteByte('^')
	for _, s := range q.Sort {
		say(s)
	}
	return b.String()
}

// keptRows is in what numbers of rows the beginnings of lists are kept, and
// mostKeptRows how long they are at most.
const (
	keptRows     = 500
	mostKeptRows = 10 * keptRows
)

// cutOf are the rows of a list up to some number, and how many there are in all.
type cutOf[T any] struct {
	rows  []*T
	total int
	err   error
}

// keptCut is cut for a list that depends on nothing but the index: the beginning
// of the list is kept, so that the next page, or the next person, costs nothing.
// key names the list and what it is of, the query apart.
func keptCut[T any](c *core, key string, l *list[T], q Query, rows func() []*T) (cut []*T, total int, err error) {
	end := q.Offset + q.Limit
	if q.Order != nil || q.Limit <= 0 || q.Offset < 0 || end > mostKeptRows || l.check(&q) != nil {
		return l.cut(q, rows())
	}
	most := (end + keptRows - 1) / keptRows * keptRows
	k := keep(&c.kept, c.mu.state(), key+q.key()+strconv.Itoa(most), func() (cutOf[T], int) {
		wide := q
		wide.Offset, wide.Limit = 0, most
		rows, total, err := l.cut(wide, rows())
		return cutOf[T]{slices.Clone(rows), total, err}, 8 * len(rows)
	})
	return k.rows[min(q.Offset, len(k.rows)):min(end, len(k.rows))], k.total, k.err
}
