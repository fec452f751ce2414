package policy

import (
	"fmt"
	"strings"
	"testing"
)

// large is a policy of 4,000 actions: the largest that AWS has written.
func large() (text string, actions []string) {
	for i := range 4000 {
		actions = append(actions, fmt.Sprintf("service%d:Action%d", i%200, i))
	}
	return "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": [\n      \"" +
		strings.Join(actions, "\",\n      \"") + "\"\n    ],\n    \"Resource\": \"*\"\n  }\n}\n", actions
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{"sample": sample, "large": first(large())} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func first(text string, _ []string) string { return text }

// BenchmarkParse_brackets reads a megabyte of opening brackets.
func BenchmarkParse_brackets(b *testing.B) {
	text := `{"Statement":` + strings.Repeat("[", 1<<20)
	for b.Loop() {
		if _, err := Parse(text); err == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkApply removes every other of 4,000 actions.
func BenchmarkApply(b *testing.B) {
	text, actions := large()
	d := must(b, text)
	var edits []Edit
	for i := 0; i < len(actions); i += 2 {
		edits = append(edits, RemoveAction(0, actions[i]))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Apply(edits...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCanon(b *testing.B) {
	d := must(b, sample)
	b.ReportAllocs()
	for b.Loop() {
		d.Canon()
	}
}
