package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// core is the fleet in memory: the index that answers every list, and what the
// server knows of each device and weakness. It is rebuilt from the store at
// start and follows every committed change.
type core struct {
	record
	mu      countedMutex // guards everything below
	fleet   *exposure.Fleet
	devices []*device // by device number; nil: no such device
	byID    map[inventory.DeviceID]uint32
	idOrder atomic.Pointer[[]uint32]               // see inIDOrder; nil: not made yet
	gone    map[uint32]*device                     // removed devices that the record of changes still knows: nothing but exports looks at them
	known   map[exposure.ComponentID][]store.Known // by component, ordered by weakness
	saved   map[exposure.ComponentID]bool          // components that the store holds
	idle    map[exposure.ComponentID]time.Time     // components that no device has, since when
	going   map[exposure.ComponentID]bool          // of idle: about to be swept
	facts   map[string]*fact                       // by weakness: what lists show, filled as needed
	view    intelView                              // the intelligence that the index reflects; nil but while it changes
	small   bool                                   // steps of inSteps are as small as can be: for tests
	rows    *rowCache
	weakIDs weakIDs
	lenses  lenses
	moves   *moveBook
	members map[exposure.Group]*roaring.Bitmap // devices by device group
	clones  map[inventory.DeviceID][]uint32    // forks of a device by number; some may be gone
	kept    kept
	systems map[string]*roaring.Bitmap // devices by platform of their operating system
	// catalogue holds, by product id, what endoflife.date knows of products that it identifies.
	catalogue map[string]*advisory.Product
	releases  map[release]releaseLife // of distributions
	endings   map[string]releaseLife  // of releases whose support has ended, by product id of their cause
	lineDay   int                     // the day (UTC) that ends of support were looked at for
	clock     func() time.Time
	snapshot  func() (intelView, func(), error) // of the intelligence; nil: there is none
	checks    *checkBook
	unsure    *roaring.Bitmap // devices to be placed anew, see doubt
	events    *eventBook
	noted     *notedBook
	trends    *trendBook
	past      *pastBook
	sorting   *sorting // the rules of tags and device groups
	weighting exposure.Weighting
	// exceptions are those that are not over, by id. Lists read the others from the store.
	exceptions []*exception
	excepted   map[string][]*exceptionSpec // by recommendation: that are not over
	settled    func()                      // called without mu when stale scores are up to date again; may be nil
	// partial are the devices whose package database of a distribution was read only in part.
	partial        *roaring.Bitmap
	remediations   *remediationBook
	alerts         *alertBook
	investigations *investigationBook
}

// device is one device in memory. Its fields are guarded by core.mu; reports of
// one device are serialised by report.
type device struct {
	recorded
	report sync.Mutex
	stored atomic.Uint64 // how often sections of it were stored, or when they were seen
	num    uint32
	id     inventory.DeviceID
	sum    summary
	held   store.Holding
	before store.Holding // while a report is committed: what was held before it
	agent  store.Device
	// response is what its host says that it can do, and whether it is isolated: that of agent.
	response protocol.Response
	online   bool
	from     netip.Addr // where its last session came from since the start; zero: not known
	value    exposure.Value
	// exclusion is why it is out of scores and lists, nil when it is not.
	exclusion *store.Exclusion
	reached   store.Reached // its last connection from the internet that is noted
	group     exposure.Group
	tagged    []string // manual tags, in order
	ruled     []string // tags by rules, by tag
	all       []string // all tags, each once; never changed in place

	verdicts verdicts // of configuration checks; nil: not judged by today's checks
}

