package soc2

import (
	_ "embed"
	"fmt"
	"html"
	"slices"
	"strings"

	"dera.example/dera/app"
	"dera.example/dera/audit"
)

// readme says how to verify the pack, with dera and by hand.
//
//go:embed verify.md
var readme string

// style is that of the page: it loads nothing.
const style = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;border-bottom:1px solid #8888;text-align:left;vertical-align:top}td.n,th.n{text-align:right}
@media print{body{font-size:10pt;max-width:none}thead{display:table-header-group}tr{break-inside:avoid}h2{break-after:avoid}}`

// page is the pack for people. Every text is escaped, and none can steer what shows it.
func page(i Index, t Table, controls []Control, c audit.Checkpoint, version string) []byte {
	var b strings.Builder
	esc := func(s string) string { return html.EscapeString(app.Plain(s)) }
	write := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	write("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
	write("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>SOC 2 evidence pack</title><style>%s</style></head><body>\n", style)
	write("<h1>SOC 2 evidence pack</h1>\n<p>From %s until %s. Made with dera %s from the first %d records of the log %s, checkpoint of %s with the root <code>%s</code>.</p>\n",
		stamp(i.Since), stamp(i.Until), esc(version), i.Records, esc(c.Origin), stamp(c.Time), esc(i.Root))
	write("<p>%s</p>\n<p>Verify it before you rely on it: <a href=\"VERIFY.md\">VERIFY.md</a>.</p>\n", esc(t.Source))
	write("<table><thead><tr><th>Criterion</th><th>About</th><th class=\"n\">Controls</th><th class=\"n\">Findings</th><th class=\"n\">Remediations</th><th class=\"n\">Sampled</th><th>Files</th></tr></thead><tbody>\n")
	for _, x := range i.Criteria {
		id := esc(x.ID)
		write("<tr><th><a href=\"#%s\">%s</a></th><td>%s</td><td class=\"n\">%d</td><td class=\"n\">%d</td><td class=\"n\">%d</td><td class=\"n\">%d</td><td><a href=\"%s/findings.csv\">findings</a> <a href=\"%s/remediations.csv\">remediations</a> <a href=\"%s/sample.json\">sample</a></td></tr>\n",
			id, id, esc(x.About), len(x.Controls), x.Findings, x.Remediations, x.Sampled, id, id, id)
	}
	write("</tbody></table>\n<h2>The sample</h2>\n<p>%s At most %d of each are sampled. Seed of the auditor: %s.</p>\n", esc(i.Method), i.Sample, esc(or(i.Seed, "none was given")))
	write("<p>The population has each finding and each remediation with a record in the period, or open when it began. The records of each that was sampled are in <code>records</code>, whenever they were written, with a proof that the checkpoint covers them.</p>\n")
	for _, x := range i.Criteria {
		write("<h2 id=\"%s\">%s: %s</h2>\n<p>Its controls: %s.</p>\n<table><thead><tr><th>Control</th><th>Why</th><th>Fix</th><th>Owner</th><th>Review by</th></tr></thead><tbody>\n", esc(x.ID), esc(x.ID), esc(x.About), esc(x.Because))
		for _, ctl := range controls {
			if slices.Contains(ctl.Criteria, x.ID) {
				write("<tr><th>%s<br><code>%s</code></th><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", esc(ctl.Title), esc(ctl.ID), esc(ctl.Why), esc(ctl.Fix), esc(ctl.Owner), esc(ctl.ReviewBy))
			}
		}
		write("</tbody></table>\n")
	}
	if len(i.Unmapped) > 0 {
		write("<h2>Not in this pack</h2>\n<p>Controls with findings in the period that speak to none of these criteria: %s. The log has them.</p>\n", esc(strings.Join(i.Unmapped, ", ")))
	}
	write("</body></html>\n")
	return []byte(b.String())
}
