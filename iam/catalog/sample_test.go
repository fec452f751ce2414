package catalog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// sampleFile holds what a second reader found of a hundred actions of the sixty
// largest services, from AWS's documents and the texts of the operations alone,
// without looking at the table: "ACTION removable REMARK" or "ACTION kept REMARK".
const sampleFile = "testdata/sample.txt"

// drawn are a hundred actions of the sixty largest services, always the same.
func drawn() []string {
	var all []string
	for _, s := range Summary()[:60] {
		actions, _ := Embedded().Expand(s.Prefix + ":*")
		all = append(all, actions...)
	}
	slices.Sort(all)
	r := rand.New(rand.NewPCG(2026, 11))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:100]
}

// TestSample holds the table against the second reader and prints how often they
// differ. An action that the table would call unused, and the reader would keep,
// is an error that may cost a customer something; the other way round it only
// costs a narrowing.
func TestSample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]string{}
	for words := range lines(string(text)) {
		if len(words) < 3 || words[1] != "removable" && words[1] != "kept" {
			t.Errorf("%v: want an action, what the reader says and why", words)
			continue
		}
		read[words[0]] = words[1]
	}
	unsafe, strict := 0, 0
	var missing []string
	for _, a := range drawn() {
		e := Embedded().Evidence(a)
		table := "kept"
		if e.Class == Management {
			table = "removable"
		}
		switch reader := read[a]; {
		case reader == "":
			missing = append(missing, fmt.Sprintf("%s (%v, %s)", a, e.Class, e.Source()))
		case table == "removable" && reader == "kept":
			unsafe++
			t.Errorf("%s: the reader keeps it, the table says: %s", a, e.Source())
		case table != reader:
			strict++
			t.Logf("%s: the reader would call it unused, the table keeps it: %s", a, e.Source())
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d rows of the sample were not read: %s", len(missing), strings.Join(missing, "\n"))
	}
	t.Logf("sample of 100 rows: %d would be called unused though the reader keeps them (error rate %d %%), %d are kept though the reader would not", unsafe, unsafe, strict)
}
