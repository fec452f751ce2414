package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/source"
	"dera.example/dera/store/storetest/postgres"
)

// exposition is a parsed answer of /metrics, by name and labels as they stand there.
type exposition struct {
	values map[string]float64
	kinds  map[string]string
}

var (
	sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$`)
	typeLine   = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$`)
	helpLine   = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*$`)
)

// parseExposition reads the text format 0.0.4 strictly: each family once, with its help and type before its samples, and no sample twice.
func parseExposition(t *testing.T, text string) exposition {
	t.Helper()
	e := exposition{map[string]float64{}, map[string]string{}}
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
	family, helped := "", ""
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if m := helpLine.FindStringSubmatch(line); m != nil {
			helped = m[1]
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			if m[1] != helped || e.kinds[m[1]] != "" {
				t.Errorf("line %d: %q is without help, or a second time", n+1, line)
			}
			family, e.kinds[m[1]] = m[1], m[2]
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("line %d: %q is no sample", n+1, line)
			continue
		}
		name := m[1]
		if e.kinds[family] == "histogram" {
			name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		}
		if name != family {
			t.Errorf("line %d: %s stands under %s", n+1, m[1], family)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Errorf("line %d: %v", n+1, err)
		}
		key := m[1]
		if m[2] != "" {
			key += "{" + m[2] + "}"
		}
		if _, twice := e.values[key]; twice {
			t.Errorf("line %d: %s stands there twice", n+1, key)
		}
		e.values[key] = v
	}
	return e
}

// TestMetricsFormat: what is written is read as it was meant, whatever labels hold, and histograms add up.
func TestMetricsFormat(t *testing.T) {
	t.Parallel()
	m := newMeter()
	m.add(2, "dera_aws_calls_total", "ec2", "a\"b\\c\nd", "ok")
	m.add(1, "dera_aws_calls_total", "ec2", "a\"b\\c\nd", "ok")
	m.add(1, "dera_aws_calls_total", "ec2", "\xff", "denied")
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	handle := m.counting(func() time.Time { return now }, func(_ context.Context, d source.Delivery) error {
		if d.Counts.Malformed > 0 {
			return errors.New("not committed")
		}
		return nil
	})
	at := func(ago time.Duration) dera.Event { return dera.Event{Time: now.Add(-ago)} }
	for _, d := range []source.Delivery{
		{Source: "sqs", Counts: source.Counts{Received: 3, Hinted: 3}, Events: []dera.Event{at(time.Second), at(90 * time.Second), at(3 * time.Hour)}},
		{Source: "sqs", Counts: source.Counts{Received: 1, Malformed: 1}, Events: []dera.Event{at(0)}}, // not committed, so not counted
		{Source: "sweep", Events: []dera.Event{at(time.Hour)}},                                         // nothing happened an hour ago
	} {
		_ = handle(t.Context(), d)
	}
	var b strings.Builder
	samples, histograms := m.samples(now)
	if err := writeMetrics(&b, samples, histograms); err != nil {
		t.Fatal(err)
	}
	e := parseExposition(t, b.String())
	for key, want := range map[string]float64{
		`dera_aws_calls_total{service="ec2",operation="a\"b\\c\nd",result="ok"}`: 3,
		`dera_aws_calls_total{service="ec2",operation="�",result="denied"}`:      1,
		`dera_events_total{source="sqs",result="received"}`:                      3,
		`dera_event_lag_seconds_bucket{source="sqs",le="1"}`:                     1,
		`dera_event_lag_seconds_bucket{source="sqs",le="60"}`:                    1,
		`dera_event_lag_seconds_bucket{source="sqs",le="120"}`:                   2,
		`dera_event_lag_seconds_bucket{source="sqs",le="+Inf"}`:                  3,
		`dera_event_lag_seconds_count{source="sqs"}`:                             3,
		`dera_event_lag_seconds_sum{source="sqs"}`:                               1 + 90 + 3*3600,
		`dera_database_up`: 0,
	} {
		if got, ok := e.values[key]; !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %v, %v, want %v\n%s", key, got, ok, want, b.String())
		}
	}
	for _, never := range []string{`dera_events_total{source="sqs",result="malformed"}`, `dera_event_lag_seconds_count{source="sweep"}`} {
		if _, there := e.values[never]; there {
			t.Errorf("%s is there", never)
		}
	}
}

// TestMetricsDocumented: the table of docs/operations.md has each metric with its kind, labels and words, and no other.
func TestMetricsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range metricFamilies() {
		labels := "–"
		if len(f.labels) > 0 {
			labels = "`" + strings.Join(f.labels, "`, `") + "`"
		}
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", f.name, f.kind, labels, f.help))
		switch base := strings.HasSuffix(f.name, "_total"); {
		case base != (f.kind == "counter"):
			t.Errorf("%s is a %s: counters end in _total, and nothing else does", f.name, f.kind)
		case strings.Contains(strings.Join(f.labels, " "), "account"), slices.Contains(f.labels, "region"):
			t.Errorf("%s has a label with as many values as the customer has accounts", f.name)
		}
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `dera_") || strings.HasPrefix(line, "| `process_") || strings.HasPrefix(line, "| `go_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/operations.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestMetricsReadSeldom: the database is read once in ten seconds whoever asks, a read that hangs holds nobody up, and figures that are old are left out rather than shown.
func TestMetricsReadSeldom(t *testing.T) {
	t.Parallel()
	m := newMeter()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	value := func(name string) (float64, bool) {
		samples, _ := m.samples(now)
		i := slices.IndexFunc(samples, func(s sample) bool { return s.family == name })
		if i < 0 {
			return 0, false
		}
		return samples[i].value, true
	}
	reads, hang := 0, make(chan struct{})
	m.reads(func(ctx context.Context) ([]sample, error) {
		switch reads++; {
		case reads == 2:
			<-hang
			return nil, errors.New("the database is away")
		default:
			return []sample{{"dera_alarms", nil, float64(reads)}}, nil
		}
	}, nil)
	for range 5 {
		if got, ok := value("dera_alarms"); !ok || got != 1 {
			t.Fatalf("got %v, %v, want the first read", got, ok)
		}
	}
	now = now.Add(figuresEvery)
	began := time.Now()
	if got, ok := value("dera_alarms"); !ok || got != 1 {
		t.Errorf("while a read hangs: got %v, %v, want those of before", got, ok)
	}
	if took := time.Since(began); took > figuresTake/2 {
		t.Errorf("it waited %s for a read that hangs", took)
	}
	close(hang)
	for up, ok := value("dera_database_up"); up != 0 || !ok; up, ok = value("dera_database_up") {
		if time.Since(began) > time.Minute {
			t.Fatal("a failed read is not told")
		}
	}
	now = now.Add(-time.Hour) // the clock is set back
	m.reads(func(context.Context) ([]sample, error) { return []sample{{"dera_alarms", nil, 9}}, nil }, nil)
	if got, ok := value("dera_alarms"); !ok || got != 9 {
		t.Errorf("after the clock was set back: got %v, %v, want a new read", got, ok)
	}
	now = now.Add(figuresKept + time.Second)
	m.reads(func(context.Context) ([]sample, error) { return nil, errors.New("away") }, nil)
	if got, ok := value("dera_alarms"); ok {
		t.Errorf("got %v of more than a minute ago, want nothing", got)
	}
}

