package dera

import (
	"strings"
	"time"
)

// NoteAuthor is who dera is in the notes that it writes on findings of Security Hub. The event
// that follows such a note is an echo, and no hint.
const NoteAuthor = "dera"

// commentPrefix begins the comments that dera writes on findings of Security Hub V2, whose
// comments name no author.
const commentPrefix = "dera: "

// Comment is a comment that dera writes, with its time: what is observed of the finding after
// that is no echo.
func Comment(at time.Time, text string) string {
	return commentPrefix + at.UTC().Format(time.RFC3339) + " " + text
}

// CommentTime reports whether dera wrote the comment, and when. One without a time is taken for
// one of all times.
func CommentTime(comment string) (at time.Time, own bool) {
	rest, own := strings.CutPrefix(comment, commentPrefix)
	if !own {
		return time.Time{}, false
	}
	word, _, _ := strings.Cut(rest, " ")
	at, err := time.Parse(time.RFC3339, word)
	if err != nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), true
	}
	return at, true
}
