package storetest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/store"
)

func jobTests() map[string]func(*world) {
	return map[string]func(*world){
		"job_is_kept_as_it_is":                            jobKept,
		"asking_again_coalesces":                          jobCoalesces,
		"done_job_is_gone_and_can_be_asked_for_anew":      jobDone,
		"job_asked_for_while_it_runs_runs_once_more":      jobAgain,
		"job_asked_for_while_it_runs_for_later_waits":     jobAgainLater,
		"job_given_back_waits_for_its_time":               jobRetry,
		"job_given_back_runs_early_if_it_was_asked_for":   jobRetryAgain,
		"job_that_was_not_claimed_can_be_taken_away":      jobCancel,
		"late_done_does_not_end_the_claim_of_another":     jobLateDone,
		"late_done_does_not_lose_what_was_asked_for_anew": jobLateDoneAnew,
		"late_retry_does_not_end_the_claim_of_another":    jobLateRetry,
		"done_after_the_claim_but_before_another_counts":  jobDoneAfterItsTime,
		"job_and_its_successor_in_one_batch":              jobSuccessor,
	}
}

// ask enqueues jobs in one batch.
func (w *world) ask(jobs ...dera.Job) {
	w.Helper()
	w.commit(store.Batch{Jobs: jobs})
}

// claim claims for a minute.
func (w *world) claim(owner string, n int) []dera.Job {
	w.Helper()
	return must(w.store.Claim(w.Context(), owner, n, time.Minute))(w)
}

// claimOne claims the one job that is due.
func (w *world) claimOne(owner string) dera.Job {
	w.Helper()
	jobs := w.claim(owner, 10)
	if len(jobs) != 1 {
		w.Fatalf("claim: got %d jobs %+v, want one", len(jobs), jobs)
	}
	return jobs[0]
}

// checkJobs compares all jobs.
func (w *world) checkJobs(want ...dera.Job) {
	w.Helper()
	if diff := cmp.Diff(want, must(w.store.Jobs(w.Context()))(w)); diff != "" {
		w.Errorf("jobs: got (+) and want (-):\n%s", diff)
	}
}

func jobKept(w *world) {
	now := w.clock.Now()
	long := strings.Repeat("arn:aws:ec2/ü ", 800) // longer than what an index of PostgreSQL takes
	jobs := []dera.Job{
		{Kind: "look", Key: "a", Priority: 1, RunAt: now, Payload: json.RawMessage(`{"a": "\u0000"}`), Seq: 1},
		{Kind: "look", Key: long + "1", Priority: 2, RunAt: now, Seq: 1},
		{Kind: "look", Key: long + "2", Priority: 3, RunAt: now, Seq: 1},
		{Kind: "remediate", Key: "a", Priority: 4, RunAt: now.Add(time.Microsecond), Seq: 1},
	}
	w.ask(jobs...)
	w.checkJobs(jobs...)
	got := w.claimKey(long + "1")
	w.commit(store.Batch{Done: []dera.Job{got}})
	if all := must(w.store.Jobs(w.Context()))(w); len(all) != 3 {
		w.Errorf("jobs after one is done: got %d, want 3", len(all))
	}
}

// claimKey claims all due jobs and returns the one with the key.
func (w *world) claimKey(key string) dera.Job {
	w.Helper()
	for _, j := range w.claim("us", 10) {
		if j.Key == key {
			return j
		}
	}
	w.Fatalf("claim: no job has the key %.20q", key)
	return dera.Job{}
}

func jobCoalesces(w *world) {
	now := w.clock.Now()
	first := dera.Job{Kind: "look", Key: "a", Priority: 10, RunAt: now.Add(time.Hour), Payload: json.RawMessage(`1`)}
	second := dera.Job{Kind: "look", Key: "a", Priority: 5, RunAt: now.Add(time.Minute), Payload: json.RawMessage(`2`)}
	third := dera.Job{Kind: "look", Key: "a", Priority: 20, RunAt: now.Add(2 * time.Hour), Payload: json.RawMessage(`3`)}
	w.ask(first, second)
	w.ask(third)
	w.checkJobs(dera.Job{Kind: "look", Key: "a", Priority: 5, RunAt: now.Add(time.Minute), Payload: json.RawMessage(`3`), Seq: 3})
}

func jobDone(w *world) {
	w.ask(look("a", w.clock.Now()))
	j := w.claimOne("us")
	w.commit(store.Batch{Done: []dera.Job{j}})
	w.checkJobs()
	w.commit(store.Batch{Done: []dera.Job{j}}) // again, after an answer that was lost
	w.ask(look("a", w.clock.Now()))
	if j := w.claimOne("us"); j.Seq != 1 || j.Attempts != 1 {
		w.Errorf("job: got seq %d and attempt %d, want 1 and 1", j.Seq, j.Attempts)
	}
}

