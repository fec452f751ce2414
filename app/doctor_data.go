package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dera.example/dera/audit"
	"dera.example/dera/store"
)

// data looks at what lies in the database: the log, stops, jobs, sources.
func (x *examination) data(ctx context.Context) {
	x.says("data", x.Folder, Healthy, "it opens, and the audit log agrees with it", "")
	if x.FolderOpen != nil {
		x.says("data", x.Folder, ToDo, x.FolderOpen.Error(), "chmod 700 "+x.Folder)
	}
	for _, w := range x.Warnings {
		x.says("configuration", "", ToDo, w, "change it by pull request; dera config check says the same")
	}
	for _, c := range []struct {
		name string
		look func(context.Context) error
	}{{"audit log", x.checkpoint}, {"stops", x.stops}, {"jobs", x.jobs}, {"half-done", x.halfDone}, {"hidden findings", x.hidden}, {"messages", x.messages}, {"alarms", x.alarms}, {"findings of others", x.unmapped}} {
		if err := c.look(ctx); err != nil {
			x.says(c.name, "", Unchecked, err.Error(), "")
		}
	}
}

// checkpoint looks how old the last signed checkpoint is.
func (x *examination) checkpoint(ctx context.Context) error {
	size, err := x.Store.LogSize(ctx)
	if err != nil {
		return err
	}
	covered, note, err := x.Store.LastCheckpoint(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound) && size == 0:
		x.says("audit log", "", Healthy, "it is empty", "")
	case errors.Is(err, store.ErrNotFound):
		x.says("audit log", "", ToDo, fmt.Sprintf("%d records, and no checkpoint was signed", size), "dera run signs one each minute, other commands when they end: is it running?")
	case err != nil:
		return err
	default:
		c, err := audit.OpenCheckpoint([]byte(note), x.PublicKey)
		if err != nil {
			return err
		}
		age := x.Now().Sub(c.Time).Truncate(time.Second)
		if behind := size - covered; behind > 0 && age > 10*time.Minute {
			x.says("audit log", "", ToDo, fmt.Sprintf("%d of %d records are newer than the last checkpoint, which is %s old", behind, size, age), "is dera run running? It signs one each minute")
			break
		}
		x.says("audit log", "", Healthy, fmt.Sprintf("%d records; the last checkpoint is %s old", size, age), "")
	}
	x.noAnchor()
	return nil
}

func (x *examination) stops(ctx context.Context) error {
	stops, err := x.Store.Stops(ctx)
	if err != nil {
		return err
	}
	for _, s := range stops {
		where := "everywhere"
		if s.Account+s.Control != "" {
			where = strings.TrimSpace(s.Account + " " + s.Control)
		}
		x.account = s.Account
		x.says("stops", where, ToDo, "dera is stopped: "+s.Reason, "dera resume with the same scope, when it may go on")
	}
	x.account = ""
	if len(stops) == 0 {
		x.says("stops", "", Healthy, "nothing is stopped", "")
	}
	return nil
}

// jobs looks whether someone works: what is due does not wait long.
func (x *examination) jobs(ctx context.Context) error {
	list, err := x.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	var oldest time.Duration
	for _, j := range list {
		if late := x.Now().Sub(j.RunAt); late > oldest && j.LeasedUntil.Before(x.Now()) {
			oldest = late
		}
	}
	if oldest > 10*time.Minute {
		x.says("jobs", "", ToDo, fmt.Sprintf("%d jobs; the oldest has been due for %s", len(list), oldest.Truncate(time.Second)), "start dera run, or look into its log")
		return nil
	}
	x.says("jobs", "", Healthy, fmt.Sprintf("%d jobs, none overdue", len(list)), "")
	return nil
}

// halfDone looks for remediations that were begun and have not ended.
func (x *examination) halfDone(ctx context.Context) error {
	list, err := x.UnderWay(ctx)
	if err != nil {
		return err
	}
	for _, u := range list {
		x.says("half-done", u.Account+" "+u.Resource.Name(), ToDo, fmt.Sprintf("%s is %s since %s: %s", u.Remediation, u.State, Stamp(u.Since), u.Why), u.Command)
	}
	if len(list) == 0 {
		x.says("half-done", "", Healthy, "no remediation is half-done", "")
	}
	return nil
}

// exemptions looks at the list: a broken one stops automation.
func (x *examination) exemptions() {
	path := x.Exemptions
	if path == "" {
		if x.Enforces && !x.NoExemptions {
			x.says("exemptions", "", Broken, "enforce is configured without an exemption choice: dera does not start", "pass --exemptions FILE, or --no-exemptions if there is none")
			return
		}
		x.says("exemptions", "", Healthy, "there is no list", "")
		return
	}
	cfg := x.ExemptionConfig
	cfg.Now = x.Now()
	list, err := cfg.Load(path)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		x.says("exemptions", path, Broken, first, "dera exemptions check "+path)
		return
	}
	for _, w := range list.Warnings {
		line, _, _ := strings.Cut(w.String(), "\n")
		x.says("exemptions", path, ToDo, line, "renew it by pull request, or let it expire")
	}
	if len(list.Warnings) == 0 {
		x.says("exemptions", path, Healthy, "it is valid, and nothing in it expires soon", "")
	}
}