// summary is what lists show of a device beyond counts. It is stored as JSON.
type summary struct {
	Name        string                `json:"name"`
	FQDN        string                `json:"fqdn,omitempty"`
	OSID        string                `json:"os_id"`
	OSPlatform  string                `json:"os_platform"`
	OSVersion   string                `json:"os_version"`
	OSName      string                `json:"os_name"`
	Arch        string                `json:"arch"`
	IP          string                `json:"ip,omitempty"`
	Interfaces  []inventory.Interface `json:"interfaces,omitempty"`
	Gaps        int                   `json:"gaps"`
	NotAssessed int                   `json:"not_assessed"`
	Updates     int                   `json:"updates"`
	SecUpdates  int                   `json:"security_updates"`
	Restart     int                   `json:"restart"`
	Tags        []string              `json:"tags,omitempty"`
	Posture     string                `json:"posture,omitempty"` // verdicts
	Paths       []exposure.PathHit    `json:"paths,omitempty"`
	// Partial says that a package database of a distribution could be read only in part.
	Partial bool `json:"partial,omitempty"`
	// Vendor, Model and Virtual are of the hardware, Kernel and Booted of the running system.
	Vendor  string    `json:"vendor,omitempty"`
	Model   string    `json:"model,omitempty"`
	Virtual string    `json:"virtual,omitempty"`
	Kernel  string    `json:"kernel,omitempty"`
	Booted  time.Time `json:"booted,omitzero"`
}

// fact is what lists show of a weakness.
type fact struct {
	Title     string
	Severity  advisory.Severity
	CVSS      float64
	CVSSVer   string
	CVSS3     float64 // base of the best score of CVSS 3, else CVSS
	Published time.Time
	Updated   time.Time
	Threats   Threats
	Types     []string
	Rejected  bool
	Points    exposure.Points
	Fallback  bool // Points rest on no CVSS score
}

func newCore() *core {
	c := &core{
		byID:    map[inventory.DeviceID]uint32{},
		gone:    map[uint32]*device{},
		known:   map[exposure.ComponentID][]store.Known{},
		saved:   map[exposure.ComponentID]bool{},
		idle:    map[exposure.ComponentID]time.Time{},
		going:   map[exposure.ComponentID]bool{},
		facts:   map[string]*fact{},
		rows:    newRowCache(),
		lenses:  lenses{byKey: map[string]lens{}},
		moves:   newMoveBook(),
		members: map[exposure.Group]*roaring.Bitmap{},
		clones:  map[inventory.DeviceID][]uint32{},
		systems: map[string]*roaring.Bitmap{},

		catalogue: map[string]*advisory.Product{},
		releases:  map[release]releaseLife{},
		endings:   map[string]releaseLife{},
		clock:     time.Now,
		checks:    newCheckBook(),
		events:    newEventBook(),
		noted:     newNotedBook(),
		trends:    &trendBook{},
		past:      &pastBook{},
		sorting:   newSorting(nil, nil),
		weighting: exposure.DefaultWeighting(),
		excepted:  map[string][]*exceptionSpec{},
		unsure:    roaring.New(),

		partial:        roaring.New(),
		remediations:   newRemediationBook(),
		alerts:         newAlertBook(),
		investigations: newInvestigationBook(),
	}
	c.fleet = exposure.NewFleet(c.rate)
	c.fleet.Scores().SetChecks(checkWeights())
	return c
}

// rate is the fleet's view of a weakness. The caller holds mu for writing.
func (c *core) rate(weakness string) exposure.Rating {
	f := c.fact(weakness)
	return exposure.Rating{
		Severity:    f.Severity,
		Exploitable: f.Threats.Exploit != advisory.NoExploit && f.Threats.Exploit != "",
		KEV:         f.Threats.KEV,
		Points:      f.Points,
	}
}

// fact returns what lists show of a weakness. Facts of every weakness in the
// fleet exist from the moment it was rated; the caller holds mu for writing, or
// for reading when the weakness is in the fleet.
func (c *core) fact(weakness string) *fact {
	if f := c.facts[weakness]; f != nil {
		return f
	}
	f := factIn(c.view, weakness)
	c.facts[weakness] = f
	return f
}

// peek is fact for readers: it never fills the table.
func (c *core) peek(weakness string) *fact {
	if f := c.facts[weakness]; f != nil {
		return f
	}
	return factOf(&advisory.Weakness{})
}

// factIn is what a view (nil: none) says of a weakness.
func factIn(view intelView, weakness string) *fact {
	if view != nil {
		if w, ok := view.Weakness(weakness); ok {
			return factOf(&w)
		}
	}
	return factOf(&advisory.Weakness{})
}

// same reports whether two facts say the same.
func (f *fact) same(o *fact) bool {
	a, b := *f, *o
	a.Types, b.Types = nil, nil
	a.Published, b.Published, a.Updated, b.Updated = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b) && slices.Equal(f.Types, o.Types) && f.Published.Equal(o.Published) && f.Updated.Equal(o.Updated)
}

