package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/app/export"
	"dera.example/dera/services"
)

// formats names the annotation of a command that takes more forms than table and
// json for --output.
const formats = "dera-formats"

// withFormats lets the command take these forms.
func withFormats(cmd *cobra.Command, list ...string) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[formats] = strings.Join(list, " ")
	return cmd
}

func formatsOf(cmd *cobra.Command) []string {
	if list := cmd.Annotations[formats]; list != "" {
		return strings.Fields(list)
	}
	return []string{"table", "json"}
}

// checkFormat refuses a form that the command does not write, and says which ones
// do.
func (a *cli) checkFormat(cmd *cobra.Command) error {
	form, takes := a.flags.output, formatsOf(cmd)
	if slices.Contains(takes, form) {
		return nil
	}
	want := strings.Join(takes[:len(takes)-1], ", ") + " or " + takes[len(takes)-1]
	var others []string
	for _, c := range everyCommand(cmd.Root()) {
		if slices.Contains(formatsOf(c), form) {
			others = append(others, c.CommandPath())
		}
	}
	if len(others) > 0 {
		return usage("%s is %q, which only %s can write; %s takes %s", a.source("output"), form, strings.Join(others, " and "), cmd.CommandPath(), want)
	}
	return usage("%s is %q, must be %s", a.source("output"), form, want)
}

func everyCommand(cmd *cobra.Command) (out []*cobra.Command) {
	for _, c := range cmd.Commands() {
		out = append(append(out, c), everyCommand(c)...)
	}
	return out
}

// reportFormats are those of a report of findings.
func reportFormats() []string {
	return []string{"table", "json", "csv", "sarif", "html", "junit", "asff", "ocsf"}
}

// writeReport writes a report of findings for other programs.
func (a *cli) writeReport(r app.ScanReport) error {
	out := export.Report{ScanReport: r, Controls: services.Controls(), Version: version, At: a.now()}
	switch a.flags.output {
	case "csv":
		return export.CSV(a.out, out)
	case "sarif":
		return export.SARIF(a.out, out)
	case "html":
		return export.HTML(a.out, out)
	case "junit":
		return export.JUnit(a.out, out)
	case "asff":
		return export.ASFF(a.out, out)
	case "ocsf":
		return export.OCSF(a.out, out)
	}
	return usage("--output is %q, which no report is written in", a.flags.output)
}
