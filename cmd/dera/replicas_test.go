package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/engine"
	"dera.example/dera/store/storetest/postgres"
)

// The environment of a replica of the test.
const (
	replicaLease    = "DERA_TEST_LEASE"    // instead of two minutes
	replicaValidity = "DERA_TEST_VALIDITY" // of a signature, instead of five minutes
	replicaSkew     = "DERA_TEST_SKEW"     // of the machine's clock
	replicaGroups   = "DERA_REPLICAS"      // how many groups stand open; without it as many as fit the tests
)

// replicaMain is dera, with what takes minutes shortened and the machine's clock wrong.
func replicaMain() {
	take := func(name string) time.Duration {
		d, _ := time.ParseDuration(os.Getenv(name)) // the test says it
		return d
	}
	skew := take(replicaSkew)
	a := &cli{in: os.Stdin, now: func() time.Time { return time.Now().Add(skew) }, hurry: func(c *engine.Config) {
		c.LeaseTTL, c.Validity = take(replicaLease), take(replicaValidity)
	}}
	ctx, stop := notified()
	defer stop()
	os.Exit(a.run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// replica is one process.
type replica struct {
	cmd *exec.Cmd
	log *os.File
}

// replicas are processes on one PostgreSQL and one queue, whose AWS is moto behind a proxy that counts.
type replicas struct {
	t        *testing.T
	w        *motoWorld
	front    *front
	db       *socket
	database string
	queue    string
	dir      string
	list     []*replica
	random   *rand.Rand
	lease    time.Duration
	validity time.Duration
	sweep    time.Duration
	did      []string
}

// hurried says how long a lease and a signature last, and how far apart sweeps are, for so many groups: as short as can be
// while a call, of which there are as many at once as there are workers, takes a part of it. An emulator in one process
// needs the longer for one the more there is.
func hurried(n int) (lease, validity, sweep time.Duration) {
	lease = max(5*time.Second, time.Duration(n)*30*time.Millisecond)
	return lease, lease - time.Second, max(time.Minute, 10*lease)
}

func (r *replicas) start(i int) *replica {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, fmt.Sprintf("replica-%d.log", i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command("dera-replica", "run", "--sweep", r.sweep.String(), "--data", filepath.Join(r.dir, "data"), "--db", r.database, "--queue", r.queue,
		"--config", filepath.Join(r.dir, "config.yaml"), "--mode", "enforce", "--no-exemptions", "--log-level", "info")
	skew := []string{"0s", "4m", "-4m"}[i]
	cmd.Env = append(os.Environ(), replicaLease+"="+r.lease.String(), replicaValidity+"="+r.validity.String(), replicaSkew+"="+skew, "AWS_ENDPOINT_URL="+r.front.URL)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return &replica{cmd, log}
}

// end ends a replica by a signal and waits for it.
func (p *replica) end(s syscall.Signal) error {
	_ = p.cmd.Process.Signal(s)
	err := p.cmd.Wait()
	_ = p.log.Close()
	return err
}

// TestReplicas: three processes on one PostgreSQL and one queue close what stands open, each exposure once, while processes are
// killed and frozen, the database restarts and fails over, its connections are cut and slow, and clocks are minutes apart.
func TestReplicas(t *testing.T) {
	n := 12
	if text := os.Getenv(replicaGroups); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", replicaGroups, err)
		}
	}
	primary := postgres.Start(t, postgres.Config{})
	server := moto.Start(t, moto.Config{})
	r := &replicas{t: t, w: newMotoWorld(t, server), dir: t.TempDir(), random: rand.New(rand.NewPCG(7, 11))}
	r.lease, r.validity, r.sweep = hurried(n)
	r.front = newFront(t, server.URL(), r.validity)
	r.db, r.database = newSocket(t, primary.URL(t))
	config := "version: 1\nsettle: 10ms\nbudget_per_hour: 100000\nbudget_organization_per_hour: 100000\ncontrols: [ec2-securitygroup-admin-ports-open]\n"
	if err := os.WriteFile(filepath.Join(r.dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	queues := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(r.w.creds.AccessKeyID, r.w.creds.SecretAccessKey, r.w.creds.SessionToken),
	})
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("events"), Attributes: map[string]string{"VisibilityTimeout": "10"}})
	if err != nil {
		t.Fatal(err)
	}
	r.queue = strings.Replace(*made.QueueUrl, server.URL(), r.front.URL, 1)

	var ids []string
	for i := range n {
		ids = append(ids, r.w.group(fmt.Sprintf("open-%d", i), perm("tcp", 22, 22, "0.0.0.0/0", "")))
	}
	for i := range 3 {
		r.list = append(r.list, r.start(i))
	}
	t.Cleanup(func() {
		for _, p := range r.list {
			_ = p.cmd.Process.Kill()
		}
	})
	for _, id := range ids {
		if _, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: aws.String(envelope(r.w.creds.Account, "", id))}); err != nil {
			t.Fatal(err)
		}
	}
	standby := primary.Standby(t)
	r.storm(primary, standby)
	r.settle(ids)
	for i, p := range r.list {
		if err := p.end(syscall.SIGTERM); err != nil {
			text, _ := os.ReadFile(p.log.Name())
			if !bytes.HasSuffix(bytes.TrimSpace(text), []byte("dera: interrupted")) { // it had not begun to run yet
				t.Errorf("replica %d ended with %v\n%s", i, err, tailOf(text))
			}
		}
	}
	r.judge(ids)
	t.Logf("%d groups; %s; %d calls, %d refused since their signature was over", n, strings.Join(r.did, ", "), r.front.calls.Load(), r.front.late.Load())
}

