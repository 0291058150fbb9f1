package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// SectionInfo is a section without its items.
type SectionInfo struct {
	Name    inventory.SectionName
	Status  inventory.Status
	Reason  string
	Hash    string
	Seen    time.Time
	Changed time.Time
	Items   int
}

// Held is one component of a device and since when the device has it.
type Held struct {
	Component uint32
	Since     int64 // Unix seconds
	// Past are the components that this one replaced on the device, newest
	// first: what a weakness that outlived an upgrade has its first-seen time from.
	Past []Past
}

// Past is a component that a device had before an upgrade.
type Past struct {
	Component uint32
	Since     int64 // Unix seconds
}

// MaxPast is how many replaced components are remembered per component.
const MaxPast = 8

// DeviceState is what the server keeps in memory of each device.
type DeviceState struct {
	Device     uint32
	Summary    []byte // JSON, the server's
	Components Holding
}

// Component is one distinct component of the fleet with what is known of it.
type Component struct {
	ID    uint32
	Spec  []byte
	Known []Known
}

// Known is a weakness of a component and since when the intelligence says so.
type Known struct {
	Weakness string
	State    string
	Since    int64 // Unix seconds
}

// Closed is a finding that went away.
type Closed struct {
	Device    int64 // device number; AllDevices: every device that had the component
	Component uint32
	Weakness  string
	Reason    string
	Detail    string
	First     int64 // Unix seconds, 0 unknown
	At        int64 // Unix milliseconds
}

// AllDevices in Closed.Device means every device that had the component then.
const AllDevices = -1

// Ingest is everything that one accepted report changes: one transaction.
type Ingest struct {
	Device     uint32
	ID         inventory.DeviceID
	Seq        uint64 // of the report; 0: not from an agent's spool
	At         time.Time
	Sections   []*inventory.Section
	State      *DeviceState // nil: unchanged
	Components []Component  // new in the fleet, or with changed Known
	Woken      []uint32     // components that the device has and that no device had
	Closed     []Closed
	Noted      []Noted // what is no news any more with this report
	Change     *Change // what stood before; nil: nothing that exports show changed
	SBOM       *SBOM   // the document that the sections are from; nil: an agent reported them
}

// ErrSeq says that a report was applied before.
var ErrSeq = errors.New("report already applied")

