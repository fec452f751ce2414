package cloud

import (
	"fmt"
	"testing"
)

// TestLately: what is used all the time stays, and what is kept has a bound.
func TestLately(t *testing.T) {
	t.Parallel()
	var l lately
	if l.get("a") != nil {
		t.Error("an empty one has something")
	}
	l.put("a", 1)
	for i := range 10 * mostLately {
		l.put(fmt.Sprint(i), i)
		if i%(mostLately/2) == 0 && l.get("a") != 1 {
			t.Fatalf("what was used lately is not there after %d others", i)
		}
	}
	if n := len(l.now) + len(l.old); n > 2*mostLately || l.get("0") != nil || l.get(fmt.Sprint(10*mostLately-1)) != 10*mostLately-1 {
		t.Errorf("got %d, want at most %d and the last of them", n, 2*mostLately)
	}
}
