package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

const (
	packageDir     = "packages" // below the data directory
	packageSetting = "package_retention"
	packageSeal    = "package-link" // what links are sealed as
	packageLinkFor = 15 * time.Minute
	mostUploads    = 4 // at once
	uploadTime     = time.Hour
	sweepPackages  = time.Hour

	keepPackageDays = 30
	keepPackages    = 20 << 30
	leastPackage    = 1 << 20
	leastPackages   = 256 << 20
	mostPackages    = 1 << 50
)

func defaultPackageRetention() PackageRetention {
	return PackageRetention{Days: keepPackageDays, Most: protocol.MaxPackage, Total: keepPackages}
}

func (r PackageRetention) check() error {
	switch {
	case r.Days < 1 || r.Days > mostKeepDays:
		return Invalidf("days", "must be 1 to %d", mostKeepDays)
	case r.Most < leastPackage || r.Most > protocol.MaxPackage:
		return Invalidf("most_bytes", "must be 1 MiB to 256 MiB")
	case r.Total < leastPackages || r.Total > mostPackages:
		return Invalidf("total_bytes", "must be 256 MiB to 1 PiB")
	}
	return nil
}

func (s *Server) packageRetention(ctx context.Context) (PackageRetention, error) {
	r := defaultPackageRetention()
	raw, err := s.st.Setting(ctx, packageSetting)
	if errors.Is(err, store.ErrNotFound) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return r, fmt.Errorf("read how long packages are kept: %w", err)
	}
	return r, nil
}

// PackageRetention tells how long investigation packages are kept, and what is kept.
func (s *Server) PackageRetention(ctx context.Context, c Caller) (PackageRetentionView, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return PackageRetentionView{}, err
	}
	r, err := s.packageRetention(ctx)
	if err != nil {
		return PackageRetentionView{}, err
	}
	out := PackageRetentionView{PackageRetention: r, AsOf: s.now()}
	err = s.st.MachineActions(ctx, store.ActionFilter{}, func(t *store.MachineAction) bool {
		if t.Package > 0 {
			out.Packages, out.Bytes = out.Packages+1, out.Bytes+t.Package
		}
		if t.PackageGone != "" {
			out.Removed++
		}
		return true
	})
	return out, err
}

// SetPackageRetention changes how long investigation packages are kept. What is
// not to be kept any more goes soon.
func (s *Server) SetPackageRetention(ctx context.Context, c Caller, r PackageRetention) (PackageRetentionView, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return PackageRetentionView{}, err
	}
	if err := r.check(); err != nil {
		return PackageRetentionView{}, err
	}
	was, err := s.packageRetention(ctx)
	if err != nil {
		return PackageRetentionView{}, err
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return PackageRetentionView{}, fmt.Errorf("encode how long packages are kept: %w", err)
	}
	audit.Change(ctx, "packages", was, r)
	if err := s.st.SetSetting(ctx, packageSetting, raw); err != nil {
		return PackageRetentionView{}, err
	}
	if err := s.sweepPackages(ctx); err != nil {
		return PackageRetentionView{}, err
	}
	return s.PackageRetention(ctx, c)
}

// packagePath is the file of an action. Its id is the server's own: no name from
// elsewhere becomes part of a path.
func (s *Server) packagePath(id string) string {
	return filepath.Join(s.opt.Dir, packageDir, id+".zip")
}

// sweepPackages removes packages that are too old, of devices that are gone, or
// beyond the space that all of them may take, and files that belong to no action.
func (s *Server) sweepPackages(ctx context.Context) error {
	r, err := s.packageRetention(ctx)
	if err != nil {
		return err
	}
	gone, known, total := map[string]string{}, map[string]bool{}, int64(0)
	oldest := s.now().Add(-time.Duration(r.Days) * 24 * time.Hour)
	err = s.st.MachineActions(ctx, store.ActionFilter{Packages: true}, func(t *store.MachineAction) bool {
		s.core.mu.RLock()
		_, there := s.core.byID[t.Device]
		s.core.mu.RUnlock()
		total += t.Package // the newest first: the oldest go beyond the space
		switch {
		case !there:
			gone[t.ID] = "The device was removed."
		case t.Created.Before(oldest):
			gone[t.ID] = fmt.Sprintf("Packages are kept for %d days.", r.Days)
		case total > r.Total:
			gone[t.ID] = "Newer packages took the space that all of them may take."
		default:
			known[t.ID] = true
			return true
		}
		total -= t.Package
		return true
	})
	if err != nil {
		return err
	}
	ctx = s.byServer(ctx, "remove-packages", nil)
	for id, why := range gone {
		if err := s.dropPackage(ctx, id, why); err != nil {
			return err
		}
	}
	return s.dropStrays(known)
}

