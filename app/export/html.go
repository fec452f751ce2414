package export

import (
	"fmt"
	"html"
	"io"
	"strings"

	"dera.example/dera"
	"dera.example/dera/app"
)

// page gathers HTML. What it writes as text is escaped; html/template would do the
// same, and makes the binary 8 MB larger.
type page struct{ strings.Builder }

// mark writes HTML of our own.
func (p *page) mark(s string) { p.WriteString(s) }

// text writes foreign text.
func (p *page) text(s string) { p.WriteString(html.EscapeString(app.Plain(s))) }

// element writes foreign text in an element of our own.
func (p *page) element(tag, s string) {
	name, _, _ := strings.Cut(tag, " ")
	p.mark("<" + tag + ">")
	p.text(s)
	p.mark("</" + name + ">\n")
}

// HTML writes one page that needs nothing from elsewhere and runs no script: the
// counts, what was not read, the findings, the plan of each.
func HTML(w io.Writer, r Report) error {
	var p page
	p.mark(htmlHead)
	p.mark("<h1>Findings</h1>\n<p>")
	p.text("dera " + r.Version + ", " + app.Stamp(r.At))
	if s := r.Summary; s.Mode != "" {
		p.text(fmt.Sprintf("; read %d resources in %s of %s; mode %s", s.Resources, strings.Join(s.Regions, ", "), strings.Join(s.Accounts, ", "), s.Mode))
	}
	p.mark("</p>\n")
	p.counts(r)
	p.troubles(r.troubles())
	p.findings(r)
	p.plans(r.Findings)
	p.mark("</main>\n</body>\n</html>\n")
	_, err := io.WriteString(w, p.String())
	return err
}