// get asks the controller something.
func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

// TestRunListens: /healthz, /readyz and /metrics are there before the database is; while it is away dera lives, is not ready, and says so; what happened stands in the metrics, without an account in them.
func TestRunListens(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 7})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	events, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: events}); err != nil {
		t.Fatal(err)
	}
	proxy, database := newSocket(t, postgres.Start(t, postgres.Config{}).URL(t))
	proxy.cut()
	address := freeAddress(t)
	c := startController(t, "--db", database, "--queue", events, "--sweep", "1h", "--listen", address)
	says := func(path string, code int, text string) func() bool {
		return func() bool {
			got, body := get(t, "http://"+address+path, "")
			return got == code && strings.Contains(body, text)
		}
	}
	c.eventually(t, "it lives before the database is there", says("/healthz", 200, "ok"))
	c.eventually(t, "it is not ready", says("/readyz", 503, "the database was not reached yet"))
	c.eventually(t, "its metrics say so", says("/metrics", 200, "dera_database_up 0"))
	proxy.restore()
	c.eventually(t, "it is ready", says("/readyz", 200, "ok"))
	if _, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}); err != nil {
		t.Fatal(err)
	}
	c.eventually(t, "the fix is counted", says("/metrics", 200, `dera_remediations_ended_total{state="resolved"} 1`))
	_, text := get(t, "http://"+address+"/metrics", "")
	e := parseExposition(t, text)
	for _, key := range []string{
		`dera_events_total{source="sqs",result="hinted"}`, `dera_event_lag_seconds_count{source="sqs"}`, `dera_looks_total{type="AWS::EC2::SecurityGroup",result="read"}`,
		`dera_decisions_total{disposition="auto"}`, `dera_commits_total{result="done"}`, `dera_aws_calls_total{service="ec2",operation="RevokeSecurityGroupIngress",result="ok"}`,
		`dera_audit_records`, `dera_database_bytes`, `dera_findings{severity="critical"}`, `process_cpu_seconds_total`, `process_resident_memory_bytes`, `go_goroutines`,
	} {
		if _, ok := e.values[key]; !ok {
			t.Errorf("%s is missing in\n%s", key, text)
		}
	}
	if strings.Contains(text, account.ID()) {
		t.Errorf("the account stands in\n%s", text)
	}
	proxy.cut()
	c.eventually(t, "it says that the database is away", says("/readyz", 503, "the database does not answer, or takes no writes, since 20"))
	c.eventually(t, "it lives all the same", says("/healthz", 200, "ok"))
	proxy.restore()
	c.eventually(t, "it is ready again", says("/readyz", 200, "ok"))
	c.stop(t)
	if code, _ := get(t, "http://"+address+"/healthz", ""); code != 0 {
		t.Errorf("it listens after its end: %d", code)
	}
}

