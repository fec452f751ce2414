package store

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/usage"
)

// Batch is everything that one step of the loop changes. State, next jobs and
// audit records commit together or not at all (invariants I1, I8).
type Batch struct {
	// Fence, when set, is the lease that the caller works under; the batch is
	// refused with ErrFenced when it is not the caller's any more.
	Fence *dera.Lease
	// Findings are inserted or replaced by ID.
	Findings []dera.Finding
	// Remediations are inserted (Revision 0) or replaced when the stored
	// revision is still the given one; the store counts it up.
	Remediations []dera.Remediation
	// Known is how many remediations a resource had when the batch was decided on, by the key of the
	// resource: ErrConflict where it has another number now, since someone else decided on it meanwhile.
	Known map[string]int64
	// Intents are inserted or replaced by remediation, step and direction.
	Intents []dera.Intent
	// Jobs are enqueued; the same one asked for again coalesces.
	Jobs []dera.Job
	// Done are finished jobs as they were claimed. One that was asked for again
	// meanwhile stays, and so does one whose claim ran out and that someone else
	// has claimed. A job that was not claimed (no Claim) is taken away if it
	// was asked for Seq times.
	Done []dera.Job
	// Incidents are added; one that is there stays as it is.
	Incidents []dera.Incident
	// Accesses are inserted or replaced by ID; one whose end is set never changes.
	Accesses []dera.Access
	// Watches are added; one that is there stays as it is.
	Watches []dera.Watch
	// Stops are set; Resumes taken away (by account and control).
	Stops   []dera.Stop
	Resumes []dera.Stop
	// Spends count against the budget of account, control and hour.
	Spends []Spend
	// Remember and First are words kept by name, see Remembered; one of First only
	// where the name has none yet.
	Remember map[string]string
	First    map[string]string
	// Alarm begins to stand, and AlarmEnded is the key of one that is over: ErrAlarm where
	// one with its key stands already, or none does.
	Alarm      *dera.Alarm
	AlarmEnded string
	// Taken is the ID of a signed message that the batch comes of: ErrTaken where it was taken.
	Taken string
	// Expected are places that are to be read, noted as unread where nothing is known
	// of them; Read and Unread are what became of reads.
	Expected []Place
	Read     []PlaceRead
	Unread   []Place
	// Evidence blobs by hash.
	Evidence map[string][]byte
	// Records are appended to the audit log, in order.
	Records []dera.AuditRecord
	// Kept are events that could not be read; Counts are added to counters.
	Kept   []KeptEvent
	Counts map[string]int64
	// Calls are calls of dera's own principals, as CloudTrail has them; Judged are
	// the events of those that someone was told of.
	Calls  []audit.Call
	Judged []string
	// Posting adds messages for what the audit log says.
	Posting *Posting
	// Use goes to the usage ledger: what the events say that this batch is made of.
	Use usage.Batch
}

// Spend is one automatic remediation that a budget counts, once.
type Spend struct {
	Remediation string
	Account     string
	Control     string
	At          time.Time
	// Limit is the most in an hour, and Everywhere that of all accounts and
	// controls together; 0 means no limit, and less than 0 that there is no budget.
	Limit      int
	Everywhere int
	// Reserve, when set, is what else must not be exceeded.
	Reserve *Reserve
}

// Reserve is the most spends since a time, in an account or, for an empty one,
// everywhere.
type Reserve struct {
	Account string
	Since   time.Time
	Most    int
}

// Commit writes the batch in one durable transaction, as a whole. Batches that are committed
// at the same time share a transaction: each has a result of its own, the same as if they
// had been committed one after the other in some order. A batch that nobody else is in the
// way of is written at once.
//
// On an error nothing is written, with one exception that no database can rule out: when the
// connection to PostgreSQL breaks while it commits, or ctx ends then, the batch may be there.
// All of it is then, so committing it again gives ErrConflict, or does no harm.
func (s *Store) Commit(ctx context.Context, b Batch) error {
	c, err := s.change(b)
	if err == nil {
		err = s.join(ctx, c)
	}
	return s.committed(b, err)
}

// CommitEach is Commit of each batch at the same time, from one goroutine: what fits shares a transaction, and one
// that is refused keeps no other out. The results are in the order of the batches.
func (s *Store) CommitEach(ctx context.Context, list []Batch) []error {
	out := make([]error, len(list))
	var changes []*change
	var of []int
	for i, b := range list {
		c, err := s.change(b)
		if out[i] = err; err == nil {
			changes, of = append(changes, c), append(of, i)
		}
	}
	for i, err := range s.joinEach(ctx, changes) {
		out[of[i]] = err
	}
	for i, b := range list {
		out[i] = s.committed(b, out[i])
	}
	return out
}

// committed counts a commit and says what became of it.
func (s *Store) committed(b Batch, err error) error {
	s.commits.count(err)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if len(b.Jobs) > 0 {
		s.enqueued.Store(true)
	}
	return nil
}
