package main

import (
	"strings"

	"charm.land/lipgloss/v2"
)

const (
	// longWord is the width from which on a word may be broken in a column.
	longWord = 61
	// shortPiece is the width that such a word takes at least.
	shortPiece = 22
)

// breakable reports whether a word may be broken: it is long, and has no colour.
func breakable(word string) bool {
	return lipgloss.Width(word) >= longWord && !strings.Contains(word, "\x1b")
}

// leastWidth is how narrow the column of a word may be.
func leastWidth(word string) int {
	if breakable(word) {
		return shortPiece
	}
	return lipgloss.Width(word)
}

// softened is the text with blanks in the words that may be broken, where a line of
// that width ends: after a separator, or anywhere where there is none.
func softened(text string, width int) string {
	if lipgloss.Width(text) <= width {
		return text
	}
	words := strings.Fields(text)
	for i, word := range words {
		if breakable(word) && width > 1 {
			words[i] = strings.Join(pieces(word, width), " ")
		}
	}
	return strings.Join(words, " ")
}

// pieces are the word in pieces of at most that width.
func pieces(word string, width int) []string {
	var out []string
	for word != "" {
		end, after := 0, 0 // of what fits, and of what fits and ends in a separator
		for i, r := range word {
			next := i + len(string(r))
			if lipgloss.Width(word[:next]) > width && end > 0 {
				break
			}
			if end = next; strings.ContainsRune("-_./", r) {
				after = next
			}
		}
		if end < len(word) && after > 0 {
			end = after
		}
		out = append(out, word[:end])
		word = word[end:]
	}
	return out
}