func factOf(w *advisory.Weakness) *fact {
	f := &fact{
		Title: w.Title, Severity: w.Severity, Published: w.Published, Updated: w.Modified, Types: w.ExploitTypes, Rejected: w.Rejected,
		Threats: Threats{Exploit: w.Exploit, KEV: w.KEV != nil, Ransom: w.KEV != nil && w.KEV.Ransomware, EPSS: w.EPSS},
	}
	if f.Severity == "" {
		f.Severity = advisory.Unrated
	}
	if f.Threats.Exploit == "" {
		f.Threats.Exploit = advisory.NoExploit
	}
	if f.Title == "" {
		f.Title = firstSentence(w.Description)
	}
	if s, ok := w.Best(); ok {
		f.CVSS, f.CVSSVer, f.CVSS3 = s.Base, s.Version, s.Base
	}
	for _, s := range w.Scores {
		if strings.HasPrefix(s.Version, "3") {
			f.CVSS3 = s.Base
			break
		}
	}
	f.Points, f.Fallback = exposure.WeaknessPoints(w)
	return f
}

// firstSentence is a title for a weakness that has only a description: its
// beginning up to 120 bytes, cut at a word.
func firstSentence(s string) string {
	for i, r := range s {
		if r == '\n' || (r == '.' && i+1 < len(s) && s[i+1] == ' ') {
			s = s[:i]
			break
		}
	}
	if len(s) <= 120 {
		return s
	}
	cut := 0
	for i, r := range s {
		if i > 120 {
			break
		}
		if r == ' ' {
			cut = i
		}
	}
	return s[:cut] + " …"
}

// knownSince is when the intelligence first said that the component has the weakness, 0 when it does not.
func (c *core) knownSince(id exposure.ComponentID, weakness string) int64 {
	list := c.known[id]
	i := sort.Search(len(list), func(i int) bool { return list[i].Weakness >= weakness })
	if i < len(list) && list[i].Weakness == weakness {
		return list[i].Since
	}
	return 0
}

// firstSeen is when a weakness of a held component was first there on the
// device: the later of "the device has it" and "the intelligence says so",
// where versions that were upgraded without closing the weakness count as one.
func (c *core) firstSeen(h store.Held, weakness string) time.Time {
	since := c.knownSince(exposure.ComponentID(h.Component), weakness)
	at := max(h.Since, since)
	for _, p := range h.Past {
		k := c.knownSince(exposure.ComponentID(p.Component), weakness)
		if k == 0 {
			break
		}
		at = min(at, max(p.Since, k))
	}
	return time.Unix(at, 0).UTC()
}

