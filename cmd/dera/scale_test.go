package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scaleLoad is an estate, and what is measured on it beside two sweeps.
type scaleLoad struct {
	computedEstate
	Events int  // that come after the second sweep, half of them opening their group
	Quick  bool // settle within a moment
}

// settle is how far apart two equal reads lie, and quiet for how long nothing moves where all is done: longer than that
// and than what is due is looked for.
func (l scaleLoad) settle() (settle, quiet time.Duration) {
	if l.Quick {
		return 100 * time.Millisecond, 2 * time.Second
	}
	return 2 * time.Second, 5 * time.Second
}

// scaleFigures are what a part of a run came to. CPU and memory are those of dera alone.
type scaleFigures struct {
	What                 string
	Accounts, Resources  int
	Seconds, CPU         float64
	MsEach               float64 `json:",omitempty"` // CPU an event
	MiB                  float64 // the most so far, of this process
	Calls, Lists, Reads  int     // of AWS; what lists, and what reads parts
	Looked               int     // resources that were read
	Commits              int
	Decisions            int
	Turned               int `json:",omitempty"` // resources that changed
	Found, Missed, Wrong int
}

// profiledMain is dera with profiles of its CPU time and its memory, written where it ends.
func profiledMain() {
	dir := os.Getenv("DERA_BENCH_PROFILE")
	f, err := os.CreateTemp(dir, "cpu-*.prof")
	if dir != "" && err == nil {
		_ = pprof.StartCPUProfile(f)
		go func() { // the heap while it works
			for i := 0; ; i++ {
				<-time.After(5 * time.Second)
				if h, err := os.Create(filepath.Join(dir, fmt.Sprintf("heap-%d-%03d.prof", os.Getpid(), i))); err == nil {
					runtime.GC()
					_ = pprof.WriteHeapProfile(h)
					_ = h.Close()
				}
			}
		}()
	}
	ctx, stop := notified()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	pprof.StopCPUProfile()
	os.Exit(code)
}

// scaleRun is dera run on an estate.
type scaleRun struct {
	t      *testing.T
	load   scaleLoad
	binary string
	aws    string // address
	dir    string
	cmd    *exec.Cmd
	said   bytes.Buffer
	listen string
	ended  chan error
}

func newScaleRun(t *testing.T, binary string, l scaleLoad) *scaleRun {
	r := &scaleRun{t: t, load: l, binary: binary, aws: startGenerated(t, l.computedEstate), dir: t.TempDir()}
	var b strings.Builder
	settle, _ := l.settle()
	fmt.Fprintf(&b, "version: 1\ncontrols: [%s, %s]\nsettle: %s\naccounts:\n", adminControl, databaseControl, settle)
	for i := range l.Accounts {
		fmt.Fprintf(&b, "  - {id: %q, name: account-%d, role_arn: \"arn:aws:iam::%s:role/dera\"}\n", l.accountID(i), i, l.accountID(i))
	}
	if err := os.WriteFile(filepath.Join(r.dir, "config.yaml"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *scaleRun) env() []string {
	return append(os.Environ(), "AWS_ENDPOINT_URL="+r.aws, "AWS_REGION="+scaleRegion, "AWS_ACCESS_KEY_ID="+hubKey, "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true", "HOME="+r.dir)
}

// start starts dera, which sweeps at once.
func (r *scaleRun) start() {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.listen = l.Addr().String()
	_ = l.Close()
	r.said.Reset()
	r.cmd = exec.Command(r.binary, "run", "--data", filepath.Join(r.dir, "data"), "--config", filepath.Join(r.dir, "config.yaml"), "--sweep", "24h", "--region", scaleRegion,
		"--listen", r.listen, "--queue", r.aws+"/"+scaleHub+"/dera", "--output", "table")
	r.cmd.Env = r.env()
	r.cmd.Stdout, r.cmd.Stderr = io.Discard, &r.said
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.ended = make(chan error, 1)
	go func() { r.ended <- r.cmd.Wait() }()
	r.t.Cleanup(func() { _ = r.cmd.Process.Kill() })
}

// stop ends dera and waits for it.
func (r *scaleRun) stop() {
	r.t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // Wait reports one that ended
	if err := <-r.ended; err != nil {
		r.t.Fatalf("dera run ended with %v\n%.3000s", err, r.said.String())
	}
}

// metrics are the samples of dera, by name and labels.
func (r *scaleRun) metrics() (map[string]float64, error) {
	answer, err := http.Get("http://" + r.listen + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndexByte(line, ' ')
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64); err == nil && line[0] != '#' {
			out[line[:at]] = v
		}
	}
	return out, nil
}

// sum adds the samples of a family whose labels have a text.
func sum(m map[string]float64, family, label string) (n float64) {
	for k, v := range m {
		if name, labels, _ := strings.Cut(k, "{"); name == family && strings.Contains(labels, label) {
			n += v
		}
	}
	return n
}

// done waits until so many looks were made and nothing moves any more, and returns the samples of then and of when
// the last thing changed.
func (r *scaleRun) done(looks float64) (map[string]float64, time.Time) {
	r.t.Helper()
	var was [3]float64
	last := time.Now()
	_, quiet := r.load.settle()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-r.ended:
			r.t.Fatalf("dera run ended: %v\n%.3000s", err, r.said.String())
		case <-tick.C:
		}
		m, err := r.metrics()
		if err != nil {
			continue // it does not listen yet
		}
		now := [3]float64{sum(m, "dera_looks_total", ""), sum(m, "dera_aws_calls_total", "EC2") + sum(m, "dera_aws_calls_total", "ec2"), sum(m, "dera_commits_total", "done")}
		if now != was {
			was, last = now, time.Now()
		}
		if now[0] >= looks && time.Since(last) > quiet {
			return m, last
		}
	}
}

