package app

import (
	"context"
	"fmt"
	"time"

	"dera.example/dera/engine"
	"dera.example/dera/store"
)

// noAnchor says that nobody else holds a checkpoint, where nobody does.
func (x *examination) noAnchor() {
	const fix = "anchor.s3 in the configuration; or keep a checkpoint where this host cannot write (dera audit export DIR), and verify against it with --since (docs/audit.md)"
	switch {
	case x.Anchored:
	case x.Enforces:
		x.says("audit log", "anchor", ToDo, "there is no anchor outside this host: whoever has its key and database could truncate the log unnoticed", fix)
	default:
		x.says("audit log", "anchor", NotTested, "there is none; enforce mode should have one", fix)
	}
}

// anchors looks whether someone else holds checkpoints of the audit log, and whether they are kept
// there for certain.
func (x *examination) anchors(ctx context.Context) {
	for _, a := range x.Anchors {
		about := "anchor " + a.Name()
		says, weak, err := a.Check(ctx)
		switch {
		case err != nil:
			x.says("audit log", about, Broken, plainCause(err), "make the bucket with Object Lock and a default retention, and let dera do s3:PutObject and s3:GetBucketObjectLockConfiguration on it (docs/audit.md)")
			continue
		case weak:
			x.says("audit log", about, ToDo, says, "use compliance mode, or make sure that nobody who runs dera has that permission")
		default:
			x.says("audit log", about, Healthy, says, "")
		}
		if err := x.anchored(ctx, a.Name(), about); err != nil {
			x.says("audit log", about, Unchecked, plainCause(err), "")
		}
	}
}

// anchored looks how much of the log an anchor has.
func (x *examination) anchored(ctx context.Context, name, about string) error {
	if x.Store == nil {
		return nil
	}
	records, err := x.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	text, err := x.Store.Remembered(ctx, store.AnchoredPrefix+name)
	if err != nil {
		return err
	}
	size, at, ok := engine.ParseAnchored(text)
	age := x.Now().Sub(at).Truncate(time.Second)
	switch {
	case !ok:
		x.says("audit log", about, ToDo, "no checkpoint was kept there yet", "dera run keeps one each minute: is it running?")
	case size < records && age > 10*time.Minute:
		x.says("audit log", about, ToDo, fmt.Sprintf("%d of %d records are newer than the last checkpoint there, which is %s old", records-size, records, age), "is dera run running? Its log says why it cannot anchor")
	default:
		x.says("audit log", about, Healthy, fmt.Sprintf("it has the log up to record %d of %d; the last checkpoint there is %s old", size, records, age), "dera audit verify --anchor compares the log with all of them")
	}
	return nil
}