// storm is what goes wrong.
func (r *replicas) storm(primary, standby *postgres.Server) {
	r.t.Helper()
	wait := func(d time.Duration) {
		select {
		case <-r.t.Context().Done():
		case <-time.After(d + time.Duration(r.random.Int64N(int64(time.Second)))):
		}
	}
	does := func(what string, f func()) {
		wait(time.Second)
		f()
		r.did = append(r.did, what)
	}
	does("kill -9", func() { _ = r.list[0].end(syscall.SIGKILL); r.list[0] = r.start(0) })
	does("connections cut", func() { r.db.cut(); r.db.restore() })
	does("frozen past its leases", func() {
		_ = r.list[1].cmd.Process.Signal(syscall.SIGSTOP)
		wait(r.lease + 2*time.Second)
		_ = r.list[1].cmd.Process.Signal(syscall.SIGCONT)
	})
	does("database killed and started", func() { primary.Kill(r.t); wait(0); primary.Restart(r.t) })
	does("slow database", func() { r.db.delay.Store(int64(20 * time.Millisecond)) })
	does("kill -9", func() { _ = r.list[2].end(syscall.SIGKILL); r.list[2] = r.start(2) })
	does("fail-over to the stand-by", func() {
		r.db.delay.Store(0)
		primary.Kill(r.t)
		r.db.cut()
		standby.Promote(r.t)
		r.db.upstream = standby.Socket()
		r.db.restore()
	})
}

// settle waits until all is closed and nothing is under way.
func (r *replicas) settle(ids []string) {
	r.t.Helper()
	want := inside("tcp 22-22 %s")
	limit := time.Now().Add(2*time.Minute + time.Duration(len(ids))*2*time.Second)
	closed := func(id string) bool { return slices.Equal(r.w.inbound(id), want) }
	still := ids // the first of them was open when it was last asked for: who asks for all takes the emulator from the replicas
	for {
		for len(still) > 0 && closed(still[0]) {
			still = still[1:]
		}
		if len(still) == 0 {
			if i := slices.IndexFunc(ids, func(id string) bool { return !closed(id) }); i >= 0 {
				still = ids[i:]
			}
		}
		code, out := r.dera("report", "--output", "json")
		if open := len(still); open == 0 && code == exitGood && strings.Contains(out, `"under_way": []`) {
			return
		}
		if time.Now().After(limit) {
			for _, p := range r.list {
				text, _ := os.ReadFile(p.log.Name())
				r.t.Logf("%s\n%s", p.log.Name(), tailOf(text))
			}
			r.t.Fatalf("up to %d of %d groups are not as they must be after %v; the report ends with %d\n%s", len(still), len(ids), r.did, code, out)
		}
		select {
		case <-r.t.Context().Done():
			r.t.Fatal("the test is over")
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// judge holds what must hold, by what reached moto and what the log says.
func (r *replicas) judge(ids []string) {
	r.t.Helper()
	writes := r.front.writes()
	for _, id := range ids {
		want := map[string]int{"RevokeSecurityGroupIngress 0.0.0.0/0": 1}
		for _, cidr := range []string{"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"} {
			want["AuthorizeSecurityGroupIngress "+cidr] = 1
		}
		if got := writes[id]; !maps.Equal(got, want) {
			r.t.Errorf("%s: got the writes %v, want each once: %v", id, got, want)
		}
	}
	if len(writes) != len(ids) {
		r.t.Errorf("got writes to %d groups, want %d", len(writes), len(ids))
	}
	if code, out := r.dera("audit", "verify"); code != exitGood {
		r.t.Errorf("audit verify: %d\n%s", code, out)
	}
	if code, out := r.dera("findings", "--output", "json"); code != exitGood || strings.TrimSpace(out) != "[]" {
		r.t.Errorf("findings: %d\n%s", code, out)
	}
}

// dera runs a command on the replicas' database.
func (r *replicas) dera(args ...string) (code int, out string) {
	var stdout, stderr bytes.Buffer
	code = run(context.WithoutCancel(r.t.Context()), append(args, "--data", filepath.Join(r.dir, "data"), "--db", r.database), strings.NewReader(""), &stdout, &stderr)
	if code != exitGood {
		stdout.Write(stderr.Bytes())
	}
	return code, stdout.String()
}

func tailOf(text []byte) string {
	const most = 4000
	return string(text[max(0, len(text)-most):])
}
