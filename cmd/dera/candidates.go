package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
)

func newReportCommand(a *cli) *cobra.Command {
	var list, analyzer bool
	var out string
	var only []string
	var file outputFile
	var span periodFlags
	cmd := &cobra.Command{
		Use:   "report [--since 90d] [--until TIME] | --candidates | --access-analyzer",
		Short: "Show the overview, and how effective a period was",
		Long: "report shows what is open by severity and decision, what waits for a person, what was fixed, rolled back or failed\n" +
			"in the last 7 and 30 days, exemptions that expire soon, what is not read, and the accounts with the most critical\n" +
			"findings; and for a period, the last 90 days unless --since and --until say others, how effective it was: time to\n" +
			"remediate, what was closed without a person, rollbacks, false positives, exemptions and reviews of controls that are\n" +
			"due, and what was opened again another way within 30 days after a fix. With --output html it is one page, with\n" +
			"pictures, that prints.\n\n" +
			"report --candidates reads what was found and decided since the first look, and says for each control in each\n" +
			"account what it would have done automatically, what it would have asked about or left unchanged, and which guardrails were\n" +
			"against it. Switching a control on is one reviewed line of the configuration; the report prints it.\n\n" +
			"--exemptions-out writes exemptions for what is meant to stay, for a pull request: a person rejected its plan or\n" +
			"rolled its fix back, a dependency or a tag declares it, it was opened again after a fix, or it looks intentional and\n" +
			"was open all through the observation. Each entry names its sign. The reasons are blank: dera exemptions check\n" +
			"refuses the list until a person has filled them in.\n\n" +
			"report --access-analyzer reads the findings of IAM Access Analyzer from AWS, and shows them beside what dera has on\n" +
			"the same resources: which are open in both, which dera fixed since Access Analyzer looked, and which stay open by its\n" +
			"definition. Exit codes: 0 nothing is open there, 3 something is, 4 something could not be read.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			of, err := a.periodOf(span)
			if err != nil {
				return err
			}
			if (analyzer || list) && (span != periodFlags{} || file != "" || a.flags.output == "html") {
				return usage("--since, --until, --output-file and --output html belong to the overview: leave out --candidates and --access-analyzer")
			}
			if analyzer {
				if list || out != "" || len(only) > 0 {
					return usage("--access-analyzer stands alone")
				}
				return a.stored(cmd.Context(), a.sideBySide)
			}
			if !list {
				if out != "" || len(only) > 0 {
					return usage("--exemptions-out and --finding belong to report --candidates")
				}
				if err := file.check(a); err != nil {
					return err
				}
				return a.stored(cmd.Context(), func(ctx context.Context, s *session) error {
					return a.answer(file, func() error { return a.overview(ctx, s, of) })
				})
			}
			if err := a.writable("--exemptions-out", out); err != nil {
				return err
			}
			return a.stored(cmd.Context(), func(ctx context.Context, s *session) error { return a.candidates(ctx, s, out, only) })
		},
	}
	cmd.Flags().BoolVar(&list, "candidates", false, "what would have been fixed by control and account")
	cmd.Flags().BoolVar(&analyzer, "access-analyzer", false, "the findings of IAM Access Analyzer beside those of dera")
	cmd.Flags().StringVar(&out, "exemptions-out", "", "new file for exemptions of the open findings that are meant to stay, by a sign that each entry names")
	cmd.Flags().StringSliceVar(&only, "finding", nil, "with --exemptions-out: these findings instead")
	span.flags(cmd.Flags())
	file.flag(cmd.Flags())
	return withFormats(cmd, "table", "json", "html")
}

