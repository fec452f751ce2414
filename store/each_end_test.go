package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dera.example/dera"
	"dera.example/dera/store"
	"dera.example/dera/store/storetest"
)

// TestCommitEachThatBreaks: one of several batches breaks in a transaction of its own. Whoever
// commits next is not kept waiting by those that nobody waits for any more.
func TestCommitEachThatBreaks(t *testing.T) {
	t.Parallel()
	var breaks atomic.Bool
	clock := storetest.NewClock()
	s, err := store.Open(t.Context(), store.Config{URL: storetest.SQLite(t).URL, Sealer: plain{}, Now: func() time.Time {
		if breaks.Swap(false) {
			panic("no time")
		}
		return clock.Now()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	list := make([]store.Batch, 3)
	for i := range list { // about the same, so that each has a transaction of its own
		list[i].Remediations = []dera.Remediation{storetest.Remediation("r-same", "sg", clock.Now())}
	}
	breaks.Store(true)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing broke")
			}
		}()
		s.CommitEach(t.Context(), list)
	}()
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Commit(soon, store.Batch{Counts: map[string]int64{"n": 1}}); err != nil {
		t.Errorf("the next commit: got %v", err)
	}
}

// TestCommitEachIsPatientOnce: the context is over, and the database does not answer. The
// patience is one of all batches, and none of them is said to be refused.
func TestCommitEachIsPatientOnce(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t), storetest.NewClock())
	list := make([]store.Batch, 4)
	for i := range list {
		list[i].Counts = map[string]int64{fmt.Sprint(i): 1}
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		got, err := s.Unanswered(t.Context(), list)
		if took := time.Since(begun); took > 6*time.Second || err != nil {
			t.Errorf("took %s, %v, want the patience once", took, err)
		}
		for i, err := range got {
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nobody knows") {
				t.Errorf("batch %d: got %v, want %v", i, err, context.Canceled)
			}
		}
	})
}
