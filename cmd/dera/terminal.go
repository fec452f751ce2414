package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// terminal returns the width of the terminal behind w, and whether there is one.
// COLUMNS, where it is exported, wins over what the terminal says of itself. What
// is no terminal has no width: a program reads it, line by line.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := behind(w).(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return columns(os.Getenv("COLUMNS"), width), true
}

// columns is how wide a terminal is that says screen of itself, 0 where it does
// not know.
func columns(env string, screen int) int {
	const usual, least = 80, 20
	if n, err := strconv.Atoi(env); err == nil && n > 0 {
		screen = n
	}
	if screen <= 0 {
		return usual
	}
	return max(screen, least)
}
