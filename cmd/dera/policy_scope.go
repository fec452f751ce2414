package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"dera.example/dera/iam/catalog"
	"dera.example/dera/iam/proof"
	"dera.example/dera/iam/reason"
	"dera.example/dera/iam/scope"
)

// scopeFlags are those of dera policy scope.
type scopeFlags struct {
	used, beside, keep []string
	days               int
	dataEvents         bool
	neverUsed          bool
	limit              int
	certificate        string
}

func newPolicyScopeCommand(a *cli) *cobra.Command {
	var f scopeFlags
	cmd := &cobra.Command{
		Use:   "scope POLICY --used FILE",
		Short: "Narrow a policy to what is used, with proof that nothing else changes",
		Long: "Narrow a policy to what is used, with proof that nothing else changes. The new document goes to standard\n" +
			"output, the reasons to standard error; --output json gives document, diff, reasons and evidence.\n\n" +
			"The file of --used has one action a line; # begins a comment, and \"? SERVICE\" says that there were events\n" +
			"of a service that were not understood, by its prefix or source of events; \"! GAP\" says that the record has\n" +
			"a gap. Give one file for each principal that the policy is attached to. What no source shows to be unused\n" +
			"stays: see docs/least-privilege.md.\n\n" +
			"Exit code 0: narrowed and proved. 3: nothing to do, or a person must do it. 4: not proved.",
		Example: "  dera policy scope role.json --used used.txt --days 90 --certificate evidence.json > narrow.json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if len(f.used) == 0 {
				return usage("--used is missing: the file with the actions that were used")
			}
			if f.days < 0 || f.limit < 0 {
				return usage("--days and --limit take no negative numbers")
			}
			return scopePolicy(cmd.Context(), a, paths[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.used, "used", nil, "file with the actions that one principal used")
	flags.StringArrayVar(&f.beside, "beside", nil, "another policy that is attached to the principal")
	flags.StringArrayVar(&f.keep, "keep", nil, "entry, as in an Action list, of what must stay")
	flags.IntVar(&f.days, "days", 0, "for how many days use was watched; from 365 on, actions for emergencies may be removed")
	flags.BoolVar(&f.dataEvents, "data-events", false, "data events were recorded for all resources all that time")
	flags.BoolVar(&f.neverUsed, "never-used", false, "confirm that the empty list is intended: the principal never used anything")
	flags.IntVar(&f.limit, "limit", 0, "largest size of a document (default: that of a managed policy, 6144)")
	flags.StringVar(&f.certificate, "certificate", "", "write the evidence to this file")
	return cmd
}

// scopeJSON is the answer of dera policy scope.
type scopeJSON struct {
	Outcome     string                 `json:"outcome"`
	Why         string                 `json:"why,omitempty"`
	Documents   []string               `json:"documents"`
	Diff        string                 `json:"diff"`
	Reasons     []scope.Reason         `json:"reasons"`
	Kept        []string               `json:"kept"`
	Removed     []string               `json:"removed"`
	Unused      []scope.Unused         `json:"unused,omitempty"`
	Broad       []string               `json:"broad,omitempty"`
	Size        int                    `json:"size,omitempty"`
	Limit       int                    `json:"limit,omitempty"`
	Catalogue   string                 `json:"catalogue"`
	Verdict     string                 `json:"verdict,omitempty"`
	Claims      map[string]verdictJSON `json:"claims,omitempty"`
	Certificate string                 `json:"certificate,omitempty"`
}

func scopePolicy(ctx context.Context, a *cli, path string, f scopeFlags) error {
	if err := a.writable("--certificate", f.certificate, slices.Concat([]string{path}, f.used, f.beside)...); err != nil {
		return err
	}
	files, err := readPolicies(a, append([]string{path}, f.beside...))
	if err != nil {
		return err
	}
	c, err := openCatalogue(a)
	if err != nil {
		return err
	}
	in := scope.Input{Policy: files[0].doc, Catalogue: c, Keep: f.keep, Limit: f.limit}
	for _, beside := range files[1:] {
		in.Beside = append(in.Beside, beside.doc)
	}
	if f.dataEvents {
		in.DataEvents = func(string) bool { return true }
	}
	record := sha256.New()
	to := a.now().UTC()
	for _, name := range f.used {
		u, err := readUsage(name)
		if err != nil {
			return err
		}
		if len(u.Actions)+len(u.Unclear) == 0 && !f.neverUsed {
			return usage("%s lists no action: an empty list would take everything away; --never-used says that it is meant", name)
		}
		if f.days, to, err = u.window(f.days, to); err != nil {
			return usage("%s: %w", name, err)
		}
		in.Usage = append(in.Usage, u.Usage)
		record.Write(u.text) // never fails
	}
	if f.days == 0 && !f.neverUsed {
		return usage("--days is missing: for how long use was watched; --never-used says that nothing was ever used, whatever the window")
	}
	in.Window = time.Duration(f.days) * 24 * time.Hour
	r, err := scope.Narrow(in)
	if err != nil {
		return err
	}
	out := scopeJSON{
		Outcome: r.Outcome.String(), Why: r.Why, Reasons: r.Reasons, Kept: r.Kept, Removed: r.Removed,
		Unused: r.Unused, Broad: r.Broad, Size: r.Size, Limit: r.Limit, Catalogue: c.Version(), Documents: []string{},
	}
	for _, d := range r.Documents {
		out.Documents = append(out.Documents, d.Text())
	}
	if r.Outcome != scope.Narrowed && r.Outcome != scope.Detach {
		return finishScope(a, files[0], out, &exitError{code: exitNo})
	}
	out.Diff = udiff.Unified(files[0].name, "narrowed", files[0].doc.Text(), strings.Join(out.Documents, "\n"))
	e := proof.Prove(ctx, proof.Change{
		Old: reason.Policies{files[0].doc}, New: r.Documents, Beside: in.Beside, Kept: r.Kept, Removed: r.Removed,
		Unused: proof.UseOf(in),
	}, reason.Config{}).Confirm()
	out.Verdict, out.Claims = e.Verdict().String(), claimsJSON(e)
	var exit error
	switch {
	case e.Automatic() && f.certificate != "":
		origin := proof.Origin{Catalogue: c.Version(), Events: hex.EncodeToString(record.Sum(nil))}
		if f.days > 0 {
			origin.From, origin.To = to.AddDate(0, 0, -f.days).Format(time.RFC3339), to.Format(time.RFC3339)
		}
		exit = writeCertificate(f.certificate, e, origin)
		out.Certificate = f.certificate
	case !e.Automatic():
		exit = &exitError{code: exitUndecided, err: errors.New("not everything is proved: a person must review this change")}
	}
	return finishScope(a, files[0], out, exit)
}

// claimsJSON names the answers of the evidence. For what is less, refuted is
// what is wanted: the witness is the request that is not allowed any more.
func claimsJSON(e proof.Evidence) map[string]verdictJSON {
	out := map[string]verdictJSON{"nothing-new": newVerdictJSON(e.NothingNew), "less": newVerdictJSON(e.Less)}
	for name, answer := range map[string]*reason.Answer{
		"nothing-new-alone": e.NothingNewAlone, "nothing-lost": e.NothingLost, "gone": e.Gone,
	} {
		if answer != nil {
			out[name] = newVerdictJSON(*answer)
		}
	}
	return out
}

// finishScope prints the answer and returns the exit code.
func finishScope(a *cli, f policyFile, out scopeJSON, exit error) error {
	if a.json() {
		return errors.Join(a.printJSON(out), exit)
	}
	var failed *exitError
	undecided := errors.As(exit, &failed) && failed.code == exitUndecided
	if out.Outcome == scope.Narrowed.String() && !undecided {
		for _, text := range out.Documents {
			a.printf("%s\n", strings.TrimSuffix(text, "\n"))
		}
	}
	for _, r := range out.Reasons {
		a.note("%s: %s %s\n", f.where(r.Statement), r.Entry, r.Fate)
		for _, why := range r.Why {
			a.note("  %s\n", why)
		}
	}
	switch out.Outcome {
	case scope.Refused.String():
		a.note("refused: %s\n", out.Why)
	case scope.Nothing.String():
		a.note("nothing to do: everything that %s allows stays\n", f.name)
	case scope.Detach.String():
		a.note("detach: nothing of %s is left; detaching it can be undone\n", f.name)
	default:
		a.note("narrowed: %d actions kept\n", len(out.Kept))
	}
	for _, s := range out.Broad {
		a.note("service-level only: %s stays as a whole, because the list would not fit\n", s)
	}
	if w := out.Claims["less"].Witness; w != nil && !undecided {
		a.note("proved: nothing new is granted, nothing that is kept is lost, everything else is removed; for example, %s on %s is no longer allowed\n", w.Action, w.Resource)
	}
	return exit
}

// catalogueFile is what dera catalog update writes into the data folder.
const catalogueFile = "catalogue.bin"

// openCatalogue returns the catalogue of the data folder, or else the one that
// the program carries.
func openCatalogue(a *cli) (*catalog.Catalog, error) {
	data, err := os.ReadFile(filepath.Join(a.flags.data, catalogueFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return catalog.Embedded(), nil
	case err != nil:
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	c, err := catalog.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("read catalogue %s: %w", filepath.Join(a.flags.data, catalogueFile), err)
	}
	return c, nil
}
