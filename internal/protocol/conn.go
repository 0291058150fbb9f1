package protocol

import (
	"context"
	"fmt"
	"io"

	"github.com/coder/websocket"
)

// Conn carries messages over a WebSocket. Send may be called by several
// goroutines at once, Recv by one at a time. Recv must be called all the time:
// it also answers pings.
type Conn struct {
	ws *websocket.Conn
	// gate has one slot per large message that may be in memory at once; nil: no bound.
	gate chan struct{}
}

// NewConn wraps an open WebSocket. gate, when not nil, bounds how many messages
// larger than MaxSmall may be in memory at once over all connections that share it.
func NewConn(ws *websocket.Conn, gate chan struct{}) *Conn {
	ws.SetReadLimit(MaxFrame)
	return &Conn{ws: ws, gate: gate}
}

// Send writes one message. A cancelled ctx closes the connection.
func (c *Conn) Send(ctx context.Context, m *Message) error {
	frame, err := Encode(m)
	if err != nil {
		return err
	}
	return c.SendFrame(ctx, frame)
}

// SendFrame writes a message that Encode returned.
func (c *Conn) SendFrame(ctx context.Context, frame []byte) error {
	if err := c.ws.Write(ctx, websocket.MessageBinary, frame); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Recv reads one message. done must be called when the message was dealt with;
// it is never nil. A BadMessage error concerns this message alone: the
// connection goes on. Every other error ends the connection.
func (c *Conn) Recv(ctx context.Context) (m *Message, done func(), err error) {
	done = func() {}
	typ, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, done, fmt.Errorf("receive: %w", err)
	}
	frame, err := io.ReadAll(io.LimitReader(r, MaxSmall))
	if err != nil {
		return nil, done, fmt.Errorf("receive: %w", err)
	}
	if len(frame) == MaxSmall && c.gate != nil {
		select {
		case c.gate <- struct{}{}:
			done = func() { <-c.gate }
		case <-ctx.Done():
			return nil, done, fmt.Errorf("receive: %w", ctx.Err())
		}
	}
	if len(frame) == MaxSmall {
		rest, err := io.ReadAll(r)
		if err != nil {
			return nil, done, fmt.Errorf("receive: %w", err)
		}
		frame = append(frame, rest...)
	}
	if typ != websocket.MessageBinary {
		return nil, done, &BadMessage{Err: fmt.Errorf("text message of %d bytes, binary is expected", len(frame))}
	}
	m, err = Decode(frame)
	if err != nil {
		return nil, done, &BadMessage{Err: err}
	}
	return m, done, nil
}

// Ping waits until the other end has answered.
func (c *Conn) Ping(ctx context.Context) error { return c.ws.Ping(ctx) }

// Close says goodbye with a reason of at most 120 bytes. It waits at most a few seconds.
func (c *Conn) Close(reason string) {
	_ = c.ws.Close(websocket.StatusNormalClosure, short(reason)) // the connection is gone either way
}

// CloseNow ends the connection at once.
func (c *Conn) CloseNow() { _ = c.ws.CloseNow() }

func short(s string) string {
	if len(s) > 120 {
		s = s[:120]
	}
	return s
}

// BadMessage is a message that cannot be read on a connection that can.
type BadMessage struct{ Err error }

// Error is that of the cause.
func (e *BadMessage) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *BadMessage) Unwrap() error { return e.Err }