func (s *Server) dropPackage(ctx context.Context, id, why string) error {
	t, changed, err := s.st.ChangeMachineAction(ctx, id, func(t *store.MachineAction) bool {
		if t.Package == 0 {
			return false
		}
		t.Package, t.PackageGone = 0, why
		return true
	})
	if err != nil || !changed {
		return err
	}
	if err := os.Remove(s.packagePath(id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove package: %w", err)
	}
	s.log.InfoContext(ctx, "package removed", "action", id, "device", t.Device, "reason", why)
	s.live.publish(LiveEvent{Resource: "machine-actions", ID: string(t.Device)})
	return nil
}

// dropStrays removes files that no action has: of uploads that broke off when the
// server stopped. One that is younger than an upload may take is left alone.
func (s *Server) dropStrays(known map[string]bool) error {
	list, err := os.ReadDir(filepath.Join(s.opt.Dir, packageDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read packages: %w", err)
	}
	for _, e := range list {
		id, _, _ := strings.Cut(e.Name(), ".")
		info, err := e.Info()
		if err != nil || known[id] && strings.HasSuffix(e.Name(), ".zip") || time.Since(info.ModTime()) < 2*uploadTime {
			continue
		}
		if err := os.Remove(filepath.Join(s.opt.Dir, packageDir, e.Name())); err != nil {
			return fmt.Errorf("remove stray file: %w", err)
		}
	}
	return nil
}

// takePackage writes the package of an action of a device to disk, whole and
// with the hash that it is said to have, or not at all; it is durable when it
// returns nil. It is ErrNotFound for what is no such action under way, an
// *InputError for what is too large or has another hash.
func (s *Server) takePackage(ctx context.Context, id inventory.DeviceID, action, hash string, size int64, body io.Reader) error {
	if !protocol.ValidTask(action) {
		return fmt.Errorf("action %.40q: %w", action, ErrNotFound)
	}
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size || hash != strings.ToLower(hash) {
		return Invalidf(protocol.PackageHash, "must be the SHA-256 of the package, 64 lower-case hexadecimal digits")
	}
	r, err := s.packageRetention(ctx)
	if err != nil {
		return err
	}
	if size <= 0 || size > r.Most {
		return Invalidf("Content-Length", "must be 1 to %d, the most that this server takes", r.Most)
	}
	takes := func(t *store.MachineAction) bool {
		return t.Kind == protocol.TaskCollect && t.Device == id && t.Active() && !t.Sent.IsZero()
	}
	t, err := s.st.MachineAction(ctx, action)
	if err == nil && !takes(&t) {
		err = store.ErrNotFound
	}
	if err != nil {
		return notFound(err)
	}
	select {
	case s.tasks.slots <- struct{}{}:
		defer func() { <-s.tasks.slots }()
	default:
		return fmt.Errorf("%d packages are on their way already: %w", mostUploads, ErrUnavailable)
	}
	if err := s.writePackage(t.ID, hash, size, body); err != nil {
		return err
	}
	_, changed, err := s.st.ChangeMachineAction(ctx, t.ID, func(t *store.MachineAction) bool {
		if !takes(t) {
			return false
		}
		t.Package, t.PackageHash, t.Updated = size, hash, s.now()
		return true
	})
	if err == nil && !changed {
		err = fmt.Errorf("action %s: %w", t.ID, ErrNotFound)
	}
	if err != nil {
		return errors.Join(notFound(err), os.Remove(s.packagePath(t.ID)))
	}
	s.log.InfoContext(ctx, "package received", "action", t.ID, "device", id, "bytes", size)
	return nil
}

func (s *Server) writePackage(id, hash string, size int64, body io.Reader) (err error) {
	dir := filepath.Join(s.opt.Dir, packageDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create folder of packages: %w", err)
	}
	f, err := os.CreateTemp(dir, id+".*.part") // 0600
	if err != nil {
		return fmt.Errorf("create package: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what stays is swept
		}
	}()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, size+1))
	if err == nil && n != size {
		err = Invalidf("Content-Length", "said %d bytes, %d came", size, n)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); err == nil && got != hash {
		err = Invalidf(protocol.PackageHash, "the package has another hash: %s", got)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.packagePath(id)); err != nil {
		return fmt.Errorf("keep package: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("keep package: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// packageOf finds the package of an action for whoever may have it.
func (s *Server) packageOf(ctx context.Context, caller Caller, id string) (store.MachineAction, error) {
	if err := s.need(caller, MachineCollect); err != nil {
		return store.MachineAction{}, err
	}
	t, err := s.machineAction(ctx, caller, id)
	switch {
	case err != nil:
		return t, err
	case t.Kind != protocol.TaskCollect:
		return t, fmt.Errorf("action %s leaves no package: %w", t.ID, ErrNotFound)
	case t.Status != store.ActionSucceeded || t.Package == 0:
		return t, fmt.Errorf("%s: %w", orElse(strings.TrimSuffix(t.PackageGone, "."), "there is no package yet"), ErrNotFound)
	}
	return t, nil
}

// Package opens the package of an action. The reader is the caller's to close.
func (s *Server) Package(ctx context.Context, caller Caller, id string) (MachineAction, *os.File, error) {
	t, err := s.packageOf(ctx, caller, id)
	if err != nil {
		return MachineAction{}, nil, err
	}
	f, err := os.Open(s.packagePath(t.ID))
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("the file of action %s is gone: %w", t.ID, ErrNotFound)
	}
	return s.machineActionRow(caller, &t), f, err
}

// packageLink is what an address of a package says, sealed.
type packageLink struct {
	Action string `json:"a"`
	User   int64  `json:"u"`
	App    string `json:"c"`
	Ends   int64  `json:"e"` // Unix seconds
}

// PackageLink makes an address below base for the package of an action. It works
// without credentials for 15 minutes, while the package is there and whoever asked
// may still have it.
func (s *Server) PackageLink(ctx context.Context, caller Caller, id, base string) (PackageLink, error) {
	t, err := s.packageOf(ctx, caller, id)
	if err != nil {
		return PackageLink{}, err
	}
	ends := s.now().Add(packageLinkFor).UTC().Truncate(time.Second)
	raw, err := json.Marshal(packageLink{Action: t.ID, User: caller.UserID, App: caller.App, Ends: ends.Unix()})
	if err != nil {
		return PackageLink{}, fmt.Errorf("encode link: %w", err)
	}
	sealed, err := s.tickets.vault.seal(packageSeal, string(raw))
	if err != nil {
		return PackageLink{}, fmt.Errorf("seal link: %w", err)
	}
	return PackageLink{URL: base + "/" + packageDir + "/" + base64.RawURLEncoding.EncodeToString(sealed) + "/" + packageName(&t), Expires: ends}, nil
}

// packageName is the file name of a package.
func packageName(t *store.MachineAction) string {
	return "package-" + t.ID + ".zip"
}

// LinkedPackage opens the package that an address of PackageLink names; ErrNotFound
// when it names none, or none any more.
func (s *Server) LinkedPackage(ctx context.Context, token string) (MachineAction, *os.File, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	var link packageLink
	if err == nil {
		var text string
		if text, err = s.tickets.vault.unseal(packageSeal, sealed); err == nil {
			err = json.Unmarshal([]byte(text), &link)
		}
	}
	if err != nil || link.Action == "" || s.now().Unix() >= link.Ends {
		return MachineAction{}, nil, fmt.Errorf("link to a package: %w", ErrNotFound)
	}
	who, err := s.requester(ctx, &store.Approval{User: link.User, App: link.App})
	if err != nil {
		return MachineAction{}, nil, fmt.Errorf("link to a package: %w", ErrNotFound)
	}
	row, f, err := s.Package(ctx, who, link.Action)
	if errors.Is(err, ErrDenied) {
		err = fmt.Errorf("link to a package: %w", ErrNotFound)
	}
	return row, f, err
}

// handlePackage takes the package of an agent.
func (g *gateway) handlePackage(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	id, cert, err := protocol.PeerID(r.TLS)
	if err != nil {
		refuse(w, http.StatusForbidden, protocol.RefusedCertificate, err.Error())
		return
	}
	known, err := g.st.HasCert(ctx, id, cert.SerialNumber.Text(16))
	if err != nil {
		g.log.ErrorContext(ctx, "look up agent certificate", "device", id, "error", err)
		refuse(w, http.StatusServiceUnavailable, protocol.RefusedBusy, "the server cannot look up the certificate now")
		return
	}
	if !known || !g.now().Before(cert.NotAfter) {
		refuse(w, http.StatusForbidden, protocol.RefusedUnknown, "this certificate is not known to the server: enrol again")
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)) // a reader without deadlines has none to set
	err = g.backend.takePackage(ctx, id, r.PathValue("id"), r.Header.Get(protocol.PackageHash), r.ContentLength, r.Body)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, protocol.RefusedRequest, "no package of this device is asked for under this id")
	case errors.Is(err, ErrInvalid):
		refuse(w, http.StatusBadRequest, protocol.RefusedRequest, err.Error())
	case slices.ContainsFunc([]error{ErrUnavailable, context.Canceled, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded}, func(e error) bool { return errors.Is(err, e) }):
		refuse(w, http.StatusServiceUnavailable, protocol.RefusedBusy, "the package did not arrive: try again")
	default:
		g.log.ErrorContext(ctx, "package not stored, the agent will try again", "device", id, "error", err)
		refuse(w, http.StatusServiceUnavailable, protocol.RefusedBusy, "the server cannot store the package now")
	}
}
