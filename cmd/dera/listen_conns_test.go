package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"
)

// TestListenTakesFewConnections: whoever opens connections without end gets no more than are bearable, and when they are closed others are answered.
func TestListenTakesFewConnections(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	address := freeAddress(t)
	l := &listener{log: slog.New(slog.DiscardHandler)}
	if err := l.start(ctx, listenConfig{Address: address}, false); err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	refused := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second)) // before listenHeader ends it
		_, err := c.Read(make([]byte, 1))
		return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
	}
	var open []net.Conn
	for range mostConns {
		open = append(open, dial())
	}
	c := dial()
	if !refused(c) {
		t.Error("one more is taken")
	}
	for _, c := range append(open, c) {
		_ = c.Close()
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		if code, _ := get(t, "http://"+address+"/healthz", ""); code == 200 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("got %d when they were closed", code)
		}
	}
	stop()
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}