// TestMetricsAreNotForEverybody: where answers or events are taken from outside, /metrics is there with a token only.
func TestMetricsAreNotForEverybody(t *testing.T) {
	t.Setenv("DERA_METRICS_TOKEN", "t0ken")
	a := &cli{meter: newMeter(), now: time.Now}
	slack := slackClicksConfig{SecretEnv: "X"}
	for name, tc := range map[string]struct {
		listen listenConfig
		hooks  bool
		token  string
		want   int
	}{
		"alone":             {want: 200},
		"slack":             {listen: listenConfig{Slack: slack}, want: 404},
		"hooks":             {hooks: true, want: 404},
		"slack_with_token":  {listen: listenConfig{Slack: slack, TokenEnv: "DERA_METRICS_TOKEN"}, token: "t0ken", want: 200},
		"token_is_missing":  {listen: listenConfig{TokenEnv: "DERA_METRICS_TOKEN"}, want: 401},
		"token_is_wrong":    {listen: listenConfig{TokenEnv: "DERA_METRICS_TOKEN"}, token: "t0ke", want: 401},
		"hooks_wrong_token": {listen: listenConfig{TokenEnv: "DERA_METRICS_TOKEN"}, hooks: true, token: "x", want: 401},
	} {
		h, err := a.metricsHandler(fileConfig{Listen: tc.listen}, tc.hooks)
		if err != nil {
			t.Fatal(err)
		}
		got := 404
		if h != nil {
			w := httptest.NewRecorder()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			if tc.token != "" {
				req.Header.Set("Authorization", "Bearer "+tc.token)
			}
			h.ServeHTTP(w, req)
			got = w.Code
		}
		if got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
	if _, err := a.metricsHandler(fileConfig{Listen: listenConfig{TokenEnv: "DERA_NO_SUCH"}}, false); err == nil {
		t.Error("a token that is not set: got no error")
	}
}
