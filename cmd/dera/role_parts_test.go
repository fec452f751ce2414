package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"dera.example/dera/resource/role"
)

// TestRoleParts: what IAM would refuse as one policy is printed in parts that it takes, of which a
// role can have ten, and the whole says so.
func TestRoleParts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"reader", "remediator"} {
		show := func(args ...string) (role.Policy, string, int) {
			var out, errOut bytes.Buffer
			code := run(t.Context(), append([]string{"role", "--kind", kind}, args...), strings.NewReader(""), &out, &errOut)
			var p role.Policy
			if code == exitGood {
				if err := json.Unmarshal(out.Bytes(), &p); err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
			}
			return p, errOut.String(), code
		}
		whole, said, _ := show()
		want, err := whole.Parts(role.ManagedLimit)
		if err != nil || len(want) < 2 || len(want) > 10 || !strings.Contains(said, fmt.Sprintf("--part 1 to --part %d", len(want))) {
			t.Fatalf("%s: got %d parts, %v, and said %q", kind, len(want), err, said)
		}
		for i := range want {
			p, said, code := show("--part", fmt.Sprint(i+1))
			if n, err := p.Size(); err != nil || n > role.ManagedLimit || code != exitGood || said != "" || len(p.Statement) != len(want[i].Statement) {
				t.Errorf("%s, part %d: got %d characters, exit code %d, %q", kind, i+1, n, code, said)
			}
		}
		if _, _, code := show("--part", fmt.Sprint(len(want)+1)); code != exitUsage {
			t.Errorf("%s: a part that there is not: got exit code %d", kind, code)
		}
	}
	if code := run(t.Context(), []string{"role", "--part", "1"}, strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}); code != exitUsage {
		t.Errorf("a part of both: got exit code %d", code)
	}
}
