package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera"
	"dera.example/dera/resource/role"
)

// TestEveryWriteHasASessionPolicy walks this package: a session is assumed without a policy only for reads, and whatever is observed as a write gets its credentials from limited, by writing or itself.
func TestEveryWriteHasASessionPolicy(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reads := []string{"credentials", "Session"} // of Client: Session asks only who dera is
	writes := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			calls := map[string][]*ast.CallExpr{}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok {
					if sel, ok := c.Fun.(*ast.SelectorExpr); ok {
						calls[sel.Sel.Name] = append(calls[sel.Sel.Name], c)
					}
				}
				return true
			})
			for _, c := range calls["assume"] {
				lit, ok := c.Args[2].(*ast.BasicLit)
				switch without := ok && lit.Value == `""`; {
				case without && !slices.Contains(reads, fn.Name.Name):
					t.Errorf("%s: %s assumes a role without a policy", name, fn.Name.Name)
				case !without && fn.Name.Name != "limited":
					t.Errorf("%s: %s assumes a role with a policy of its own: use limited", name, fn.Name.Name)
				}
			}
			for _, c := range calls["observe"] {
				if x, ok := c.Args[2].(*ast.Ident); ok && x.Name == "false" {
					continue
				}
				if writes++; len(calls["limited"])+len(calls["writing"]) == 0 {
					t.Errorf("%s: %s is observed as a write, and its session is not limited", name, fn.Name.Name)
				}
			}
		}
	}
	if writes < 3 {
		t.Errorf("got %d places that write, so that this shows nothing", writes)
	}
}

// fakeSTS answers AssumeRole and keeps the policies that it was asked with.
type fakeSTS struct {
	mu       sync.Mutex
	policies []string
}

func (s *fakeSTS) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	text := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:sts::111122223333:assumed-role/writer/dera</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	if form.Get("Action") == "AssumeRole" {
		s.mu.Lock()
		s.policies = append(s.policies, form.Get("Policy"))
		s.mu.Unlock()
		text = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// TestSessionPolicies: what AWS is asked with for each way of writing; what is too long for a session is not even assumed.
func TestSessionPolicies(t *testing.T) {
	t.Parallel()
	group := dera.Plan{Partition: "aws", Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", Resource: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1", Changes: []dera.Change{{Operation: "ec2:RevokeSecurityGroupIngress"}}}
	long := group
	long.Resource += dera.ARN(strings.Repeat("x", mostSession))
	wide := role.Policy{Version: "2012-10-17"}
	for i := range 60 {
		wide.Statement = append(wide.Statement, role.Statement{Effect: "Allow", Action: []string{"ec2:DeleteSecurityGroup"}, Resource: []string{fmt.Sprint("arn:aws:ec2:*:*:security-group/sg-", i)}})
	}
	one := role.Policy{Version: "2012-10-17", Statement: wide.Statement[:1]}
	for name, tc := range map[string]struct {
		config func(c *Client) aws.Config
		allows []string // actions, of the policy that was asked with
		fails  bool
	}{
		"plan":           {func(c *Client) aws.Config { return c.writing(group) }, []string{"ec2:RevokeSecurityGroupIngress"}, false},
		"plan_too_long":  {func(c *Client) aws.Config { return c.writing(long) }, nil, true},
		"writer":         {func(c *Client) aws.Config { return c.Writer(group.Account, "eu-west-1", one) }, []string{"ec2:DeleteSecurityGroup"}, false},
		"writer_to_long": {func(c *Client) aws.Config { return c.Writer(group.Account, "eu-west-1", wide) }, nil, true},
		"security_hub": {func(c *Client) aws.Config {
			return aws.Config{Credentials: c.SecurityHub(group.Account, "eu-west-1").credentials(true)}
		}, []string{"securityhub:BatchUpdateFindings", "securityhub:BatchUpdateFindingsV2", "securityhub:BatchImportFindings"}, false},
	} {
		s := &fakeSTS{}
		c, err := New(t.Context(), Config{Region: "eu-west-1", Endpoint: "https://127.0.0.1", HTTPClient: &http.Client{Transport: s},
			Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Accounts: []Account{{ID: "111122223333", RoleARN: "arn:aws:iam::111122223333:role/reader", WriteRoleARN: "arn:aws:iam::111122223333:role/writer"}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tc.config(c).Credentials.Retrieve(context.WithoutCancel(t.Context()))
		if (err != nil) != tc.fails {
			t.Errorf("%s: got %v", name, err)
		}
		if tc.fails {
			if len(s.policies) > 0 {
				t.Errorf("%s: a role was assumed with %q", name, s.policies)
			}
			continue
		}
		if len(s.policies) != 1 || len(s.policies[0]) > mostSession {
			t.Errorf("%s: got %q, want one policy", name, s.policies)
			continue
		}
		var p struct{ Statement []struct{ Action []string } }
		if err := json.Unmarshal([]byte(s.policies[0]), &p); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, st := range p.Statement {
			for _, a := range st.Action {
				if !slices.Contains(got, a) {
					got = append(got, a)
				}
			}
		}
		if !slices.Equal(got, tc.allows) {
			t.Errorf("%s: got %q, want %q", name, got, tc.allows)
		}
	}
}
