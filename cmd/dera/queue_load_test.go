package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/source"
	"dera.example/dera/source/sourcetest"
)

// queueServer speaks the JSON protocol of SQS for a queue, and hands all other calls to a simulated AWS.
type queueServer struct {
	flood source.Queue
	cloud http.Handler
}

func (s queueServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	if !ok {
		s.cloud.ServeHTTP(w, r)
		return
	}
	var in struct {
		MaxNumberOfMessages int
		WaitTimeSeconds     int
		Entries             []struct {
			Id, ReceiptHandle string
			VisibilityTimeout int
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var list []source.Message
	done := []map[string]string{}
	for _, e := range in.Entries {
		list = append(list, source.Message{Receipt: e.ReceiptHandle})
		done = append(done, map[string]string{"Id": e.Id})
	}
	var out any
	switch operation {
	case "ReceiveMessage":
		got, _ := s.flood.Receive(r.Context(), in.MaxNumberOfMessages, time.Duration(in.WaitTimeSeconds)*time.Second)
		messages := []map[string]any{}
		for _, m := range got {
			sum := md5.Sum([]byte(m.Body))
			messages = append(messages, map[string]any{"MessageId": m.ID, "ReceiptHandle": m.Receipt, "Body": m.Body, "MD5OfBody": hex.EncodeToString(sum[:]),
				"Attributes": map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.Received), "SentTimestamp": strconv.FormatInt(m.Sent.UnixMilli(), 10)}})
		}
		out = map[string]any{"Messages": messages}
	case "DeleteMessageBatch":
		_ = s.flood.Delete(r.Context(), list)
		out = map[string]any{"Successful": done, "Failed": []string{}}
	case "ChangeMessageVisibilityBatch":
		_ = s.flood.Extend(r.Context(), list, sourcetest.Visibility)
		out = map[string]any{"Successful": done, "Failed": []string{}}
	default:
		out = map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:111122223333:dera"}}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out) // a client that is away cannot be told
}

// queueFigures are what a run of the binary came to.
type queueFigures struct {
	Load          sourcetest.Load
	Seconds, Rate float64 // until the last message was deleted
	P50, P100     float64 // seconds from receipt, of a stream from arrival, to the write that closes a critical group
	CPU           float64 // seconds of the binary
	RSS           string  // the most of the binary
	Calls         int64   // of the queue
	Twice         int
}

// drained has a binary of dera run on a flood until all is deleted and all that is critical is closed.
func drained(t *testing.T, binary string, l sourcetest.Load) queueFigures {
	t.Helper()
	sim := awssim.New(awssim.Config{Seed: 5})
	home := sim.Account("111122223333").Region("us-east-1")
	q := &sourcetest.Flood{Load: l, Account: "111122223333", Region: "us-east-1", Calls: [2]string{"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"}}
	group := func(name string, rule awssim.Rule) string {
		id, err := home.CreateSecurityGroup(t.Context(), name, rule)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for i := range l.Critical {
		q.Open = append(q.Open, group(fmt.Sprintf("open-%d", i), awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/8"}))
	}
	for i := range 200 {
		q.Clean = append(q.Clean, group(fmt.Sprintf("clean-%d", i), awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/8"}))
	}
	ssh := awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}
	q.Opens = func(k int) { // when its message is received, so that no sweep finds it before
		if _, err := home.Authorize(context.Background(), q.Open[k], ssh); err != nil {
			t.Error(err)
		}
	}
	isOpen := func(id string) bool {
		g, _ := sim.Snapshot().Group(id)
		return slices.ContainsFunc(g.Rules, func(r awssim.Rule) bool { return r.CIDR == ssh.CIDR && !r.Egress })
	}
	closed := map[string]time.Time{}
	server := httptest.NewServer(queueServer{q, sim})
	defer server.Close()
	dir := t.TempDir()
	config := fmt.Sprintf("version: 1\nworkers: %d\nsettle: 2s\nbudget_per_hour: 100000\ncontrols: ['ec2-securitygroup-admin-ports-open']\n", l.Workers)
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	creds := sim.Account("111122223333").AddUser("dera", "*")
	q.Start()
	var said bytes.Buffer
	cmd := exec.Command(binary, "run", "--data", filepath.Join(dir, "data"), "--config", filepath.Join(dir, "config.yaml"), "--mode", "enforce", "--no-exemptions", "--sweep", "24h",
		"--region", "us-east-1", "--queue", server.URL+"/111122223333/dera")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_ENDPOINT_URL=" + server.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=" + creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + creds.SecretAccessKey, "GOMEMLIMIT=" + os.Getenv("DERA_BENCH_MEMORY")}
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	begin := time.Now()
	f := queueFigures{Load: l}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for all := false; !all; {
		select {
		case err := <-ended:
			t.Fatalf("dera run ended: %v\n%.3000s", err, said.String())
		case <-tick.C:
		}
		q.Lapse()
		if q.Done() && f.Seconds == 0 {
			f.Seconds = time.Since(begin).Seconds()
		}
		for k, id := range q.Open {
			if closed[id].IsZero() && q.Received(k) && !isOpen(id) {
				closed[id] = time.Now()
			}
		}
		all = f.Seconds > 0 && len(closed) >= l.Critical
	}
	f.RSS = mostMemory(cmd.Process.Pid)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("dera run ended with %v\n%.3000s", err, said.String())
	}
	f.CPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	f.Rate = float64(l.N) / f.Seconds
	f.Calls, f.Twice = q.Figures()
	var took []float64
	for k, id := range q.Open {
		took = append(took, closed[id].Sub(q.From(k)).Seconds())
	}
	slices.Sort(took)
	f.P50, f.P100 = took[len(took)/2], took[len(took)-1]
	for _, id := range q.Open {
		if isOpen(id) {
			t.Errorf("group %s is open", id)
		}
	}
	return f
}

// mostMemory is the most memory that a process had.
func mostMemory(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // nothing where there is none
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "?"
}

// TestBenchQueue drains the floods of DERA_BENCH_QUEUE, a list as JSON, with the binary of DERA_BENCH_BINARY, and
// prints what that came to (make bench-queue).
func TestBenchQueue(t *testing.T) {
	binary, text := os.Getenv("DERA_BENCH_BINARY"), os.Getenv("DERA_BENCH_QUEUE")
	if binary == "" { // the test binary is no dera: the server at least must speak as SQS does
		queueSpeaks(t)
		return
	}
	var loads []sourcetest.Load
	if err := json.Unmarshal([]byte(text), &loads); err != nil {
		t.Fatal(err)
	}
	for _, l := range loads {
		out, err := json.Marshal(drained(t, binary, l))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", out)
	}
}

// queueSpeaks receives and deletes by the client of dera what the server has.
func queueSpeaks(t *testing.T) {
	q := &sourcetest.Flood{Load: sourcetest.Load{N: 25, Critical: 1}, Account: "111122223333", Region: "us-east-1", Open: []string{"sg-1"}, Clean: []string{"sg-2"}, Calls: [2]string{"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"}}
	q.Start()
	server := httptest.NewServer(queueServer{q, awssim.New(awssim.Config{Seed: 5})})
	defer server.Close()
	c := queue{clientAt(t, server.URL).Queue(server.URL + "/111122223333/dera")}
	for !q.Done() {
		list, err := c.Receive(context.Background(), 10, 0)
		if err != nil || len(list) == 0 || list[0].Sent.IsZero() || list[0].Received != 1 {
			t.Fatalf("got %+v, %v", list, err)
		}
		if err := c.Extend(context.Background(), list, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(context.Background(), list); err != nil {
			t.Fatal(err)
		}
	}
}

// clientAt is a client of an AWS at an address.
func clientAt(t *testing.T, url string) *cloud.Client {
	t.Helper()
	c, err := cloud.New(t.Context(), cloud.Config{Region: "us-east-1", Endpoint: url, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", "")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