func jobAgain(w *world) {
	start := w.clock.Now()
	w.ask(look("a", start))
	j := w.claimOne("us")
	w.clock.Advance(time.Second)
	asked := w.clock.Now()
	w.ask(look("a", asked.Add(time.Second)))
	w.ask(look("a", asked)) // the earliest counts, in whatever order
	w.ask(look("a", asked.Add(time.Hour)))
	if jobs := w.claim("them", 10); len(jobs) != 0 {
		w.Errorf("claim while it runs: got %+v, want none", jobs)
	}
	w.commit(store.Batch{Done: []dera.Job{j}})
	again := w.claimOne("them")
	if again.Seq != 4 || again.Attempts != 1 || !again.RunAt.Equal(asked) {
		w.Errorf("job: got %+v, want seq 4, attempt 1, due at %v", again, asked)
	}
	w.commit(store.Batch{Done: []dera.Job{again}})
	w.checkJobs()
}

func jobAgainLater(w *world) {
	w.ask(look("a", w.clock.Now()))
	j := w.claimOne("us")
	later := w.at(time.Hour)
	w.ask(look("a", later))
	w.commit(store.Batch{Done: []dera.Job{j}})
	want := look("a", later)
	want.Seq = 2
	w.checkJobs(want)
}

func jobRetry(w *world) {
	w.ask(look("a", w.clock.Now()))
	j := w.claimOne("us")
	later := w.at(time.Hour)
	if err := w.store.Retry(w.Context(), j, later); err != nil {
		w.Fatal(err)
	}
	want := look("a", later)
	want.Seq, want.Attempts = 1, 1
	w.checkJobs(want)
	if jobs := w.claim("us", 10); len(jobs) != 0 {
		w.Errorf("claim before its time: got %+v, want none", jobs)
	}
	w.clock.Advance(time.Hour)
	if j := w.claimOne("us"); j.Attempts != 2 {
		w.Errorf("attempts: got %d, want 2", j.Attempts)
	}
	if err := w.store.Retry(w.Context(), want, later); err == nil {
		w.Errorf("retry of a job that was not claimed: got no error")
	}
}

func jobRetryAgain(w *world) {
	for _, asked := range []time.Duration{time.Second, 2 * time.Hour} {
		w.ask(look("a", w.clock.Now()))
		j := w.claimOne("us")
		w.ask(look("a", w.at(asked)))
		if err := w.store.Retry(w.Context(), j, w.at(time.Hour)); err != nil {
			w.Fatal(err)
		}
		want := look("a", w.at(min(asked, time.Hour)))
		want.Seq, want.Attempts = 2, 1
		w.checkJobs(want)
		w.clock.Advance(time.Hour)
		w.commit(store.Batch{Done: []dera.Job{w.claimOne("us")}})
	}
}

func jobCancel(w *world) {
	later := w.at(time.Hour)
	w.ask(look("a", later), look("b", later))
	w.ask(look("b", later))
	w.commit(store.Batch{Done: []dera.Job{{Kind: "look", Key: "a", Seq: 1}, {Kind: "look", Key: "b", Seq: 1}, {Kind: "look", Key: "c", Seq: 1}}})
	want := look("b", later)
	want.Seq = 2
	w.checkJobs(want)
}

// lapsed claims a job for us, lets the claim run out, and claims it for them.
func (w *world) lapsed() (ours, theirs dera.Job) {
	w.Helper()
	w.ask(look("a", w.clock.Now()))
	ours = w.claimOne("us")
	w.clock.Advance(time.Minute)
	theirs = w.claimOne("them")
	if theirs.Attempts != 2 || theirs.Seq != ours.Seq {
		w.Errorf("job after a claim ran out: got %+v, want attempt 2 of seq %d", theirs, ours.Seq)
	}
	return ours, theirs
}

func jobLateDone(w *world) {
	ours, theirs := w.lapsed()
	w.ask(look("a", w.clock.Now()))
	w.commit(store.Batch{Done: []dera.Job{ours}})
	if jobs := w.claim("others", 10); len(jobs) != 0 {
		w.Errorf("claim while they run it: got %+v, want none", jobs)
	}
	w.commit(store.Batch{Done: []dera.Job{theirs}})
	if j := w.claimOne("us"); j.Seq != 2 {
		w.Errorf("seq: got %d, want 2", j.Seq)
	}
}

func jobLateDoneAnew(w *world) {
	ours, theirs := w.lapsed()
	w.commit(store.Batch{Done: []dera.Job{theirs}})
	w.ask(look("a", w.clock.Now())) // something happened after they looked
	w.commit(store.Batch{Done: []dera.Job{ours}})
	w.claimOne("us")
}

func jobLateRetry(w *world) {
	ours, theirs := w.lapsed()
	if err := w.store.Retry(w.Context(), ours, w.at(-time.Hour)); err != nil {
		w.Errorf("retry of a lost claim: got %v", err)
	}
	w.checkJobs(theirs)
}

func jobDoneAfterItsTime(w *world) {
	w.ask(look("a", w.clock.Now()))
	j := w.claimOne("us")
	w.clock.Advance(time.Hour)
	w.commit(store.Batch{Done: []dera.Job{j}})
	w.checkJobs()
}

// jobSuccessor ends a job and asks for the same one in the same batch, as a job
// does that has more to do.
func jobSuccessor(w *world) {
	w.ask(look("a", w.clock.Now()))
	j := w.claimOne("us")
	later := w.at(time.Hour)
	w.commit(store.Batch{Done: []dera.Job{j}, Jobs: []dera.Job{look("a", later)}})
	want := look("a", later)
	want.Seq = 1
	w.checkJobs(want)
}
