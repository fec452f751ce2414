package app

import (
	"context"
	"fmt"
	"strings"

	"dera.example/dera/source"
)

// logs says what became of the log files that the queue announced.
func (x *examination) logs(ctx context.Context) error {
	if !x.LogFiles {
		return nil
	}
	counts, err := x.Store.Counters(ctx)
	if err != nil {
		return err
	}
	var skipped int64
	for name, n := range counts {
		if strings.HasPrefix(name, source.LogsSkipped) {
			skipped += n
		}
	}
	read, torn, failed := counts[source.LogsRead], counts[source.LogsTorn], counts[source.LogsFailed]
	if foreign := counts[source.LogsForeign]; foreign > 0 {
		x.says("log files", "", ToDo, fmt.Sprintf("%d messages announced objects of buckets that sources.s3_logs does not name; none was read", foreign), "who may write to the queue? dera findings --events has the messages")
	}
	says := fmt.Sprintf("%d read, %d skipped that hold no calls of covered accounts, %d not whole, %d reads failed", read, skipped, torn, failed)
	switch {
	case read+skipped+torn+failed == 0:
		x.says("log files", "", ToDo, "none was ever announced", "let S3 announce the new objects of the bucket to the queue (docs/operations.md)")
	case read == 0 && failed > 0:
		x.says("log files", "", ToDo, says, "allow s3:GetObject on the objects, and kms:Decrypt where a key encrypts them, to dera's own identity; is the owner in sources.s3_logs the bucket's?")
	default:
		x.says("log files", "", Healthy, says, "")
	}
	return nil
}
