package arch

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests in the root of the module, of which all paths are.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if _, err := os.Stat("go.mod"); err != nil {
		fmt.Fprintln(os.Stderr, "the root of the module is not two folders up:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
