package api

import (
	"bufio"
	"bytes"
	"net"
	"sync/atomic"
)

// Lenient returns a listener whose connections accept raw blanks in the target
// of a GET or HEAD request ("GET /api/machines?$filter=a eq 'b' HTTP/1.1"),
// which some programs send and net/http refuses: they arrive as "+", which a
// query reads as a blank. It is for plain HTTP/1.1; a TLS connection must reach
// http.Server as it is.
func Lenient(l net.Listener) net.Listener { return lenientListener{l} }

type lenientListener struct{ net.Listener }

// Accept waits for the next connection.
func (l lenientListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	lc := &lenientConn{Conn: c, in: bufio.NewReaderSize(c, maxRequestLine)}
	lc.begin.Store(true)
	return lc, nil
}

// maxRequestLine is how long a line may be to be looked at.
const maxRequestLine = 32 << 10

// lenientConn looks at the first line after each answer. Reads come from one
// goroutine at a time, as net/http does it; writes may come from another.
type lenientConn struct {
	net.Conn
	in    *bufio.Reader
	begin atomic.Bool // a request may begin with the next byte
	line  []byte      // what was taken from in and not yet handed on
}

// Write marks that the next bytes may begin a request.
func (c *lenientConn) Write(b []byte) (int, error) {
	c.begin.Store(true)
	return c.Conn.Write(b)
}

// Read hands bytes on. It never changes how many there are.
func (c *lenientConn) Read(p []byte) (int, error) {
	if len(c.line) == 0 && c.begin.Load() {
		first, err := c.in.Peek(1)
		if err != nil {
			return 0, err
		}
		c.begin.Store(false)
		// net/http may have taken the first letter of GET or HEAD already.
		if bytes.IndexByte([]byte("GHE"), first[0]) >= 0 {
			line, err := c.in.ReadSlice('\n')
			c.line = append(c.line[:0], line...)
			mendBlanks(c.line)
			if len(c.line) == 0 {
				return 0, err
			}
		}
	}
	if len(c.line) > 0 {
		n := copy(p, c.line)
		c.line = c.line[n:]
		return n, nil
	}
	return c.in.Read(p)
}

// mendBlanks replaces the blanks inside the target of a request line by "+".
// What is no request line of GET or HEAD stays as it is.
func mendBlanks(line []byte) {
	start := bytes.IndexByte(line, ' ')
	end := len(bytes.TrimRight(line, "\r\n")) - len(" HTTP/1.1")
	if start < 0 || end <= start || !bytes.HasPrefix(line[end:], []byte(" HTTP/1.")) {
		return
	}
	switch string(line[:start]) {
	case "GET", "ET", "HEAD", "EAD":
	default:
		return
	}
	for i := start + 1; i < end; i++ {
		if line[i] == ' ' {
			line[i] = '+'
		}
	}
}
