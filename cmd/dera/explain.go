package main

import (
	"net/url"

	"dera.example/dera/app"
)

// orderFlags are the flags that say which data, configuration and exemption list
// this command goes by. A password in the URL of the database is left out.
func (s *session) orderFlags() string {
	f, out := s.app.flags, ""
	add := func(flag, value string) { out += " " + flag + " " + shellWord(value) }
	if f.data != defaultData {
		add("--data", f.data)
	}
	if u, err := url.Parse(f.db); f.db != "" && err == nil {
		add("--db", u.Redacted())
	}
	if f.config != "" {
		add("--config", f.config)
	}
	if f.profile != "" {
		add("--profile", f.profile)
	}
	switch {
	case f.noExemptions:
		out += " --no-exemptions"
	case f.exemptions != "":
		add("--exemptions", f.exemptions)
	}
	return out
}

// printExplanation writes it for people.
func (a *cli) printExplanation(p paint, e app.Explanation, width int) {
	for _, part := range []struct{ head, text string }{{"what is wrong", e.Wrong}, {"who owns it", e.Owner}, {"what dera does", e.Does}} {
		a.printf("\n%s\n%s\n", p.bold(part.head), wrap(part.text, "  ", width))
	}
	if len(e.Can) == 0 {
		return
	}
	a.printf("\n%s\n", p.bold("what you can do"))
	for _, w := range e.Can {
		if w.Command != "" || len(w.Entry) > 0 {
			w.What += ":"
		}
		a.printf("%s\n", wrap(w.What, "  ", width))
		if w.Command != "" {
			a.printf("    %s\n", w.Command) // never broken: it is to be copied
		}
		for _, line := range w.Entry {
			a.printf("    %s\n", line)
		}
	}
}
