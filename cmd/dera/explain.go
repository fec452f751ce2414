package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"dera.example/dera/app"
)

// again is a command line of dera that a person can copy: with the flags that say
// where this one works. Every command that dera prints is made by it.
func (a *cli) again(format string, args ...any) string {
	return "dera " + fmt.Sprintf(format, args...) + a.orderFlags()
}

// withFlags makes the commands that an error names such that they can be copied.
func (a *cli) withFlags(text string) string {
	flags := a.orderFlags()
	if flags == "" {
		return text
	}
	named := regexp.MustCompile(`\bdera (?:(?:show|rollback|approve|reject|remediate) [fr]-[0-9a-f]+|findings --all|usage gaps|waiting)\b( --)?`)
	return named.ReplaceAllStringFunc(text, func(command string) string {
		if strings.HasSuffix(command, " --") {
			return command
		}
		return command + flags
	})
}

// orderFlags are the flags that say which data, configuration and exemption list
// this command goes by. A password in the URL of the database is left out.
func (a *cli) orderFlags() string {
	f, out := a.flags, ""
	add := func(flag, value string) { out += " " + flag + " " + shellWord(value) }
	if f.data != defaultData && f.data != "" {
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
