package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/awssim"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
	"dera.example/dera/evaluate"
	"dera.example/dera/services"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/store"
)

// The environment of a child process.
const (
	childDir   = "DERA_TEST_CHILD_DIR"   // folder of the database
	childKill  = "DERA_TEST_CHILD_KILL"  // step at which it kills itself; 0 means never
	childClock = "DERA_TEST_CHILD_CLOCK" // unix seconds at its start
)

// TestKillNine kills real processes with SIGKILL at random steps of a fix on a
// simulated AWS that lives on, and lets the last one finish (invariants I1, I2).
func TestKillNine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wide := tcp(0, 65535, "0.0.0.0/0")
	wide.Description = "lab"
	ids := []string{w.group("lab", wide), w.group("lab-2", wide), w.group("lab-3", wide)}
	out := w.watch()
	for _, id := range ids {
		w.ingest(w.event(id))
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	url := make(chan string, 1)
	go func() { served <- awssim.Serve(ctx, w.cloud, "127.0.0.1:0", func(base string) { url <- base }) }()
	base := <-url
	random := rand.New(rand.NewPCG(11, 22))
	killed, step := 0, 0
	for range 40 {
		step = 1 + random.IntN(16)
		if killed >= 20 {
			step = 0
		}
		died := w.child(base, step)
		w.clock.Advance(7 * time.Minute) // leases and signatures run out
		if !died {
			break
		}
		killed++
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if killed < 10 {
		t.Errorf("got %d processes killed, want at least 10", killed)
	}
	w.quiet()
	out.check()
	for _, id := range ids {
		got := w.sorted(id)
		if want := []string{"tcp 0-21 0.0.0.0/0 lab", "tcp 23-3388 0.0.0.0/0 lab", "tcp 3390-65535 0.0.0.0/0 lab"}; !slices.Equal(got, want) {
			t.Errorf("rules: got %q, want %q", got, want)
		}
	}
	if n := len(w.ours("")); n != 12 {
		t.Errorf("writes: got %d, want 3 authorizes and 1 revoke of each of 3 groups, none twice", n)
	}
	t.Logf("%d processes killed", killed)
}

// child runs a process that works until nothing is due, or kills itself at a
// step, and reports whether it was killed.
func (w *world) child(base string, kill int) bool {
	w.t.Helper()
	creds := w.cloud.Account(account).AddUser("dera", "*")
	cmd := exec.CommandContext(w.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(),
		childDir+"="+w.dir, childKill+"="+strconv.Itoa(kill), childClock+"="+strconv.FormatInt(w.clock.Now().Unix(), 10),
		"AWS_ENDPOINT_URL="+base, "AWS_REGION="+region, "AWS_ACCESS_KEY_ID="+creds.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+creds.SecretAccessKey,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		w.t.Fatalf("child: %v\n%s", err, said.String())
	}
	return false
}

// child is the process: an engine as cmd/dera puts it together, on its own clock.
func child() int {
	if err := work(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func work(ctx context.Context) error {
	dir := os.Getenv(childDir)
	kill, err := strconv.Atoi(os.Getenv(childKill))
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(os.Getenv(childClock), 10, 64)
	if err != nil {
		return err
	}
	c := &clock{t: time.Unix(seconds, 0).UTC()}
	steps := 0
	step := func() {
		if steps++; steps == kill {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal comes
		}
	}
	vault, err := audit.LoadVault(dir, nil)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: "sqlite:" + filepath.Join(dir, "dera.db"), Sealer: vault, Now: func() time.Time {
		step()
		return c.Now()
	}})
	if err != nil {
		return err
	}
	defer s.Close()
	client, err := cloud.New(ctx, cloud.Config{Wires: wires(), Now: c.Now, Observe: func(call cloud.Call) {
		if call.Write {
			step() // it has taken effect, and nobody has heard of it
		}
	}})
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Config{
		Types: services.Types(),
		Store: s, Reader: reader{client}, Cloud: writer{client}, Controls: rulebook(securitygroup.Name), Settings: alone(),
		Gate: evaluate.Gate{
			Finding: []evaluate.Guardrail{evaluate.Mode{}, evaluate.Stopped{Ledger: s}, evaluate.RolledBackBefore{}, evaluate.FailedBefore{Now: c.Now}},
			Plan:    []evaluate.Guardrail{evaluate.Reversible{}, evaluate.Proved{}},
		},
		Accounts: []dera.Account{{ID: account, Partition: "aws"}}, Regions: []string{region},
		Mode:  func(dera.Account, string) dera.Mode { return dera.Enforce },
		Actor: dera.Actor{Name: "dera", How: "engine"}, Owner: fmt.Sprintf("child-%d", os.Getpid()),
		Now: c.Now, Wait: c.Wait, LeaseTTL: time.Minute,
	})
	if err != nil {
		return err
	}
	return e.Drain(ctx)
}
