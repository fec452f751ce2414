package export

import (
	"encoding/csv"
	"io"
	"strings"

	"dera.example/dera/app"
)

// CSV writes a head and a row for each finding (RFC 4180). A cell that a
// spreadsheet could take for a formula begins with an apostrophe: one that begins
// with = + - @, their full-width forms, or a tab. Stops, half-done work and places
// that were not read have no rows.
func CSV(w io.Writer, r Report) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	rows := [][]string{{
		"id", "severity", "decision", "state", "control", "account", "region", "resource_type", "resource", "resource_name", "key",
		"title", "why", "exempt_why", "owner", "remediation", "remediation_state", "first_seen", "last_seen", "resolved_at", "not_read_since",
	}}
	for _, f := range r.Findings {
		row := []string{
			f.ID, f.Severity.String(), f.Disposition.String(), string(f.State), f.Control, f.Account, f.Region, f.ResourceType, string(f.Resource), f.ResourceName, f.Key,
			f.Title, f.Why, "", f.Owner, "", "", stamp(f.FirstSeen), stamp(f.LastSeen), "", "",
		}
		if exempt(f) {
			row[13] = exemptWhy(f.Finding)
		}
		if f.Plan != nil {
			row[15], row[16] = f.Plan.Remediation, string(f.Plan.State)
		}
		if f.ResolvedAt != nil {
			row[19] = stamp(*f.ResolvedAt)
		}
		if f.NotRead != nil {
			row[20] = stamp(*f.NotRead)
		}
		for i := range row {
			row[i] = cell(row[i])
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// cell is text that no spreadsheet takes for a formula.
func cell(s string) string {
	s = app.PlainLines(s)
	first := strings.TrimLeft(s, " \n\u00a0\ufffd\"'")
	if s != "" && (s[0] == '\t' || s[0] == '\n') || first != "" && strings.ContainsAny(string([]rune(first)[0]), "=+-@\t＝＋－＠") {
		return "'" + s
	}
	return s
}

// Cell is text that no spreadsheet takes for a formula.
func Cell(s string) string { return cell(s) }