func (a *cli) candidates(ctx context.Context, s *session, out string, only []string) error {
	if len(only) > 0 && out == "" {
		return usage("--finding chooses what goes into --exemptions-out FILE")
	}
	if err := s.recall(ctx, true); err != nil {
		return err
	}
	report, findings, err := app.Candidates{Store: s.store, Accounts: s.config.accounts(), Mode: s.mode, Observation: s.observation(), Now: a.now}.Report(ctx)
	if err != nil {
		return err
	}
	if report.Unrecorded, err = s.neverRecorded(ctx); err != nil {
		return err
	}
	if out != "" {
		for i := range only {
			if only[i], err = s.recorded(ctx, only[i]); err != nil {
				return usage("--finding: %w", err)
			}
		}
		chosen, missing := report.Choose(findings, only)
		if len(missing) > 0 {
			return usage("--finding: there is no finding %s; dera findings --all lists what there is", missing[0])
		}
		if report.Exemptions, err = s.propose(report, chosen, out); err != nil {
			return err
		}
	}
	if err := a.alertUnread(ctx, s); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(report)
	}
	a.printCandidates(report)
	return nil
}

// propose writes the list as a new file, and the text of its pull request.
func (s *session) propose(report app.CandidateReport, list []dera.Finding, path string) (*app.Proposal, error) {
	lines := []string{"version: 1"}
	if len(list) == 0 {
		lines = append(lines, "exemptions: []")
	} else {
		lines = append(lines, "exemptions:")
	}
	w := &app.Proposal{File: path, Entries: len(list), Title: "Exempt " + counted(len(list), "finding") + " from dera"}
	w.Body = []string{"Each entry needs a reason and an owner from a person; `dera exemptions check` refuses the list without.", ""}
	for _, f := range list {
		meant := report.Meant(f.ID)
		if meant == "" {
			meant = "named on the command line"
		}
		lines = append(lines, "  # "+f.Title+": "+app.ResourceText(f), "  # sign that it is meant: "+meant)
		lines = append(lines, app.ExemptionEntry(f, s.app.now())...)
		w.Body = append(w.Body, fmt.Sprintf("- %s %s: %s. Sign that it is meant: %s", f.ID, f.Resource, f.Title, meant))
	}
	w.ToDecide = report.ToDecide()
	if n := len(w.ToDecide); n > 0 {
		w.Body = append(w.Body, "", fmt.Sprintf("To decide: %d findings without a sign that they are meant to stay. No exemption is proposed for them; `dera waiting` and `dera findings` list them.", n))
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, usage("--exemptions-out: %s is there already; a new file is wanted, so that no entry is lost", path)
	}
	if err != nil {
		return nil, fmt.Errorf("write the exemptions: %w", err)
	}
	_, err = file.WriteString(oneLineEach(lines))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("write the exemptions: %w", err)
	}
	target := path
	w.Commands = []string{"git switch -c dera-exemptions-" + s.app.now().UTC().Format(time.DateOnly)}
	if current := s.exemptionList(); current != "" {
		target = current
		w.Commands = append(w.Commands, fmt.Sprintf("tail -n +3 %s >> %s", shellWord(path), shellWord(current)))
	}
	w.Commands = append(w.Commands, "$EDITOR "+shellWord(target), "dera exemptions check "+shellWord(target),
		"git add "+shellWord(target), "git commit -m "+shellWord(w.Title), "git push -u origin HEAD")
	return w, nil
}

// oneLineEach joins lines; what breaks or steers a line goes.
func oneLineEach(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.Map(func(c rune) rune {
			if !strconv.IsPrint(c) {
				return ' '
			}
			return c
		}, l) + "\n")
	}
	return b.String()
}

