package main

import (
	"net"
	"sync"
	"sync/atomic"
)

// fewConns closes connections at once while mostConns are open: whoever can reach the port must not take
// from the process the memory and the files that its fixes need.
type fewConns struct {
	net.Listener
	open atomic.Int64
}

// Accept implements net.Listener.
func (l *fewConns) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= mostConns {
			return &countedConn{Conn: c, of: l}, nil
		}
		l.open.Add(-1)
		_ = c.Close() // nobody has read from it
	}
}

// countedConn counts until it is closed.
type countedConn struct {
	net.Conn
	of   *fewConns
	once sync.Once
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}
