package storetest

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands before a PostgreSQL server: what goes through it takes longer, and its round
// trips are counted. It is safe for concurrent use.
type Proxy struct {
	// URL is that of the database behind it.
	URL string

	target string
	delay  time.Duration
	trips  atomic.Int64
}

// Through starts a proxy to the database at a URL of package postgres. What goes through it
// arrives half of a round trip later, in either direction, and in its order. It ends by
// t.Cleanup.
func Through(t testing.TB, database string, trip time.Duration) *Proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	p := &Proxy{delay: trip / 2, target: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	p.URL = "postgres://" + u.Query().Get("user") + "@" + listener.Addr().String() + u.Path + "?sslmode=disable"
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
	})
	return p
}

// Trips is how many round trips there were: how often a client said that it waits for an
// answer (https://www.postgresql.org/docs/current/protocol-message-formats.html, Sync and Query).
func (p *Proxy) Trips() int64 { return p.trips.Load() }

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { defer server.Close(); p.carry(server, client, &requests{trips: &p.trips}) })
	both.Go(func() { defer client.Close(); p.carry(client, server, io.Discard) })
	both.Wait()
}

// carry passes on what it reads, each piece so much later than it came.
func (p *Proxy) carry(to io.Writer, from io.Reader, seen io.Writer) {
	type piece struct {
		at   time.Time
		data []byte
	}
	way := make(chan piece, 1024)
	var writing sync.WaitGroup
	writing.Go(func() {
		for x := range way {
			if wait := time.Until(x.at); wait > 0 {
				<-time.After(wait)
			}
			if _, err := to.Write(x.data); err != nil {
				for range way { // what is still on the way is lost
				}
				return
			}
		}
	})
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			data := append([]byte{}, buffer[:n]...)
			_, _ = seen.Write(data)
			way <- piece{time.Now().Add(p.delay), data}
		}
		if err != nil {
			break
		}
	}
	close(way)
	writing.Wait()
}

// requests counts the messages of a client that ask for an answer.
type requests struct {
	trips   *atomic.Int64
	started bool
	skip    int    // bytes of the message that are still to come
	head    []byte // of a message
}

// Write takes the next bytes that a client says.
func (r *requests) Write(data []byte) (int, error) {
	n := len(data)
	for len(data) > 0 {
		if r.skip > 0 {
			m := min(r.skip, len(data))
			r.skip, data = r.skip-m, data[m:]
			continue
		}
		size := 5 // a letter and a length
		if !r.started {
			size = 4 // the first message has no letter
		}
		m := min(size-len(r.head), len(data))
		r.head, data = append(r.head, data[:m]...), data[m:]
		if len(r.head) < size {
			break
		}
		if r.started && (r.head[0] == 'S' || r.head[0] == 'Q') {
			r.trips.Add(1)
		}
		r.skip = int(binary.BigEndian.Uint32(r.head[size-4:])) - 4
		r.started, r.head = true, nil
	}
	return n, nil
}
