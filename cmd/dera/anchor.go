package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/cloud"
	"dera.example/dera/engine"
)

// bucketAnchor keeps checkpoints in a bucket with S3 Object Lock. The key of each says size and root, so
// that a log is held against all of them by a list.
type bucketAnchor struct {
	bucket *cloud.LockedBucket
	name   string
}

var _ audit.Anchor = bucketAnchor{}

// Name implements audit.Anchor.
func (b bucketAnchor) Name() string { return b.name }

// Check implements audit.Anchor.
func (b bucketAnchor) Check(ctx context.Context) (string, bool, error) {
	mode, period, err := b.bucket.Retention(ctx)
	if errors.Is(err, cloud.ErrUnlocked) {
		return "", false, fmt.Errorf("%w: %w", audit.ErrNotKept, err)
	}
	if err != nil {
		return "", false, err
	}
	if mode == "compliance" {
		return "nobody can delete a checkpoint there for " + period, false, nil
	}
	return "in " + mode + " mode whoever has s3:BypassGovernanceRetention can delete a checkpoint there within its " + period, true, nil
}

// checkpointFolder and mostNote are of the objects of an anchor.
const (
	checkpointFolder = "checkpoint/"
	mostNote         = 1 << 20
)

// Keep implements audit.Anchor.
func (b bucketAnchor) Keep(ctx context.Context, _ audit.Source, c audit.Checkpoint, signed []byte) error {
	return b.bucket.Put(ctx, checkpointFolder+c.Name(), signed)
}

// Kept implements audit.Anchor. Other objects under the prefix are none of its own.
func (b bucketAnchor) Kept(ctx context.Context, each func(audit.Anchored) error) error {
	return b.bucket.Versions(ctx, mostNote, func(key string, read func(context.Context) ([]byte, error)) error {
		name, ok := strings.CutPrefix(key, checkpointFolder)
		size, root, named := audit.ParseName(name)
		if !ok || !named {
			return nil
		}
		return each(audit.Anchored{Size: size, Root: root, Note: read})
	})
}

// anchors are those of the configuration.
func (s *session) anchors() (out []audit.Anchor) {
	return s.config.Anchor.anchors(s.client)
}

func (c anchorConfig) anchors(client *cloud.Client) (out []audit.Anchor) {
	for _, b := range c.S3 {
		out = append(out, bucketAnchor{client.LockedBucket(b.Bucket, b.Owner, b.Region, b.Prefix), b.name()})
	}
	return out
}

// anchored makes what signs and anchors the log. Where each write waits for it, the anchors are
// checked first: a bucket that would not keep anything must not count as one.
func (s *session) anchored(ctx context.Context, log *slog.Logger) error {
	list := s.anchors()
	s.anchoring = engine.NewAnchoring(s.log, 0, list...)
	for _, a := range list {
		says, weak, err := a.Check(ctx)
		switch {
		case errors.Is(err, audit.ErrNotKept) && s.config.Anchor.BeforeWrites:
			return usage("anchor %s: %w", a.Name(), err)
		case err != nil && log != nil: // asked again before anything counts as anchored
			log.ErrorContext(ctx, "the audit log is not anchored", "anchor", a.Name(), "err", err)
		case weak && log != nil:
			log.WarnContext(ctx, "the anchor of the audit log is weak", "anchor", a.Name(), "why", says)
		}
	}
	return nil
}

// beforeWrites is what each write waits for, or nil.
func (s *session) beforeWrites() *engine.Anchoring {
	if !s.config.Anchor.BeforeWrites {
		return nil
	}
	return s.anchoring
}

// anchorNow anchors what is signed, and raises an alarm where it cannot. An error is one after which
// nothing may go on.
func (s *session) anchorNow(ctx context.Context, log *slog.Logger) error {
	if s.anchoring == nil || len(s.anchoring.Anchors()) == 0 {
		return nil
	}
	err := s.anchoring.Anchor(ctx)
	switch {
	case errors.Is(err, audit.ErrFork), errors.Is(err, audit.ErrSignature):
		return err
	case err == nil:
		s.alarmEnded(ctx, log, unanchoredAlarm)
	case ctx.Err() == nil:
		log.ErrorContext(ctx, "the audit log could not be anchored; trying again", "err", err)
		why := strings.TrimSuffix(plainError(ctx, err), ".") + ". Whoever holds the database and the key could change unnoticed what was recorded since."
		if s.config.Anchor.BeforeWrites {
			why += " Nothing is fixed meanwhile; what is to be taken back is."
		}
		s.alarm(ctx, log, dera.Alarm{Key: unanchoredAlarm, Severity: dera.High, Title: "The audit log cannot be anchored", Why: why})
	}
	return nil
}

// compareAnchors holds the audit log against what every anchor has of it.
func (s *session) compareAnchors(ctx context.Context) (out []audit.Compared, err error) {
	if err := s.recall(ctx, true); err != nil {
		return nil, err
	}
	if !s.config.Anchor.on() {
		return nil, usage("--anchor: the configuration has no anchor; write anchor.s3")
	}
	client, err := cloud.New(ctx, cloud.Config{Profile: s.app.flags.profile, Now: s.app.now, Observe: calls(s.app.askedLog())})
	if err != nil {
		return nil, orProfile(err)
	}
	for _, a := range s.config.Anchor.anchors(client) {
		c, err := audit.Compare(ctx, s.store, s.log.PublicKey, a)
		if err != nil {
			return nil, &exitError{exitUndecided, err}
		}
		out = append(out, c)
	}
	return out, nil
}
