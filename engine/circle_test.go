package engine

import (
	"errors"
	"fmt"
	"testing"
)

// TestWalkNoticesAnyCircle, also one that is longer than what it remembers
// exactly, and after a long way to it.
func TestWalkNoticesAnyCircle(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 2, 511, 513, 2000, 5000} {
		for _, way := range []int{0, 3, 900} {
			w, pages := walk{}, 0
			var err error
			for ; err == nil && pages < mostPages; pages++ {
				token := fmt.Sprint("way-", pages)
				if pages >= way {
					token = fmt.Sprint("circle-", (pages-way)%length)
				}
				w, err = w.on(token)
			}
			if !errors.Is(err, errEndless) || pages > 4*(length+way)+4 || length <= lastRemember && pages != way+length+1 {
				t.Errorf("circle of %d after %d: got %v after %d pages", length, way, err, pages)
			}
		}
	}
	w := walk{Pages: mostPages}
	if _, err := w.on("one more"); !errors.Is(err, errEndless) {
		t.Errorf("too many pages: got %v", err)
	}
}
