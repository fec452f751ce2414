package policy_test

import (
	"errors"
	"fmt"

	"dera.example/dera/iam/policy"
)

const document = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [ "s3:GetObject", "s3:*" ],
      "Resource": "*"
    }
  ]
}`

// An edit changes only the bytes that it must.
func ExampleDocument_Apply() {
	d, err := policy.Parse(document)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err = d.Apply(policy.ReplaceAction(0, "s3:*", "s3:ListBucket", "s3:PutObject"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Text())
	// Output:
	// {
	//   "Version": "2012-10-17",
	//   "Statement": [
	//     {
	//       "Effect": "Allow",
	//       "Action": [ "s3:GetObject", "s3:ListBucket", "s3:PutObject" ],
	//       "Resource": "*"
	//     }
	//   ]
	// }
}

// AWS's reason, and where.
func ExampleDocument_Validate() {
	d, err := policy.Parse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "GetObject", "Resource": "*"}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	var e *policy.Error
	if errors.As(d.Validate(policy.Identity), &e) {
		fmt.Println(e.Reason)
		fmt.Println(e.At, "offset", e.At.Offset)
	}
	// Output:
	// Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
	// line 1, column 70 offset 69
}
