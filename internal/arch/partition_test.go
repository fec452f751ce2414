package arch

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera"
)

// The table says of every region what the AWS SDK's own table says, also of
// regions to come.
func TestPartitionsAreTheSDKs(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sdk struct {
		Partitions []struct {
			ID      string
			Regex   string `json:"regionRegex"`
			Regions map[string]struct{}
			Outputs struct{ DNSSuffix string }
		}
	}
	if err := json.Unmarshal(text, &sdk); err != nil {
		t.Fatal(err)
	}
	if got, want := len(dera.Partitions()), len(sdk.Partitions); got != want {
		t.Errorf("got %d partitions, the SDK has %d", got, want)
	}
	tomorrow := []string{"eusc-de-west-2", "us-gov-north-7", "us-iso-south-3", "us-isob-east-9", "eu-isoe-south-2", "us-isof-west-2", "cn-east-4", "mx-west-3", "ap-north-9"}
	for _, p := range sdk.Partitions {
		own, known := dera.PartitionByID(p.ID)
		if !known || own.DNSSuffix != p.Outputs.DNSSuffix {
			t.Errorf("partition %s: got %+v, the SDK has the suffix %s", p.ID, own, p.Outputs.DNSSuffix)
		}
		form := regexp.MustCompile(p.Regex)
		names := slices.DeleteFunc(slices.Clone(tomorrow), func(r string) bool { return !form.MatchString(r) })
		if len(names) == 0 {
			t.Errorf("partition %s: no region of tomorrow is tried", p.ID)
		}
		for r := range p.Regions {
			if !strings.HasSuffix(r, "-global") {
				names = append(names, r)
			}
		}
		for _, r := range names {
			if got := dera.PartitionOf(r).ID; got != p.ID {
				t.Errorf("region %s: got %s, the SDK says %s", r, got, p.ID)
			}
		}
	}
}

// A second table of partitions is one that someone forgets: only partition.go
// tells them apart.
func TestPartitionsStandInOneTable(t *testing.T) {
	t.Parallel()
	exempt := map[string]string{
		"partition.go":           "the table",
		"iam/policy/resource.go": "iam imports nothing of dera; the test below holds it to the table",
	}
	forbidden := regexp.MustCompile(`^(cn-|us-gov-|us-iso[a-z]?-|eu-isoe-|eusc-)$|aws-(cn|us-gov|iso|iso-[a-z]|eusc)\b|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov`)
	seen := map[string]bool{}
	for _, f := range sourceFiles(t) {
		if f.helper() || f.top == "dera/awssim" || strings.HasPrefix(f.path, "iam/catalog/") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err == nil && forbidden.MatchString(text) {
				seen[f.path] = true
				if exempt[f.path] == "" {
					t.Errorf("%s: %q belongs into partition.go", f.path, text)
				}
			}
			return true
		})
	}
	if len(seen) != len(exempt) {
		t.Errorf("seen in %v, want in just the exempt files: else the exemption or the pattern is stale", seen)
	}
	text, err := os.ReadFile("iam/policy/resource.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range dera.Partitions() {
		if !strings.Contains(string(text), strconv.Quote(p.ID)) {
			t.Errorf("iam/policy/resource.go does not know the partition %s", p.ID)
		}
	}
}

// TestHome: the region in which IAM's events arrive is one of the partition.
func TestHome(t *testing.T) {
	t.Parallel()
	for _, p := range dera.Partitions() {
		if p.Home == "" || dera.PartitionOf(p.Home).ID != p.ID {
			t.Errorf("%s: got the home %q, a region of %s", p.ID, p.Home, dera.PartitionOf(p.Home).ID)
		}
	}
}