// shellWord quotes a text for a shell.
func shellWord(s string) string {
	if s != "" && strings.IndexFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("/._-", c))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (a *cli) printCandidates(r app.CandidateReport) {
	p := newPaint(a.out)
	width, _ := terminal(a.out)
	if len(r.Candidates) == 0 {
		a.printf("nothing was found yet\n")
	}
	t := table{head: []string{"CONTROL", "ACCOUNT", "MODE", "OBSERVED", "WOULD FIX", "ASK", "REPORT", "EXEMPT", "FIXED", "FIRST SEEN", "LAST SEEN"},
		merged: [][]int{{0}, {1, 2}, {3}, {4}, {5}, {6}, {7}, {8}, {9, 10}}}
	for _, c := range r.Candidates {
		t.row(c.Control, c.Account, c.Mode.String(), observed(c), strconv.Itoa(c.WouldFix), strconv.Itoa(c.WouldAsk+c.Unknown), strconv.Itoa(c.Reported),
			strconv.Itoa(c.Exempt), strconv.Itoa(c.Fixed), c.First.UTC().Format(time.DateOnly), c.Last.UTC().Format(time.DateOnly))
	}
	if len(t.rows) > 0 {
		t.print(a.out)
	}
	for _, c := range r.Candidates {
		a.printf("\n%s in %s\n", p.bold(c.Control), c.Account)
		for _, f := range c.Findings {
			if f.Would == "fix" {
				a.printf("%s\n", wrap(fmt.Sprintf("would fix %s %s: %s", f.ID, f.Resource.Name(), f.Title), "  ", width))
			}
		}
		for _, f := range c.Findings {
			if f.Meant != "" {
				a.printf("%s\n", wrap(fmt.Sprintf("meant to stay, perhaps: %s %s: %s. Sign: %s", f.ID, f.Resource.Name(), f.Title, f.Meant), "  ", width))
			}
		}
		for _, x := range c.Passing {
			a.printf("%s\n", wrap(fmt.Sprintf("%d held back for now (%s), for example: %s", x.Count, x.Guardrail, x.Why), "  ", width))
		}
		for _, x := range c.Refused {
			a.printf("%s\n", wrap(fmt.Sprintf("%d would not be fixed (%s), for example: %s", x.Count, x.Guardrail, x.Why), "  ", width))
		}
		if i := slices.IndexFunc(c.Findings, func(f app.CandidateFinding) bool { return f.Would == "unknown" }); i >= 0 {
			a.printf("%s\n", wrap(fmt.Sprintf("%d cannot be judged, for example %s %s: %s", c.Unknown, c.Findings[i].ID, c.Findings[i].Resource.Name(), c.Findings[i].Why), "  ", width))
		}
		if c.Mode != dera.Enforce {
			a.printf("  to switch it on, add this line to modes in the configuration:\n  %s\n", c.SwitchOn)
		}
	}
	for _, account := range slices.Sorted(maps.Keys(r.Hidden)) {
		a.printf("\n%d more findings in %s are hidden by network.allow\n", r.Hidden[account], account)
	}
	if len(r.ExemptBy) > 0 {
		a.printf("\nexempt: %s\n", strings.Join(r.ExemptBy, ", "))
	}
	a.printPrivileges(p, r.Privileges)
	if len(r.Unrecorded) > 0 {
		a.printf("\n%s\n", wrap(fmt.Sprintf("%s nothing is recorded of use in %s, so no permission there is judged as unused: %s",
			p.bold("least privilege"), strings.Join(r.Unrecorded, ", "), howToRecord), "", width))
	}
	if list := r.ToDecide(); len(list) > 0 {
		a.printf("\n%s\n", p.bold("to decide, without a sign that it is meant to stay"))
		for _, f := range list {
			a.printf("%s\n", wrap(fmt.Sprintf("%s %s: %s", f.ID, f.Resource.Name(), f.Title), "  ", width))
		}
	}
	if w := r.Exemptions; w != nil {
		a.printf("\n%s with %s; a person fills in what is blank\n", p.bold(w.File), entries(w.Entries))
		for _, line := range w.Commands {
			a.printf("  %s\n", line)
		}
		a.printf("\n%s\n", w.Title)
		for _, line := range w.Body {
			a.printf("%s\n", line)
		}
	}
}

// observed says how far the observation is.
func observed(c app.Candidate) string {
	switch {
	case c.Since == nil:
		return "not yet"
	case c.Over:
		return "since " + c.Since.UTC().Format(time.DateOnly)
	}
	return "until " + c.Until.UTC().Format(time.DateOnly)
}

// entries counts the entries of an exemption list.
func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}