// figures are the difference of two sets of samples.
func (r *scaleRun) figures(what string, before, after map[string]float64, took time.Duration) scaleFigures {
	diff := func(family, label string) int { return int(sum(after, family, label) - sum(before, family, label)) }
	f := scaleFigures{
		What: what, Accounts: r.load.Accounts, Resources: r.load.Accounts * (r.load.Groups + 1), Seconds: took.Seconds(),
		CPU:   after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"],
		Calls: diff("dera_aws_calls_total", ""), Looked: diff("dera_resources_looked_at_total", ""), Commits: diff("dera_commits_total", "done"), Decisions: diff("dera_decisions_total", ""),
	}
	f.Lists = diff("dera_aws_calls_total", `operation="DescribeSecurityGroups"`)
	f.Reads = diff("dera_aws_calls_total", `service="ec2"`) - f.Lists
	if kb, _, ok := strings.Cut(mostMemory(r.cmd.Process.Pid), " "); ok {
		n, _ := strconv.ParseFloat(kb, 64) // 0 where it is not known
		f.MiB = n / 1024
	}
	return f
}

// score asks dera for its findings and holds them against the truth.
func (r *scaleRun) score(f *scaleFigures, round int) {
	r.t.Helper()
	cmd := exec.Command(r.binary, "findings", "--data", filepath.Join(r.dir, "data"), "--output", "json")
	cmd.Env = r.env()
	text, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitNo {
		r.t.Fatalf("dera findings: %v\n%.2000s", err, text)
	}
	if f.Found, f.Missed, f.Wrong, err = r.load.score(round, text); err != nil {
		r.t.Fatal(err)
	}
}

func (r *scaleRun) ask(path string, body any) string {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := http.Post(r.aws+path, "application/json", bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(answer.Body) // its status says enough
	if answer.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %s", path, said)
	}
	return strings.TrimSpace(string(said))
}

// sweep measures dera from its start to the end of its sweep.
func (r *scaleRun) sweep(what string, round int) (scaleFigures, map[string]float64) {
	r.t.Helper()
	begin := time.Now()
	r.start()
	m, end := r.done(float64(r.load.Accounts))
	f := r.figures(what, nil, m, end.Sub(begin))
	r.score(&f, round)
	return f, m
}

// events measures so many events, each about another group.
func (r *scaleRun) events(what string, of eventLoad, before map[string]float64) (scaleFigures, map[string]float64) {
	r.t.Helper()
	begin := time.Now()
	r.ask("/events", of)
	m, end := r.done(sum(before, "dera_looks_total", "") + float64(of.N))
	if left := r.ask("/", nil); left != "0" {
		r.t.Errorf("%s: %s messages are not deleted", what, left)
	}
	f := r.figures(what, before, m, end.Sub(begin))
	f.MsEach = 1000 * f.CPU / float64(of.N)
	return f, m
}

// measured are the figures of two sweeps, between which some groups change, and of events.
func measured(t *testing.T, binary string, l scaleLoad) []scaleFigures {
	t.Helper()
	r := newScaleRun(t, binary, l)
	first, _ := r.sweep("first sweep", 0)
	r.stop()
	r.ask("/change", nil)
	second, m := r.sweep("second sweep", 1)
	second.Turned = l.turned()
	out := []scaleFigures{first, second}
	if half := l.Events / 2; half > 0 {
		clean, m := r.events("clean events", eventLoad{N: half}, m)
		failing, _ := r.events("failing events", eventLoad{N: half, Opens: true}, m)
		r.score(&failing, 1)
		failing.Wrong -= half // they are open now
		out = append(out, clean, failing)
	}
	r.stop()
	return out
}

// TestScale: of an estate that is computed, dera finds all that is wrong and nothing else, by a sweep, by the next one
// after changes, and by events.
func TestScale(t *testing.T) {
	t.Parallel()
	l := scaleLoad{computedEstate: computedEstate{Seed: 7, Accounts: 12, Groups: 40, Wrong: 10, Changes: 10, Opening: 8}, Events: 20, Quick: true}
	for _, f := range measured(t, "dera-profiled", l) {
		if f.What == "clean events" {
			continue
		}
		if f.Missed != 0 || f.Wrong != 0 || f.Found == 0 {
			t.Errorf("%s: got %d found, %d missed and %d wrong", f.What, f.Found, f.Missed, f.Wrong)
		}
	}
}

// TestBenchScale measures the loads of DERA_BENCH_SCALE, a list as JSON, with the binary of DERA_BENCH_BINARY (make
// bench-scale), or where DERA_BENCH_PROFILE names a folder, with profiles of the test's own.
func TestBenchScale(t *testing.T) {
	text := os.Getenv("DERA_BENCH_SCALE")
	if text == "" {
		t.Skip("DERA_BENCH_SCALE names no loads")
	}
	var loads []scaleLoad
	if err := json.Unmarshal([]byte(text), &loads); err != nil {
		t.Fatal(err)
	}
	binary := os.Getenv("DERA_BENCH_BINARY")
	if os.Getenv("DERA_BENCH_PROFILE") != "" {
		binary = "dera-profiled"
	}
	for _, l := range loads {
		for _, f := range measured(t, binary, l) {
			out, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s", out)
		}
	}
}
