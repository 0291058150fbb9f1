package sense

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/event"
)

// listenPacket opens a socket that answers what it is sent.
func listenPacket(t *testing.T, network, address string, answer func([]byte) []byte) net.PacketConn {
	t.Helper()
	var lc net.ListenConfig
	c, err := lc.ListenPacket(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := answer(buf[:n]); out != nil {
				_, _ = c.WriteTo(out, from) // the other end waits for it
			}
		}
	}()
	t.Cleanup(func() {
		_ = c.Close()
		<-done
	})
	return c
}

func number64(e *event.Event, c event.Column) int64 {
	f, _ := e.Get(c)
	return f.Number
}

func TestDatagrams(t *testing.T) {
	k, source := startSources(t, event.Network)
	if source != SourceEBPF {
		t.Fatalf("source is %q", source)
	}
	for _, e := range k.all() {
		if strings.Contains(e.Text(event.Reason), "no UDP") {
			t.Fatal(e.Text(event.Reason))
		}
	}
	pid := int64(os.Getpid())
	for _, of := range []struct{ network, address string }{{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}} {
		t.Run(of.network, func(t *testing.T) {
			ear := listenPacket(t, of.network, of.address, func(b []byte) []byte { return b })
			to := ear.LocalAddr().(*net.UDPAddr)
			// A socket that is not connected says with each datagram where it goes.
			mouth := listenPacket(t, of.network, of.address, func([]byte) []byte { return nil })
			for range 20 {
				if _, err := mouth.WriteTo([]byte("x"), to); err != nil {
					t.Fatal(err)
				}
			}
			from := mouth.LocalAddr().(*net.UDPAddr)
			is := func(a event.Action, remote, local int) func(e *event.Event) bool {
				return func(e *event.Event) bool {
					return e.Action == a && e.Text(event.Protocol) == "Udp" && number64(e, event.RemotePort) == int64(remote) && number64(e, event.LocalPort) == int64(local) &&
						e.Text(event.RemoteIP) == to.IP.String() && number64(e, event.InitiatingProcessID) == pid
				}
			}
			k.find(t, "sent", is(event.ConnectionSuccess, to.Port, from.Port))
			k.find(t, "received", is(event.InboundConnectionAccepted, from.Port, to.Port))
			n := 0
			all := k.all()
			for i := range all {
				if is(event.ConnectionSuccess, to.Port, from.Port)(&all[i]) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d events of one exchange", n)
			}
		})
	}
	t.Run("connected", func(t *testing.T) {
		ear := listenPacket(t, "udp4", "127.0.0.1:0", func([]byte) []byte { return nil })
		port := ear.LocalAddr().(*net.UDPAddr).Port
		cmd := exec.Command("/bin/bash", "-c", fmt.Sprintf("echo x >/dev/udp/127.0.0.1/%d", port))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		e := k.find(t, "sent by bash", func(e *event.Event) bool {
			return e.Action == event.ConnectionSuccess && e.Text(event.Protocol) == "Udp" && number64(e, event.RemotePort) == int64(port)
		})
		if e.Text(event.InitiatingProcessFileName) != "bash" || number64(&e, event.InitiatingProcessID) != int64(cmd.Process.Pid) || e.Text(event.LocalIP) != "127.0.0.1" {
			t.Error(texts(&e))
		}
	})
}

// An answer of a name server says which process asked.
func TestAnswersHaveTheirAsker(t *testing.T) {
	const question = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05asked\x04test\x00\x00\x01\x00\x01"
	k, source := startSources(t, event.DNS)
	if source != SourcePacket {
		t.Fatalf("source is %q", source)
	}
	k.find(t, "a source of connections", func(e *event.Event) bool {
		return e.Action == event.SensorStarted && e.Text(event.Source) == SourceEBPF
	})
	listenPacket(t, "udp4", "127.0.0.77:53", func(q []byte) []byte {
		a := append([]byte{}, q...)
		a[2] |= 0x80
		a[7] = 1
		return append(a, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"...)
	})
	escaped := ""
	for _, b := range []byte(question) {
		escaped += `\x` + hex.EncodeToString([]byte{b})
	}
	cmd := exec.Command("/bin/bash", "-c", "exec 3<>/dev/udp/127.0.0.77/53; printf '"+escaped+"' >&3; head -c 1 <&3 >/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e := k.find(t, "answer", func(e *event.Event) bool {
		return e.Action == event.DNSQueryResponse && e.Text(event.RemoteURL) == "asked.test"
	})
	if e.Text(event.InitiatingProcessFileName) != "bash" || number64(&e, event.InitiatingProcessID) != int64(cmd.Process.Pid) || !strings.Contains(e.Text(event.AdditionalFields), "192.0.2.7") {
		t.Error(texts(&e))
	}
}
