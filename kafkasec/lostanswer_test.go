package kafkasec

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// loseAnswer dials connections of which the first that carries a request of the
// key dies after the broker has answered and before the client reads it.
type loseAnswer struct {
	key      int16
	happened atomic.Bool
}

func (l *loseAnswer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	return &losingConn{Conn: c, l: l}, err
}

type losingConn struct {
	net.Conn
	l  *loseAnswer
	mu sync.Mutex
	// armed: the request went out on this connection.
	armed bool
}

func (c *losingConn) Write(b []byte) (int, error) {
	// A request is a size of four bytes and then its key.
	if len(b) >= 6 && int16(binary.BigEndian.Uint16(b[4:])) == c.l.key && c.l.happened.CompareAndSwap(false, true) {
		c.mu.Lock()
		c.armed = true
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *losingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.armed && n > 0 {
		_ = c.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
