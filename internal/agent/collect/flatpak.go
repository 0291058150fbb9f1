package collect

import (
	"bytes"
	"context"
	"path"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// flatpakSystem is the system-wide installation.
const flatpakSystem = "var/lib/flatpak"

// collectFlatpak lists the applications and runtimes of the system-wide
// installation and of the users' own.
func collectFlatpak(ctx context.Context, h Host, l Limits) *inventory.Section {
	roots := []string{flatpakSystem, "root/.local/share/flatpak"}
	homes, _ := h.readDir("home")
	for _, e := range homes {
		if e.IsDir() {
			roots = append(roots, "home/"+e.Name()+"/.local/share/flatpak")
		}
	}
	r := begin(inventory.Flatpak, l)
	found := false
	for _, root := range roots {
		for _, kind := range []string{"app", "runtime"} {
			at, err := h.resolve(path.Join(root, kind))
			if err != nil {
				continue
			}
			found = true
			flatpakRefs(ctx, h, r, at)
		}
	}
	if !found {
		return absent(inventory.Flatpak, "flatpak is not in use: there is no /%s/app", flatpakSystem)
	}
	return r.done(ctx)
}

// flatpakRefs reads ID/ARCH/BRANCH/active below dir.
func flatpakRefs(ctx context.Context, h Host, r *result, dir string) {
	ids, err := h.readDirAt(dir)
	if err != nil {
		r.problem("%s was not read in full: %s", abs(dir), short(err))
	}
	for _, id := range ids {
		if !id.IsDir() {
			continue
		}
		archs, _ := h.readDirAt(path.Join(dir, id.Name()))
		for _, arch := range archs {
			if !arch.IsDir() {
				continue // "current" is a link to the default branch
			}
			branches, _ := h.readDirAt(path.Join(dir, id.Name(), arch.Name()))
			for _, branch := range branches {
				r.l.yield()
				if ctx.Err() != nil {
					return
				}
				if !branch.IsDir() {
					continue
				}
				active, err := h.resolve(path.Join(dir, id.Name(), arch.Name(), branch.Name(), "active"))
				if err != nil {
					continue
				}
				p := inventory.Package{
					Ecosystem: inventory.EcoFlatpak, Name: r.text(id.Name(), maxName), Arch: r.text(goArch(arch.Name()), 32),
					Channel: r.text(branch.Name(), 128), Paths: []string{r.text(abs(active), maxPath)},
				}
				p.Version = r.text(flatpakVersion(h, active, id.Name()), maxVersion)
				if st, err := lstat(h, active); err == nil {
					p.InstalledAt = st.ModTime().UTC().Truncate(time.Second)
				}
				r.put(p.Name+"/"+p.Arch+"/"+p.Channel+"@"+p.Paths[0], p)
			}
		}
	}
}

// flatpakVersion is the application's version: what the deployment recorded,
// else the newest release of its AppStream description. Runtimes have none.
func flatpakVersion(h Host, active, id string) string {
	if b, err := h.read(path.Join(active, "deploy"), 1<<20); err == nil {
		if v := deployVersion(b); v != "" {
			return v
		}
	}
	for _, f := range []string{"metainfo/" + id + ".metainfo.xml", "metainfo/" + id + ".appdata.xml", "appdata/" + id + ".appdata.xml"} {
		b, err := h.read(path.Join(active, "files/share", f), 4<<20)
		if err != nil {
			continue
		}
		if v := releaseVersion(string(b)); v != "" {
			return v
		}
	}
	return ""
}

// deployVersion finds "appdata-version" in a deploy file, a GVariant dictionary
// of (string, variant) whose members are aligned to 8 bytes.
func deployVersion(b []byte) string {
	key := []byte("appdata-version\x00")
	i := bytes.Index(b, key)
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(b[i+len(key):], "\x00")
	v, _, ok := bytes.Cut(rest, []byte{0})
	if !ok || len(v) > maxVersion {
		return ""
	}
	return string(v)
}

// releaseVersion is the version of the first <release> element.
func releaseVersion(xml string) string {
	for {
		_, rest, ok := strings.Cut(xml, "<release")
		if !ok {
			return ""
		}
		xml = rest
		if rest == "" || (rest[0] != ' ' && rest[0] != '\n' && rest[0] != '\t') {
			continue // <releases>
		}
		tag, _, ok := strings.Cut(rest, ">")
		if !ok {
			return ""
		}
		for _, q := range []string{`"`, `'`} {
			if _, v, ok := strings.Cut(tag, " version="+q); ok {
				v, _, _ = strings.Cut(v, q)
				return v
			}
		}
	}
}
