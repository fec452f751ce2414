package reason

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// solverLimit is how long the solver may take for one question.
const solverLimit = 5 * time.Second

// cvc5 asks the solver several questions in one process and returns sat, unsat
// or unknown for each. A missing solver is an error, never a pass.
func cvc5(ctx context.Context, questions []string) ([]string, error) {
	path, err := exec.LookPath("cvc5")
	if err != nil {
		return nil, fmt.Errorf("find the solver, which scripts/cvc5-install installs: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, "--lang=smt2", "--strings-exp", "--incremental",
		fmt.Sprintf("--tlimit-per=%d", solverLimit.Milliseconds()), "-q", "-")
	cmd.Stdin = strings.NewReader(strings.Join(questions, "(reset)\n"))
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err = cmd.Run()
	answers := strings.Fields(out.String())
	if len(answers) != len(questions) {
		return nil, fmt.Errorf("%d answers to %d questions (%v): %s%s", len(answers), len(questions), err, out.String(), stderr.String())
	}
	return answers, nil
}

// duel is one pair on which the engine and the solver are compared.
type duel struct {
	seed    uint64
	reading Reading
	fresh   []byte
	known   []byte
	answer  Answer
	smt     string
}

// cvc5Arity makes the key that the generator gives many values multi-valued.
func cvc5Arity(key string) Arity {
	if key == "k:m" {
		return Many
	}
	return One
}

func newDuel(t testing.TB, seed uint64) duel {
	g := newGenerator(seed)
	d := duel{seed: seed, reading: g.reading()}
	d.fresh, d.known = g.pair()
	fresh, known := parsePolicies(t, d.fresh), parsePolicies(t, d.known)
	cfg := Config{Arity: cvc5Arity, Readings: []Reading{d.reading}}
	d.answer = Subset(t.Context(), fresh, known, cfg)
	smt, err := SMTLIB(fresh, known, d.reading, cfg)
	if err != nil {
		t.Errorf("seed %d: %v\n%s\n%s", seed, err, d.fresh, d.known)
	}
	d.smt = smt
	return d
}

// TestCVC5_agrees_on_random_pairs compares the engine with an independent
// solver. DERA_CVC5_PAIRS and DERA_CVC5_SEED make it longer and different.
func TestCVC5_agrees_on_random_pairs(t *testing.T) {
	t.Parallel()
	pairs, seed := envNumber(t, "DERA_CVC5_PAIRS", 300), envNumber(t, "DERA_CVC5_SEED", 1)
	if testing.Short() {
		pairs = min(pairs, 40)
	}
	const batch = 10
	var mu sync.Mutex
	count := map[string]int{}
	var wg sync.WaitGroup
	work := make(chan int)
	for range 2 {
		wg.Go(func() {
			for first := range work {
				var duels []duel
				var questions []string
				for i := first; i < min(first+batch, pairs); i++ {
					duels = append(duels, newDuel(t, uint64(seed)<<32+uint64(i)))
					questions = append(questions, duels[len(duels)-1].smt)
				}
				answers, err := cvc5(t.Context(), questions)
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				for i, a := range answers {
					count[a+" "+duels[i].answer.Verdict.String()]++
					duels[i].compare(t, a)
				}
				mu.Unlock()
			}
		})
	}
	for first := 0; first < pairs && !t.Failed(); first += batch {
		work <- first
	}
	close(work)
	wg.Wait()
	t.Logf("%d pairs (solver, engine): %v", pairs, count)
	if n := count["unsat proved"]; n < pairs/20 {
		t.Errorf("only %d pairs were proved: the test says little", n)
	}
}

func (d duel) compare(t testing.TB, solver string) {
	t.Helper()
	want := map[string]Conclusion{"sat": Refuted, "unsat": Proved}
	switch v, decided := want[solver]; {
	case !decided: // time-outs are counted apart
	case d.answer.Verdict == Unknown && d.answer.Why == Variables:
	case d.answer.Verdict != v:
		t.Errorf("seed %d, %v: the engine says %v (%v), the solver %s\nfresh %s\nknown %s",
			d.seed, d.reading, d.answer.Verdict, d.answer.Why, solver, d.fresh, d.known)
	}
}

func envNumber(t testing.TB, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
