package eval

import (
	"testing"

	"dera.example/dera/iam/policy"
)

// TestCompileFor holds that a set for one action answers like one for all, and
// that it does not hold what is about other actions.
func TestCompileFor(t *testing.T) {
	t.Parallel()
	doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["S3:getobject","s3:GetObjectAcl","s3:P*","ec2:*","?3:Get","iam:*\u212a"],"Resource":"*"},
		{"Effect":"Allow","NotAction":["sqs:*","s3:Get?bject","s3:Delete*"],"Resource":"arn:aws:s3:::a/*"},
		{"Effect":"Deny","Action":["s3:PutObjectAcl","ec2:Terminate*","*:*"],"Resource":"arn:aws:s3:::locked/*"},
		{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	all := Compile(doc)
	actions := []string{"s3:GetObject", "s3:GETOBJECT", "s3:GetObjectAcl", "s3:GetObjectAc", "s3:Get", "s3:PutObject", "s3:PutObjectAcl", "ec2:RunInstances",
		"ec2:TerminateInstances", "sqs:SendMessage", "kms:Decrypt", "iam:BlocK", "iam:Bloc\u212a", "iam:bloc\u212ax", "s3", ":", ""}
	for _, action := range actions {
		one := CompileFor(action, doc)
		for _, resource := range []string{"*", "arn:aws:s3:::a/k", "arn:aws:s3:::locked/k"} {
			r := Request{Action: action, Resource: resource}
			if got, want := one.Decide(r, Reading{}), all.Decide(r, Reading{}); got != want {
				t.Errorf("%q on %s: got %v, want %v", action, resource, got, want)
			}
		}
	}
	if got := len(CompileFor("sqs:SendMessage", doc).statements); got != 3 {
		t.Errorf("got %d statements , want 3: not the one about kms", got)
	}
	if got := len(CompileFor("s3:GetObject", doc).statements[0].actions); got != 2 {
		t.Errorf("got %d entries , want 2: the action, and what begins with a wildcard", got)
	}
}
