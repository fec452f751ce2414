package main

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/app/soc2"
	"dera.example/dera/audit"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

// packFlags are those of an evidence pack.
type packFlags struct {
	periodFlags
	soc2   bool
	sample int
	seed   string
}

func (f *packFlags) flags(p *pflag.FlagSet) {
	p.BoolVar(&f.soc2, "soc2", false, "also write an evidence pack for a SOC 2 audit, to DIR/soc2")
	f.periodFlags.flags(p)
	p.IntVar(&f.sample, "sample", soc2.DefaultSample, "with --soc2: how many findings, and how many remediations, are sampled of each criterion")
	p.StringVar(&f.seed, "seed", "", "with --soc2: a text of the auditor's choice, with which the sample is drawn")
}

// mostSample and mostSeed bound what is asked for.
const (
	mostSample = 1000
	mostSeed   = 200
)

func (f *packFlags) check(p *pflag.FlagSet) error {
	if !f.soc2 {
		for _, name := range []string{"since", "until", "sample", "seed"} {
			if p.Changed(name) {
				return usage("--%s belongs to --soc2", name)
			}
		}
		return nil
	}
	if f.sample < 1 || f.sample > mostSample {
		return usage("--sample is %d, must be from 1 to %d", f.sample, mostSample)
	}
	if len(f.seed) > mostSeed || !utf8.ValidString(f.seed) || f.seed != app.Plain(f.seed) {
		return usage("--seed must be one line of text of at most %d bytes", mostSeed)
	}
	return nil
}

// pack makes the evidence pack that was asked for, and records that it is made; nil for none.
func (s *session) pack(ctx context.Context, dir string, f packFlags, of app.Period) (*soc2.Pack, error) {
	if !f.soc2 {
		return nil, nil
	}
	if err := soc2.Free(dir); err != nil {
		return nil, usage("%w", err)
	}
	signed, err := s.log.Sign(ctx)
	if err != nil {
		return nil, err
	}
	p, err := soc2.Make(ctx, s.store, soc2.Config{
		Period: of, Checkpoint: signed, PublicKey: s.log.PublicKey, Controls: services.Controls(), Sample: f.sample, Seed: f.seed, Version: version,
	})
	if err != nil {
		return nil, fmt.Errorf("make the evidence pack: %w", err)
	}
	by, doubt := s.orderedBy(ctx)
	if doubt != "" {
		s.app.note("dera: warning: %s: the pack is recorded without a name\n", doubt)
	}
	named := p.Named()
	return &p, s.store.Commit(ctx, store.Batch{Records: []dera.AuditRecord{{
		Version: 1, Kind: dera.RecordExport, Time: s.app.now().UTC(), Actor: by, Pack: &named,
		Why: fmt.Sprintf("evidence pack from %s until %s, of the first %d records", app.Stamp(of.Since), app.Stamp(of.Until), named.Records),
	}}})
}

// packWrong is what is wrong with the evidence pack of an exported log; "" also where there is none. Of
// a log that is not valid nothing is said.
func packWrong(ctx context.Context, v *soc2.Verification, r audit.Report, key string) (string, error) {
	if v == nil || !r.OK() {
		return "", nil
	}
	wrong, err := v.Conclude(ctx, key)
	if err != nil {
		return "", errors.Join(errors.New("verify the evidence pack"), err)
	}
	return wrong, nil
}

func (a *cli) printPack(out exportedJSON) {
	if out.SOC2 == nil {
		return
	}
	t := table{head: []string{"CRITERION", "CONTROLS", "FINDINGS", "REMEDIATIONS", "SAMPLED"}}
	for _, c := range out.SOC2.Criteria {
		t.row(c.ID, fmt.Sprint(len(c.Controls)), fmt.Sprint(c.Findings), fmt.Sprint(c.Remediations), fmt.Sprint(c.Sampled))
	}
	t.print(a.out)
	a.wrapf("evidence pack in %s/%s, from %s until %s: begin with index.html and VERIFY.md there\n", out.Folder, soc2.Dir, app.Stamp(out.SOC2.Since), app.Stamp(out.SOC2.Until))
}
