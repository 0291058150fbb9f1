//go:build !linux

package respond

import (
	"runtime"
	"time"
)

func (r *Responder) can(k Kind) error {
	what := map[Kind]string{Collect: "collecting an investigation package", Scan: "a scan for malware", Isolate: "isolation", Release: "release from isolation", Investigate: "an investigation"}[k]
	return elsewhere(what)
}

func (r *Responder) items() []item { return nil }

func (r *Responder) describe() *Package {
	return &Package{Version: r.cfg.Version, Root: r.cfg.Root, Collected: time.Now().UTC().Truncate(time.Second), System: runtime.GOOS + "/" + runtime.GOARCH}
}

func elsewhere(what string) error {
	return unsupported(what + " is not supported on this system (" + runtime.GOOS + "); it is on Linux")
}
