package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"dera.example/dera/source"
)

// certificate writes a new certificate for this machine and its key, and returns a pool with it.
func certificate(t *testing.T, dir string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	fileIn(t, dir, "cert.pem", string(text))
	fileIn(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// TestListenTLS: with a certificate nothing is answered without TLS, and a renewed certificate
// counts without a restart.
func TestListenTLS(t *testing.T) {
	t.Parallel()
	dir, address := t.TempDir(), freeAddress(t)
	pool := certificate(t, dir, 1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	l := &listener{log: slog.New(slog.DiscardHandler)}
	if err := l.start(ctx, listenConfig{Address: address, Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}, false); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- l.run(ctx) }()
	get := func(scheme string, cfg *tls.Config) (string, error) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DisableKeepAlives: true}, Timeout: 10 * time.Second}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+address+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	var got string
	var err error
	for began := time.Now(); time.Since(began) < 10*time.Second; { // until it listens
		if got, err = get("https", &tls.Config{RootCAs: pool}); err == nil {
			break
		}
	}
	if err != nil || got != "ok\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if got, err := get("http", nil); err == nil && got == "ok\n" {
		t.Error("it answers without TLS")
	}
	if _, err := get("https", &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("it answers with TLS 1.1")
	}
	renewed := certificate(t, dir, 2)
	if _, err := get("https", &tls.Config{RootCAs: pool}); err == nil {
		t.Error("the old certificate counts")
	}
	if got, err := get("https", &tls.Config{RootCAs: renewed}); err != nil || got != "ok\n" {
		t.Errorf("renewed: got %q, %v", got, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("its end: %v", err)
	}
}

// TestClickOnceInAllProcesses: of two processes on one database that get the same signed
// request at the same moment, one does what it orders.
func TestClickOnceInAllProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const processes = 4
	var all []*session
	for range processes {
		a := &cli{now: time.Now, out: io.Discard, err: io.Discard}
		a.flags.data = dir
		s, err := a.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.store.Close()
		all = append(all, s)
	}
	for round := range 10 {
		firsts := make(chan bool, processes)
		for _, s := range all {
			go func() {
				first, err := s.once(t.Context(), fmt.Sprint("slack/v0=", round), time.Minute)
				if err != nil {
					t.Error(err)
				}
				firsts <- first
			}()
		}
		n := 0
		for range processes {
			if <-firsts {
				n++
			}
		}
		if n != 1 {
			t.Errorf("round %d: got %d that were first, want 1", round, n)
		}
	}
}

// TestExpectedKinds: log files are no sign that the rules of EventBridge are on.
func TestExpectedKinds(t *testing.T) {
	t.Parallel()
	logs := []logBucketConfig{{Bucket: "trail", Owner: "111122223333"}}
	for name, tc := range map[string]struct {
		c     sourcesConfig
		queue bool
		want  map[string]time.Duration
	}{
		"queue":    {sourcesConfig{}, true, map[string]time.Duration{source.KindCloudTrail: 24 * time.Hour}},
		"no_queue": {sourcesConfig{}, false, map[string]time.Duration{}},
		"logs":     {sourcesConfig{Logs: logs}, true, map[string]time.Duration{source.KindLogs: 24 * time.Hour}},
		"both":     {sourcesConfig{Logs: logs, Expect: expectConfig{CloudTrail: duration(time.Hour)}}, true, map[string]time.Duration{source.KindLogs: 24 * time.Hour, source.KindCloudTrail: time.Hour}},
	} {
		if got := tc.c.expected(tc.queue); !maps.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}
