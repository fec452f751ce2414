package main

import (
	"fmt"

	"dera.example/dera"
	"dera.example/dera/app"
)

// scanTable is the findings of a scan, which shows their plans below.
func scanTable(p paint, list []app.FindingView) table {
	t := table{
		head:   []string{"ID", "SEVERITY", "DECISION", "STATE", "WHERE", "RESOURCE", "FINDING"},
		merged: [][]int{{0}, {1}, {2}, {3}, {5, 4}, {6}},
		card:   [][]int{{0}, {1, 2, 3}, {5, 4}, {6}},
	}
	for _, f := range list {
		t.row(f.ID, p.severity(f.Severity), p.disposition(f.Disposition), stateCell(p, f), f.Account+" "+f.Region, app.Plain(app.ResourceText(f.Finding)), app.Plain(f.Title))
	}
	return t
}

// findingTable is what is known of findings, with their plans and owners.
func findingTable(p paint, list []app.FindingView) table {
	t := table{
		head:   []string{"ID", "SEVERITY", "DECISION", "STATE", "REMEDIATION", "WHERE", "OWNER", "RESOURCE", "FINDING"},
		merged: [][]int{{0, 4}, {1}, {2}, {3}, {7, 5, 6}, {8}},
		card:   [][]int{{0}, {1, 2, 3}, {7, 5}, {8}, {4, 6}},
		named:  []int{4, 6},
	}
	for _, f := range list {
		rem := "-"
		if f.Plan != nil {
			rem = f.Plan.Remediation + " " + p.state(f.Plan.State)
		}
		t.row(f.ID, p.severity(f.Severity), p.disposition(f.Disposition), stateCell(p, f), rem, f.Account+" "+f.Region,
			app.Plain(ownerCell(f.Finding)), app.Plain(app.ResourceText(f.Finding)), app.Plain(f.Title))
	}
	return t
}

// ownerCell is the owner in short: of an ARN its name.
func ownerCell(f dera.Finding) string {
	if name := dera.ARN(f.Owner).Name(); name != "" {
		return name
	}
	if f.Owner == "" {
		return "-"
	}
	return f.Owner
}

// countsText is how many findings there are, by severity and decision, those whose
// state is unknown apart, and how many are resolved.
func countsText(list []app.FindingView) string {
	bySeverity, byDisposition, resolved, unknown := map[dera.Severity]int{}, map[dera.Disposition]int{}, 0, 0
	for _, f := range list {
		if f.State == dera.FindingResolved {
			resolved++
			continue
		}
		bySeverity[f.Severity]++
		if f.State == dera.FindingUnknown {
			unknown++
			continue
		}
		byDisposition[f.Disposition]++
	}
	text := fmt.Sprintf("%s: %d critical, %d high, %d medium, %d low; %d auto, %d review, %d alert, %d exempt", counted(len(list)-resolved, "finding"),
		bySeverity[dera.Critical], bySeverity[dera.High], bySeverity[dera.Medium], bySeverity[dera.Low],
		byDisposition[dera.Auto], byDisposition[dera.Review], byDisposition[dera.Alert], byDisposition[dera.Exempt])
	if unknown > 0 {
		text += fmt.Sprintf(", %d unknown", unknown)
	}
	if resolved > 0 {
		text += fmt.Sprintf("; %d resolved", resolved)
	}
	return text
}
