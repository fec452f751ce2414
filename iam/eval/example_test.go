package eval_test

import (
	"fmt"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
)

// A bucket policy that names the account only delegates to it.
func ExampleEvaluate() {
	bucket, err := policy.Parse(`{
		"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	in := eval.Input{
		Request: eval.Request{
			Principal: eval.Principal{ARN: "arn:aws:iam::111122223333:user/alice"},
			Action:    "s3:GetObject",
			Resource:  "arn:aws:s3:::b/k",
		}.WithDerived(),
		Resource:        eval.Compile(bucket),
		ResourceAccount: "111122223333",
	}
	result := eval.Evaluate(in)
	fmt.Println(result.Decision, "for want of an", result.Missing[0])

	in.Request.Principal.ARN = "arn:aws:iam::111122223333:root"
	fmt.Println(eval.Evaluate(in).Decision)
	// Output:
	// implicit deny for want of an identity-based policy
	// allowed
}
