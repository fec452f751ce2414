package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	"dera.example/dera/services"
	"dera.example/dera/store"
)

func newIncidentCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incident",
		Short: "Incidents that explain the use of emergency roles and of the root user",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var reference, reason string
	attach := &cobra.Command{
		Use:   "attach FINDING --reference REFERENCE [--reason TEXT]",
		Short: "Attach an incident to a finding about use, which resolves it",
		Long: "attach records which incident explains the use that a finding is about, up to the last use that the finding shows,\n" +
			"and looks at the resource again. Use that comes later opens the finding again. Who attaches it is the identity of\n" +
			"the AWS credentials. Only findings about use take an incident:\n" + strings.Join(incidentControls(), ", ") + ".\n\n" +
			"Exit codes: 0 attached and resolved, 3 refused, or there is later use already.",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, list []string) error {
			var err error
			if reference, err = flagText("reference", reference, dera.LongestReference); err != nil {
				return err
			}
			if reference == "" {
				return usage("--reference is required: what names the incident, such as the number of its ticket")
			}
			if reason, err = flagText("reason", reason, dera.LongestReason); err != nil {
				return err
			}
			return a.acting(cmd.Context(), func(ctx context.Context, s *session) error {
				return a.attach(ctx, s, list[0], reference, reason)
			})
		},
	}
	attach.Flags().StringVar(&reference, "reference", "", "what names the incident, such as the number of its ticket; it is recorded")
	attach.Flags().StringVar(&reason, "reason", "", "why; it is recorded")
	cmd.AddCommand(attach, &cobra.Command{
		Use: "list", Short: "List the incidents that were attached", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.stored(cmd.Context(), a.listIncidents) },
	})
	return cmd
}

// incidentControls are the controls whose findings take an incident.
func incidentControls() (out []string) {
	for _, c := range services.Controls() {
		if c.Incident {
			out = append(out, c.ID)
		}
	}
	return out
}

// flagText is the text of a flag in one line, without what a terminal would not show.
func flagText(flag, text string, most int) (string, error) {
	if !utf8.ValidString(text) {
		return "", usage("--%s is not UTF-8", flag)
	}
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)), " ")
	if n := utf8.RuneCountInString(text); n > most {
		return "", usage("--%s has %d characters, at most %d are recorded", flag, n, most)
	}
	return text, nil
}

// attachedJSON is what dera incident attach prints with --output json, and incidentsJSON
// what dera incident list does.
type attachedJSON struct {
	Incident dera.Incident     `json:"incident"`
	State    dera.FindingState `json:"state"` // of the finding, after the look that follows
}

type incidentsJSON struct {
	Incidents []dera.Incident `json:"incidents"`
}

func (a *cli) attach(ctx context.Context, s *session, id, reference, reason string) error {
	id, err := s.resolve(ctx, id)
	if err != nil {
		return err
	}
	f, err := s.store.Finding(ctx, id)
	if err != nil {
		return notFound(err)
	}
	if takes := incidentControls(); !slices.Contains(takes, f.Control) {
		return &exitError{exitNo, fmt.Errorf("%s is a finding of %s, which takes no incident; those of these controls do: %s", id, f.Control, strings.Join(takes, ", "))}
	}
	if err := s.inForce(ctx, f.Account, f.ID); err != nil {
		return err
	}
	in, err := s.engine.Attach(ctx, f.ID, reference, reason, s.person())
	if err != nil {
		return orRefused(err)
	}
	ev := dera.Event{
		Source: "incident", Name: "by hand", Actor: s.identity.ARN, Time: a.now(),
		Scope: dera.Scope{Partition: f.Partition, Account: f.Account, Region: f.Region, Type: f.ResourceType, IDs: []string{f.Resource.Name()}},
	}
	if err := s.engine.LookNow(ctx, ev, false); err != nil {
		a.alert("dera: incident %s is attached; the resource could not be read, so the next look resolves the finding: %s\n", in.Reference, cloud.Explain(err))
	}
	if f, err = s.store.Finding(ctx, id); err != nil {
		return err
	}
	switch {
	case a.json():
		if err := a.printJSON(attachedJSON{in, f.State}); err != nil {
			return err
		}
	default:
		a.printf("incident %s is attached to %s, by %s: it covers the use up to %s\n", in.Reference, f.ID, in.By.Name, in.Covers.Text())
		a.printf("%s is %s\n", f.ID, f.State)
	}
	if f.State != dera.FindingResolved {
		return &exitError{code: exitNo}
	}
	return nil
}

func (a *cli) listIncidents(ctx context.Context, s *session) error {
	list, err := s.store.Incidents(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(incidentsJSON{append([]dera.Incident{}, list...)})
	}
	if len(list) == 0 {
		a.printf("no incident was attached\n")
		return nil
	}
	t := table{head: []string{"TIME", "REFERENCE", "FINDING", "RESOURCE", "COVERS", "BY", "REASON"}}
	for _, i := range list {
		t.row(app.Stamp(i.At), i.Reference, i.Finding, string(i.Resource), i.Covers.Text(), i.By.Name, i.Reason)
	}
	t.print(a.out)
	return nil
}

// printIncidents says which incidents were attached to a finding.
func (a *cli) printIncidents(list []dera.Incident, width int) {
	for _, i := range list {
		text := fmt.Sprintf("incident %s: covers the use up to %s; attached %s by %s", i.Reference, i.Covers.Text(), app.Stamp(i.At), i.By.Name)
		if i.Reason != "" {
			text += ": " + i.Reason
		}
		a.printf("%s\n", wrap(text, "  ", width))
	}
}

// incidents tells which use incidents explain, from the database.
type incidents struct{ store *store.Store }

var _ resource.Incidents = incidents{}

// Attached implements resource.Incidents. What several incidents cover counts together, and
// the latest one is named.
func (i incidents) Attached(ctx context.Context, at dera.Scope) (map[dera.ARN]resource.Explained, error) {
	open, err := i.store.OpenIn(ctx, at.Account, at.Region, at.Type)
	if err != nil {
		return nil, err
	}
	attached, err := i.store.IncidentsIn(ctx, at.Account, at.Region, at.Type)
	if err != nil {
		return nil, err
	}
	out := map[dera.ARN]resource.Explained{}
	for _, f := range open {
		if f.Used != nil && f.Partition == at.Partition {
			e := out[f.Resource]
			e.Open = e.Open.With(*f.Used)
			out[f.Resource] = e
		}
	}
	for _, in := range attached {
		if in.Partition == at.Partition {
			e := out[in.Resource]
			e.Covered, e.Reference = e.Covered.With(in.Covers), in.Reference
			out[in.Resource] = e
		}
	}
	return out, nil
}
