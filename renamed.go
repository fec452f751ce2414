package dera

// RenamedControls are the IDs of controls of before, and those of today. Lists and
// databases of before go on to mean the same.
func RenamedControls() map[string]string {
	return map[string]string{
		"ec2-sg-admin-ports-open":        "ec2-securitygroup-admin-ports-open",
		"ec2-sg-other-ports-open":        "ec2-securitygroup-other-ports-open",
		"ec2-sg-web-ports-open":          "ec2-securitygroup-web-ports-open",
		"ec2-sg-default-group-rules":     "ec2-securitygroup-default-group-rules",
		"s3-bucket-public-access-block":  "s3-bucket-access-block",
		"s3-account-public-access-block": "s3-account-access-block",
		"s3-access-point-public":         "s3-bucket-access-point-public",
	}
}