// Apply commits reports, all or none, durably. A report whose Seq is not above
// the device's last one is skipped and its index is in dup.
func (s *Store) Apply(ctx context.Context, reports []Ingest) (dup map[int]bool, err error) {
	bodies := make([][][]byte, len(reports))
	for i, r := range reports {
		for _, sec := range r.Sections {
			b, err := s.packItems(sec.Items)
			if err != nil {
				return nil, err
			}
			bodies[i] = append(bodies[i], b)
		}
	}
	dup = map[int]bool{}
	err = s.write(ctx, func(tx *sql.Tx) error {
		for i := range reports {
			err := applyReport(ctx, tx, &reports[i], bodies[i])
			if err == nil {
				err = s.putChange(ctx, tx, reports[i].Change)
			}
			if errors.Is(err, ErrSeq) {
				dup[i] = true
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return dup, err
}

func applyReport(ctx context.Context, tx *sql.Tx, r *Ingest, bodies [][]byte) error {
	at := r.At.UnixMilli()
	if r.Seq > 0 {
		res, err := tx.ExecContext(ctx, `UPDATE device SET last_seq = $1 WHERE num = $2 AND last_seq < $1`, int64(r.Seq), r.Device)
		if err != nil {
			return fmt.Errorf("advance sequence of device %d: %w", r.Device, err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return ErrSeq
		}
	}
	if r.SBOM != nil {
		if err := applySBOM(ctx, tx, r.Device, r.SBOM); err != nil {
			return err
		}
	}
	for i, sec := range r.Sections {
		_, err := tx.ExecContext(ctx, `INSERT INTO section (device, name, status, reason, hash, seen, changed, items, body)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)
			ON CONFLICT (device, name) DO UPDATE SET status=$3, reason=$4, hash=$5, seen=$6, changed=$7, items=$8, body=$9`,
			r.Device, string(sec.Name), string(sec.Status), sec.Reason, sec.Hash(), sec.SeenAt.UnixMilli(), at, len(sec.Items), bodies[i])
		if err != nil {
			return fmt.Errorf("store section %q of device %d: %w", sec.Name, r.Device, err)
		}
	}
	if err := putComponents(ctx, tx, r.Components); err != nil {
		return err
	}
	if err := wakeComponents(ctx, tx, r.Woken); err != nil {
		return err
	}
	if r.State != nil {
		_, err := tx.ExecContext(ctx, `INSERT INTO device_state (device, summary, components) VALUES ($1,$2,$3)
			ON CONFLICT (device) DO UPDATE SET summary=$2, components=$3`, r.Device, r.State.Summary, r.State.Components.column())
		if err != nil {
			return fmt.Errorf("store state of device %d: %w", r.Device, err)
		}
	}
	if err := putNoted(ctx, tx, r.Noted); err != nil {
		return err
	}
	return putClosed(ctx, tx, r.Closed)
}

func putClosed(ctx context.Context, tx *sql.Tx, list []Closed) error {
	if len(list) == 0 {
		return nil
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO closed (device, component, weakness, reason, detail, first, at) VALUES ($1,$2,$3,$4,$5,$6,$7)`)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for _, c := range list {
		if _, err := st.ExecContext(ctx, c.Device, c.Component, c.Weakness, c.Reason, c.Detail, c.First, c.At); err != nil {
			return fmt.Errorf("store closed finding: %w", err)
		}
	}
	return nil
}

// Setting reads a named value; ErrNotFound when it was never set.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var raw []byte
	err := s.r.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return raw, err
}

// SetSetting writes a named value.
func (s *Store) SetSetting(ctx context.Context, name string, value []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error { return putSetting(ctx, tx, name, value) })
}

// SetAccessSetting writes a named value on which depends who may do what.
func (s *Store) SetAccessSetting(ctx context.Context, name string, value []byte) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error { return putSetting(ctx, tx, name, value) })
}

func putSetting(ctx context.Context, tx *sql.Tx, name string, value []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2`, name, value)
	return err
}

// DeviceStates calls fn for every device that has reported, in order of number.
func (s *Store) DeviceStates(ctx context.Context, fn func(DeviceState) error) error {
	rows, err := s.r.QueryContext(ctx, `SELECT device, summary, components FROM device_state ORDER BY device`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var d DeviceState
		var held []byte
		if err := rows.Scan(&d.Device, &d.Summary, &held); err != nil {
			return err
		}
		if d.Components, err = holdingOf(held); err != nil {
			return fmt.Errorf("device %d: %w", d.Device, err)
		}
		if err := fn(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// SectionInfos lists the sections of a device without their items.
func (s *Store) SectionInfos(ctx context.Context, device uint32) ([]SectionInfo, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT name, status, reason, hash, seen, changed, items FROM section WHERE device = $1 ORDER BY name`, device)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []SectionInfo
	for rows.Next() {
		var i SectionInfo
		var seen, changed int64
		if err := rows.Scan(&i.Name, &i.Status, &i.Reason, &i.Hash, &seen, &changed, &i.Items); err != nil {
			return nil, err
		}
		i.Seen, i.Changed = time.UnixMilli(seen).UTC(), time.UnixMilli(changed).UTC()
		out = append(out, i)
	}
	return out, rows.Err()
}

// Sections reads the sections of a device with their items.
func (s *Store) Sections(ctx context.Context, device uint32) (map[inventory.SectionName]*inventory.Section, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT name, status, reason, seen, body FROM section WHERE device = $1`, device)
	if err != nil {
		return nil, err
	}
	return s.readSections(rows, device)
}

// SomeSections reads those of the named sections that a device has.
func (s *Store) SomeSections(ctx context.Context, device uint32, names []inventory.SectionName) (map[inventory.SectionName]*inventory.Section, error) {
	list, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT name, status, reason, seen, body FROM section
		WHERE device = $1 AND name IN (SELECT value FROM json_each($2))`, device, string(list))
	if err != nil {
		return nil, err
	}
	return s.readSections(rows, device)
}

func (s *Store) readSections(rows *sql.Rows, device uint32) (map[inventory.SectionName]*inventory.Section, error) {
	defer func() { _ = rows.Close() }()
	out := map[inventory.SectionName]*inventory.Section{}
	for rows.Next() {
		var sec inventory.Section
		var seen int64
		var body []byte
		if err := rows.Scan(&sec.Name, &sec.Status, &sec.Reason, &seen, &body); err != nil {
			return nil, err
		}
		sec.SeenAt = time.UnixMilli(seen).UTC()
		var err error
		if sec.Items, err = s.unpackItems(body); err != nil {
			return nil, fmt.Errorf("section %q of device %d: %w", sec.Name, device, err)
		}
		out[sec.Name] = &sec
	}
	return out, rows.Err()
}

// SeenSections notes, by device, that unchanged sections were looked at again.
func (s *Store) SeenSections(ctx context.Context, seen map[uint32]map[inventory.SectionName]time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		st, err := tx.PrepareContext(ctx, `UPDATE section SET seen = $1 WHERE device = $2 AND name = $3 AND seen < $1`)
		if err != nil {
			return err
		}
		defer func() { _ = st.Close() }()
		for device, names := range seen {
			for name, at := range names {
				if _, err := st.ExecContext(ctx, at.UnixMilli(), device, string(name)); err != nil {
					return fmt.Errorf("note section %q of device %d as seen: %w", name, device, err)
				}
			}
		}
		return nil
	})
}

// ClosedOf lists the newest closed findings of a device: its own, and those
// that the intelligence closed on components in comps. Newest first.
func (s *Store) ClosedOf(ctx context.Context, device uint32, comps []uint32, limit int) ([]Closed, error) {
	ids, err := json.Marshal(comps)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT device, component, weakness, reason, detail, first, at FROM closed
		WHERE device = $1 OR (device = -1 AND component IN (SELECT value FROM json_each($2)))
		ORDER BY at DESC, id DESC LIMIT $3`, device, string(ids), limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Closed
	for rows.Next() {
		var c Closed
		if err := rows.Scan(&c.Device, &c.Component, &c.Weakness, &c.Reason, &c.Detail, &c.First, &c.At); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func (s *Store) packItems(items []inventory.Item) ([]byte, error) {
	raw, err := json.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("encode items: %w", err)
	}
	return s.enc.EncodeAll(raw, nil), nil
}

func (s *Store) unpackItems(body []byte) ([]inventory.Item, error) {
	raw, err := s.dec.DecodeAll(body, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack items: %w", err)
	}
	items := []inventory.Item{}
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("decode items: %w", err)
	}
	return items, nil
}

// CountAccounts says how many people have an account.
func (s *Store) CountAccounts(ctx context.Context) (n int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT count(*) FROM account`).Scan(&n)
	return n, err
}
