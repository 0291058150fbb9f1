package server

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// A device stands in the internet when an interface that is up has an address of
// IPv4 that the internet routes; nothing proves the contrary.
func TestInternetFacing(t *testing.T) {
	for address, want := range map[string]string{
		"8.8.8.8": facingYes, "100.63.255.255": facingYes, "100.128.0.1": facingYes, "172.15.1.1": facingYes, "172.32.0.1": facingYes, "223.255.255.1": facingYes,
		"::ffff:8.8.8.8": facingYes, "10.1.2.3": facingUnknown, "172.16.0.1": facingUnknown, "172.31.255.1": facingUnknown, "192.168.1.1": facingUnknown, "100.64.0.1": facingUnknown,
		"169.254.1.1": facingUnknown, "127.0.0.2": facingUnknown, "0.0.0.0": facingUnknown, "192.0.2.1": facingUnknown, "198.51.100.1": facingUnknown, "203.0.113.9": facingUnknown,
		"198.18.0.1": facingUnknown, "224.0.0.1": facingUnknown, "255.255.255.255": facingUnknown, "2a00:1450:4001::1": facingUnknown, "fe80::1%eth0": facingUnknown, "8.8.8.8/24": facingUnknown, "": facingUnknown,
	} {
		d := &device{sum: summary{Interfaces: []inventory.Interface{{Name: "eth0", Up: true, Addresses: []string{"10.0.0.1", address}}}}}
		word, why := d.facing(time.Now())
		if word != want || why == "" {
			t.Errorf("%q: %s (%s), want %s", address, word, why, want)
		}
	}
	for what, i := range map[string]inventory.Interface{"down": {Name: "eth0", Addresses: []string{"8.8.8.8"}}, "loopback": {Name: "lo", Up: true, Loopback: true, Addresses: []string{"8.8.8.8"}}} {
		if word, _ := (&device{sum: summary{Interfaces: []inventory.Interface{i}}}).facing(time.Now()); word != facingUnknown {
			t.Errorf("an interface that is %s: %s", what, word)
		}
	}
}

// Devices are found by what manages them and by whether they stand in the
// internet; a device that is moved behind a router leaves that list at once, and
// nobody finds one of a hidden group.
func TestDevicesByManagerAndInternet(t *testing.T) {
	s := testServer(t)
	host := func(name string) *report {
		r := newReport(s, enrol(t, s, name))
		r.sections(t, oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: "12", Family: "linux", Arch: "amd64", Hostname: name}))
		return r
	}
	at := func(r *report, address string) {
		t.Helper()
		r.sections(t, oneItem(inventory.Interfaces, "eth0", inventory.Interface{Name: "eth0", Up: true, Addresses: []string{address}}))
	}
	edge, inner := host("edge"), host("inner")
	if _, err := s.ImportSBOM(t.Context(), admin, bom("shop:1", "2026-11-20T09:00:00Z", "libssl3 3.0.11-1 openssl"), SBOMImport{}); err != nil {
		t.Fatal(err)
	}
	at(edge, "8.8.4.4")
	at(inner, "10.0.0.7")
	find := func(caller Caller, name, value string) (names []string) {
		t.Helper()
		p, err := s.Devices(t.Context(), caller, Query{Filter: map[string][]string{name: {value}}, Sort: []string{"name"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Items {
			names = append(names, r.Name)
		}
		return names
	}
	equal(t, "in the internet", find(admin, "internet_facing", facingYes), "edge")
	equal(t, "not assessed", find(admin, "internet_facing", facingUnknown), "inner", "shop:1")
	at(edge, "10.0.0.8")
	equal(t, "moved behind a router", find(admin, "internet_facing", facingYes))
	at(inner, "8.8.4.4")
	equal(t, "the other one moved out", find(admin, "internet_facing", facingYes), "inner")
	equal(t, "to somebody who sees nothing", find(Caller{Permissions: []string{MachineRead}}, "internet_facing", facingYes))
	equal(t, "managed by Picket", find(admin, "managed_by", managedByPicket), "edge", "inner")
	equal(t, "managed by nothing", find(admin, "managed_by", managedByNothing), "shop:1")
	equal(t, "managed by osquery", find(admin, "managed_by", managedByOsquery))
	s.core.mu.Lock()
	s.core.at(s.core.byID[inner.id]).agent.Source = store.SourceOsquery
	s.core.mu.Unlock()
	equal(t, "one that osquery reports", find(admin, "managed_by", managedByOsquery), "inner")
	equal(t, "managed by Picket but for that", find(admin, "managed_by", managedByPicket), "edge")
}

// A device that takes a connection from a public address of IPv4 can be reached from
// the internet, for seven days after the last one that is noted; a restart forgets
// nothing. Datagrams, connections that it makes, and neighbours prove nothing.
func TestReachedFromTheInternet(t *testing.T) {
	var clock atomic.Int64 // seconds
	clock.Store(time.Now().Unix())
	now := func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	opt := Options{Dir: filepath.Join(t.TempDir(), "data"), Log: slog.New(slog.DiscardHandler), Version: "test", Now: now}
	open := func() *Server {
		t.Helper()
		s, err := Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	l := newLife(t, s, "shop")
	took := func(a ev.Action, protocol, from string) ev.Event {
		return l.event(a, func(e *ev.Event) {
			e.Set(ev.Protocol, protocol)
			e.Set(ev.RemoteIP, from)
			e.SetInt(ev.RemotePort, 50123)
			e.Set(ev.LocalIP, "10.0.0.5")
			e.SetInt(ev.LocalPort, 443)
		})
	}
	is := func(what, want, why string) {
		t.Helper()
		r := one(t, s, l.id)
		if r.InternetFacing != want || !strings.Contains(r.FacingWhy, why) {
			t.Errorf("%s: %s (%s), want %s (%s)", what, r.InternetFacing, r.FacingWhy, want, why)
		}
		p, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"internet_facing": {facingYes}}}, nil)
		if err != nil || (p.Total == 1) != (want == facingYes) {
			t.Errorf("%s: the list has %d (%v)", what, p.Total, err)
		}
	}
	l.send(took(ev.InboundConnectionAccepted, "Udp", "8.8.8.8"), took(ev.ConnectionSuccess, "Tcp", "8.8.8.8"), took(ev.InboundConnectionAccepted, "Tcp", "10.0.0.9"),
		took(ev.InboundConnectionAccepted, "Tcp", "2a00:1450:4001::1"), took(ev.InboundConnectionAccepted, "Tcp", "nowhere"))
	is("what proves nothing", facingUnknown, "no connection")
	l.send(took(ev.InboundConnectionAccepted, "Tcp", "10.0.0.9"), took(ev.InboundConnectionAccepted, "Tcp", "::ffff:8.8.4.4"), l.start(1, 10, "bash"))
	is("a connection", facingYes, "Port 443 took a connection from 8.8.4.4 at "+now().Format("2006-01-02 15:04"))
	clock.Add(59 * 60)
	l.send(took(ev.InboundConnectionAccepted, "Tcp", "9.9.9.9"))
	is("another one within an hour", facingYes, "8.8.4.4")
	clock.Add(2 * 60)
	l.send(took(ev.InboundConnectionAccepted, "Tcp", "9.9.9.9"))
	is("another one later", facingYes, "9.9.9.9 at "+now().Format("2006-01-02 15:04"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	t.Cleanup(func() { _ = s.Close() })
	is("after a restart", facingYes, "9.9.9.9")
	clock.Add(7*24*3600 - 1)
	is("just within seven days", facingYes, "9.9.9.9")
	clock.Add(1)
	is("after seven days", facingUnknown, "no connection")
}
