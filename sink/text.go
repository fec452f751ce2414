package sink

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"dera.example/dera"
)

// oneLine is a text without line breaks and without characters that are not seen or
// change the order of what is seen.
func oneLine(s string) string { return strings.Join(strings.Fields(shown(s)), " ") }

// shown is a text of several lines without what is not seen.
func shown(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n':
			return c
		case unicode.IsSpace(c):
			return ' '
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c), c == unicode.ReplacementChar:
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, ""))
}

// cut bounds a text to so many characters.
func cut(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}

// fact is one named member of a message.
type fact struct{ name, value string }

// facts are the members of a message that say where and who, in order, without empty ones.
func (m Message) facts() (out []fact) {
	add := func(name, value string) {
		if value = oneLine(value); value != "" {
			out = append(out, fact{name, value})
		}
	}
	if m.Severity != 0 {
		add("Severity", m.Severity.String())
	}
	add("Account", m.Account)
	add("Region", m.Region)
	add("Resource", string(m.Resource))
	add("Control", m.Control)
	add("Owner", m.Owner)
	add("Principal", m.Principal)
	add("Action", m.Action)
	add("State", string(m.State))
	add("Remediation", m.Remediation)
	add("Findings", strings.Join(m.Findings[:min(len(m.Findings), 10)], ", "))
	add("Plan", short(m.Digest))
	if !m.Until.IsZero() {
		add("Approval possible until", m.Until.UTC().Format(time.RFC3339))
	}
	if m.Record != 0 {
		add("Record", fmt.Sprint(m.Record))
	}
	return out
}

func short(digest string) string { return digest[:min(len(digest), dera.DigestDigits)] }

// title is the one line that says what happened, with how bad it is.
func (m Message) title() string {
	t := oneLine(m.Title)
	if t == "" {
		t = "dera: " + m.What
	}
	if m.Severity != 0 {
		t = strings.ToUpper(m.Severity.String()) + " " + t
	}
	return t
}

// text is a message as plain text, for mail and the like.
func (m Message) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", m.title())
	if m.Why != "" {
		line("\nWhy: %s", oneLine(m.Why))
	}
	line("")
	for _, f := range m.facts() {
		line("%s: %s", f.name, f.value)
	}
	list := func(title string, lines []string) {
		if len(lines) == 0 {
			return
		}
		line("\n%s", title)
		for _, l := range lines {
			line("  %s", cut(oneLine(l), 1000))
		}
	}
	list("What changes:", m.Diff)
	list("To do:", m.Commands)
	return b.String()
}

// text of several messages: one after the other, the most severe first.
func textOf(list []Message) string {
	var parts []string
	for _, m := range worstFirst(list) {
		parts = append(parts, m.text())
	}
	return strings.Join(parts, "\n"+strings.Repeat("-", 60)+"\n\n")
}

func worstFirst(list []Message) []Message {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Message) int { return int(b.Severity) - int(a.Severity) })
	return list
}

// titleOf is that of the message, or says how many there are.
func titleOf(list []Message) string {
	if len(list) == 1 {
		return list[0].title()
	}
	return fmt.Sprintf("%d messages of dera, first: %s", len(list), worstFirst(list)[0].title())
}

// IDOf is the ID of what is sent: that of the message, or one made of all. The same
// messages in the same order have the same one.
func IDOf(list []Message) string {
	if len(list) == 1 {
		return list[0].ID
	}
	h := sha256.New()
	for _, m := range list {
		fmt.Fprintf(h, "%d:%s", len(m.ID), m.ID) // a hash takes everything
	}
	return "digest-" + hex.EncodeToString(h.Sum(nil)[:16])
}