const htmlHead = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>dera: findings</title>
<style>
:root { --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --soft: #f3f5f7; --bad: #a40e26; --warn: #8a4600; --mild: #0b5a8f; --good: #14652c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #3b434d; --soft: #1a2029; --bad: #ff8e88; --warn: #f0b460; --mild: #79bfff; --good: #66d485; }
}
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 96rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.2rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
table.counts { width: auto; }
@media (max-width: 50rem) { table { display: block; overflow-x: auto; } }
caption { text-align: left; padding-bottom: .3rem; }
th, td { border: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; overflow-wrap: break-word; }
td code, td a, td span { overflow-wrap: anywhere; }
thead th { background: var(--soft); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { margin: .25rem 0; padding: .6rem; background: var(--soft); border: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
.critical, .high, .removed, .trouble { color: var(--bad); }
.critical { font-weight: 700; }
.medium { color: var(--warn); }
.low { color: var(--mild); }
.added, .resolved { color: var(--good); }
@media print {
  :root { --ink: #000; --paper: #fff; --line: #999; --soft: #fff; --bad: #7a0014; --warn: #6b3a00; --mild: #003f6b; --good: #0b4a1d; }
  main { padding: 0; max-width: none; }
  body { font-size: 10pt; }
  thead { display: table-header-group; }
  tr, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
</style>
</head>
<body>
<main>
`

// counts is a table of the findings that are not resolved, by severity and
// decision.
func (p *page) counts(r Report) {
	dispositions := []dera.Disposition{dera.Auto, dera.Review, dera.Alert, dera.Exempt}
	n := map[dera.Severity]map[dera.Disposition]int{}
	done, unknown := 0, map[dera.Severity]int{}
	for _, f := range r.Findings {
		if resolved(f) {
			done++
			continue
		}
		if f.State == dera.FindingUnknown {
			unknown[f.Severity]++
			continue
		}
		if n[f.Severity] == nil {
			n[f.Severity] = map[dera.Disposition]int{}
		}
		n[f.Severity][f.Disposition]++
	}
	p.mark("<h2 id=\"counts\">Counts</h2>\n<table class=\"counts\">\n<caption>")
	p.text(fmt.Sprintf("%d findings, %d of them resolved; %d places not read", len(r.Findings), done, len(r.Unreadable)))
	p.mark("</caption>\n<thead><tr><th scope=\"col\">Severity</th>")
	for _, d := range dispositions {
		p.element(`th scope="col"`, d.String())
	}
	p.element(`th scope="col"`, "unknown")
	p.mark("<th scope=\"col\">All</th></tr></thead>\n<tbody>\n")
	for s := dera.Critical; s >= dera.Low; s-- {
		p.mark("<tr>")
		p.element(`th scope="row" class="`+s.String()+`"`, s.String())
		all := 0
		for _, d := range dispositions {
			all += n[s][d]
			p.element(`td class="number"`, fmt.Sprint(n[s][d]))
		}
		p.element(`td class="number"`, fmt.Sprint(unknown[s]))
		p.element(`td class="number"`, fmt.Sprint(all+unknown[s]))
		p.mark("</tr>\n")
	}
	p.mark("</tbody>\n</table>\n")
}

func (p *page) troubles(list []trouble) {
	if len(list) == 0 {
		return
	}
	p.mark("<h2 id=\"attention\">Attention</h2>\n<ul>\n")
	for _, t := range list {
		p.mark("<li><strong class=\"trouble\">")
		p.text(strings.ReplaceAll(t.id, "-", " "))
		p.mark(":</strong> ")
		p.text(t.text)
		p.mark("</li>\n")
	}
	p.mark("</ul>\n")
}

func (p *page) findings(r Report) {
	list := r.Findings
	p.mark("<h2 id=\"findings\">Findings</h2>\n")
	if len(list) == 0 && !r.complete() {
		p.mark("<p>No findings in what was read.</p>\n")
		return
	}
	if len(list) == 0 {
		p.mark("<p>No findings.</p>\n")
		return
	}
	p.table("ID", "Severity", "Decision", "State", "Account", "Region", "Resource", "Finding", "Owner", "Plan")
	for _, f := range list {
		p.mark("<tr>")
		p.mark(`<th scope="row"><code>`)
		p.text(f.ID)
		p.mark("</code></th>")
		p.element(`td class="`+f.Severity.String()+`"`, f.Severity.String())
		p.element("td", f.Disposition.String())
		p.state(f)
		p.element("td", f.Account)
		p.element("td", f.Region)
		p.mark("<td><strong>")
		p.text(app.ResourceText(f.Finding))
		p.mark("</strong><br><code>")
		p.text(string(f.Resource))
		p.mark("</code></td><td><strong>")
		p.text(f.Title)
		p.mark("</strong><br>")
		p.text(f.Why)
		if exempt(f) {
			p.mark("<br><em>")
			p.text(exemptWhy(f.Finding))
			p.mark("</em>")
		}
		p.mark("<br>")
		p.element("code", f.Control)
		p.mark("</td>")
		p.element("td", f.Owner)
		p.mark("<td>")
		if f.Plan != nil {
			p.mark(`<a href="#` + anchor(f.Plan.Remediation) + `">`)
			p.text(f.Plan.Remediation)
			p.mark("</a> ")
			p.text(strings.ReplaceAll(string(f.Plan.State), "_", " "))
		}
		p.mark("</td></tr>\n")
	}
	p.mark("</tbody>\n</table>\n")
}

func (p *page) state(f app.FindingView) {
	text := string(f.State)
	if f.NotRead != nil {
		text += ", not read since " + app.Stamp(*f.NotRead)
	}
	if f.LastFailure != nil {
		text += ", fix failed"
	}
	class := ""
	if resolved(f) {
		class = ` class="resolved"`
	}
	p.element("td"+class, text)
}

// plans are the changes of each plan, once.
func (p *page) plans(list []app.FindingView) {
	seen := map[string]bool{}
	for _, f := range list {
		if f.Plan == nil || seen[f.Plan.Remediation] {
			continue
		}
		if len(seen) == 0 {
			p.mark("<h2 id=\"plans\">Plans</h2>\n")
		}
		seen[f.Plan.Remediation] = true
		p.mark(`<h3 id="` + anchor(f.Plan.Remediation) + `">`)
		p.text(f.Plan.Remediation + ": " + strings.ReplaceAll(string(f.Plan.State), "_", " ") + ", " + app.ResourceText(f.Finding))
		p.mark("</h3>\n")
		for _, r := range app.Decisive(f.Finding) {
			p.element("p", r.Guardrail+": "+r.Why)
		}
		p.diff(f.Plan.Diff)
		for _, l := range f.Plan.Left {
			p.element(`p class="medium"`, l.Line())
		}
		if f.Plan.Failure != "" {
			p.element(`p class="trouble"`, f.Plan.Failure)
		}
		if f.Plan.Code != nil {
			p.element("p", "As "+f.Plan.Code.Language+":")
			p.diff(f.Plan.Code.Lines)
		}
	}
}

func (p *page) diff(lines []string) {
	if len(lines) == 0 {
		return
	}
	p.mark("<pre>")
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "+"):
			p.mark(`<span class="added">`)
		case strings.HasPrefix(line, "-"):
			p.mark(`<span class="removed">`)
		default:
			p.mark("<span>")
		}
		p.text(line)
		p.mark("</span>\n")
	}
	p.mark("</pre>\n")
}

// anchor is an ID as an attribute: letters, digits and hyphens.
func anchor(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, id)
}

// table begins a table with the heads of its columns.
func (p *page) table(heads ...string) {
	p.mark("<table>\n<thead><tr>")
	for _, head := range heads {
		p.element(`th scope="col"`, head)
	}
	p.mark("</tr></thead>\n<tbody>\n")
}
