package main

import (
	"fmt"
	"os"

	"dera.example/dera/evaluate"
)

// readText reads a file that people or their tools wrote. The byte-order mark of
// UTF-8 that some editors put first is taken off, and other encodings are refused:
// one way for every such file but policies, which AWS refuses with a mark.
func readText(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if text, err = evaluate.Unmarked(text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}
