package sense

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// Without eBPF the kernel's socket diagnostics tell of connections.
func TestConnectionsWithoutEBPF(t *testing.T) {
	before, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	old, err := net.Dial("tcp", before.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	k, source := startSources(t, event.Network, SourceEBPF)
	if source != SourceSockets {
		t.Fatalf("source is %q", source)
	}
	pid := int64(os.Getpid())
	port := func(a net.Addr) int64 { return int64(a.(*net.TCPAddr).Port) }

	ear, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	e := k.find(t, "listening", func(e *event.Event) bool {
		return e.Action == event.ListeningConnectionCreated && number64(e, event.LocalPort) == port(ear.Addr())
	})
	if number64(&e, event.InitiatingProcessID) != pid || e.Text(event.Source) != SourceSockets {
		t.Error(texts(&e))
	}

	// A connection that lasts is told with its process, at both ends.
	long := exec.Command("/bin/bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d; read -r -u 3", port(ear.Addr())))
	if err := long.Start(); err != nil {
		t.Fatal(err)
	}
	in, err := ear.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	e = k.find(t, "connected by bash", func(e *event.Event) bool {
		return e.Action == event.ConnectionSuccess && number64(e, event.RemotePort) == port(ear.Addr()) && number64(e, event.LocalPort) == port(in.RemoteAddr())
	})
	if e.Text(event.InitiatingProcessFileName) != "bash" || number64(&e, event.InitiatingProcessID) != int64(long.Process.Pid) || e.Text(event.RemoteIP) != "127.0.0.1" || e.Text(event.Protocol) != "Tcp" {
		t.Error(texts(&e))
	}
	e = k.find(t, "accepted", func(e *event.Event) bool {
		return e.Action == event.InboundConnectionAccepted && number64(e, event.RemotePort) == port(in.RemoteAddr())
	})
	if number64(&e, event.InitiatingProcessID) != pid {
		t.Error(texts(&e))
	}
	if _, err := fmt.Fprintln(in); err != nil {
		t.Fatal(err)
	}
	if err := long.Wait(); err != nil {
		t.Fatal(err)
	}

	// Short ones are told when they are gone; one that nobody took has failed.
	short, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	c, err := net.Dial("tcp6", short.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	taken, err := short.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Close(), taken.Close() // no look finds them
	k.find(t, "short", func(e *event.Event) bool {
		return e.Action == event.ConnectionSuccess && number64(e, event.RemotePort) == port(short.Addr()) && e.Text(event.RemoteIP) == "::1"
	})
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := port(gone.Addr())
	_ = gone.Close()
	if _, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", closed), time.Second); err == nil {
		t.Fatal("somebody took it")
	}
	k.find(t, "failed", func(e *event.Event) bool {
		return e.Action == event.ConnectionFailed && number64(e, event.RemotePort) == closed
	})

	// UDP of a socket that chose its other end and stays.
	pit := listenPacket(t, "udp4", "127.0.0.1:0", func(b []byte) []byte { return nil })
	to := pit.LocalAddr().(*net.UDPAddr)
	lasting := exec.Command("/bin/bash", "-c", fmt.Sprintf("exec 3<>/dev/udp/127.0.0.1/%d; echo x >&3; read -r", to.Port))
	in2, err := lasting.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := lasting.Start(); err != nil {
		t.Fatal(err)
	}
	e = k.find(t, "datagrams", func(e *event.Event) bool {
		return e.Text(event.Protocol) == "Udp" && number64(e, event.RemotePort) == int64(to.Port)
	})
	if e.Action != event.ConnectionSuccess || e.Text(event.InitiatingProcessFileName) != "bash" || number64(&e, event.InitiatingProcessID) != int64(lasting.Process.Pid) || e.Text(event.RemoteIP) != "127.0.0.1" {
		t.Error(texts(&e))
	}
	_ = in2.Close()
	_ = lasting.Wait() // its reading ended with nothing

	all := k.all()
	for i := range all {
		e := &all[i]
		if e.Text(event.Protocol) == "Udp" && number64(e, event.LocalPort) == int64(to.Port) {
			t.Errorf("a socket without another end is told: %s", texts(e))
		}
		if number64(e, event.RemotePort) == port(before.Addr()) || number64(e, event.LocalPort) == port(before.Addr()) {
			t.Errorf("what was there before is told: %s", texts(e))
		}
		if e.Action == event.SensorStarted && e.Text(event.Source) == SourceSockets && !strings.Contains(e.Text(event.Reason), "no UDP shorter than 3 s") {
			t.Errorf("what it lacks is not said: %s", texts(e))
		}
	}
}