// load rebuilds the fleet from the store.
func (c *core) load(ctx context.Context, st *store.Store) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := st.Components(ctx, func(sc store.Component) error {
		var comp exposure.Component
		if err := json.Unmarshal(sc.Spec, &comp); err != nil {
			return fmt.Errorf("component %d: %w", sc.ID, err)
		}
		id := exposure.ComponentID(sc.ID)
		if !c.fleet.Restore(id, comp) {
			return fmt.Errorf("component %d is stored twice", sc.ID)
		}
		c.known[id] = sc.Known
		c.saved[id] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("load components: %w", err)
	}
	if err := c.loadIdle(ctx, st); err != nil {
		return fmt.Errorf("load components that no device has: %w", err)
	}
	noted, err := st.Noted(ctx)
	if err != nil {
		return fmt.Errorf("load what was told: %w", err)
	}
	c.noted.take(noted)
	if err := c.events.load(ctx, st); err != nil {
		return err
	}
	if err := c.trends.load(ctx, st, dayOf(time.Now())); err != nil {
		return err
	}
	agents, err := st.Devices(ctx)
	if err != nil {
		return fmt.Errorf("load devices: %w", err)
	}
	batch := make([]exposure.DeviceSet, 0, len(agents))
	values, err := st.DeviceValues(ctx)
	if err != nil {
		return fmt.Errorf("load values of devices: %w", err)
	}
	if c.sorting, err = readSorting(ctx, st); err != nil {
		return err
	}
	if c.weighting, err = readWeighting(ctx, st); err != nil {
		return err
	}
	removed := map[uint32]bool{}
	for _, a := range agents {
		if !a.Removed.IsZero() {
			if removed[a.Num] = true; time.Since(a.Removed) < changesKept {
				c.gone[a.Num] = newDevice(a)
			}
			continue
		}
		d := c.register(a)
		d.value, _ = valueOf(values[a.Num])
	}
	if err := c.loadTags(ctx, st); err != nil {
		return err
	}
	if err := c.loadExclusions(ctx, st); err != nil {
		return err
	}
	if err := c.loadReached(ctx, st); err != nil {
		return err
	}
	err = st.DeviceStates(ctx, func(ds store.DeviceState) error {
		d := c.at(ds.Device)
		if d == nil && !removed[ds.Device] {
			return fmt.Errorf("state of unregistered device %d", ds.Device)
		}
		var sum summary
		if err := json.Unmarshal(ds.Summary, &sum); err != nil {
			return fmt.Errorf("summary of device %d: %w", ds.Device, err)
		}
		if d == nil {
			if g := c.gone[ds.Device]; g != nil {
				g.sum = sum
				g.group = c.classify(g)
			}
			return nil
		}
		c.setSummary(d, sum)
		c.fleet.Scores().SetPaths(d.num, d.sum.Paths)
		if v, ok := parseVerdicts(d.sum.Posture); ok {
			c.judge(d, v)
		}
		d.held = ds.Components
		batch = append(batch, exposure.DeviceSet{Device: d.num, Components: componentIDs(d.held)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("load device states: %w", err)
	}
	now := time.Now()
	c.fleet.Bulk(func() {
		c.fleet.Load(batch)
		for _, d := range c.devices {
			if d != nil && d.held.Len() == 0 {
				c.fleet.SetDevice(d.num, nil)
			}
			if d != nil {
				c.place(d, now)
			}
		}
	})
	return nil
}

// add makes a registered device known to lists. The caller holds mu for writing.
func (c *core) add(a store.Device) {
	d := c.register(a)
	if !c.fleet.Devices().Contains(d.num) {
		c.fleet.SetDevice(d.num, nil)
	}
	c.place(d, time.Now())
}

func newDevice(a store.Device) *device {
	d := &device{num: a.Num, id: a.ID, sum: summary{Name: string(a.ID[:12])}}
	d.setAgent(a)
	return d
}

// setAgent takes over what is kept of a device's agent.
func (d *device) setAgent(a store.Device) {
	d.agent, d.response = a, protocol.Response{}
	if len(a.Response) > 0 && json.Unmarshal(a.Response, &d.response) != nil {
		d.response = protocol.Response{} // a host of which nothing is known can do nothing
	}
}

// register makes a device known, not yet to the fleet.
func (c *core) register(a store.Device) *device {
	for int(a.Num) >= len(c.devices) {
		c.devices = append(c.devices, nil)
	}
	d := c.devices[a.Num]
	if d == nil {
		d = newDevice(a)
		if g := c.gone[a.Num]; g != nil { // it was removed and is there again
			d.recorded = g.recorded
			d.sum.Name, d.sum.FQDN = g.sum.Name, g.sum.FQDN // until its report names it
			delete(c.gone, a.Num)
		}
		c.devices[a.Num] = d
		c.byID[a.ID] = a.Num
		c.idOrder.Store(nil)
	}
	d.setAgent(a)
	if of := a.CloneOf; of != "" && !slices.Contains(c.clones[of], a.Num) {
		c.clones[of] = append(c.clones[of], a.Num)
	}
	return d
}

// inIDOrder lists the devices by their id; some may be gone. The caller holds
// mu for reading, and does not change the result.
func (c *core) inIDOrder() []uint32 {
	if list := c.idOrder.Load(); list != nil {
		return *list
	}
	list := make([]uint32, 0, len(c.devices))
	for _, d := range c.devices {
		if d != nil {
			list = append(list, d.num)
		}
	}
	slices.SortFunc(list, func(a, b uint32) int { return strings.Compare(string(c.devices[a].id), string(c.devices[b].id)) })
	c.idOrder.Store(&list)
	return list
}

// at returns a device by number, nil when there is none.
func (c *core) at(num uint32) *device {
	if int(num) >= len(c.devices) {
		return nil
	}
	return c.devices[num]
}
