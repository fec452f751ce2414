package awssim

// newSecurityHub returns Security Hub of accounts that have none: it only answers so.
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html
func newSecurityHub() service {
	off := func(k *call) (any, error) {
		return nil, errorf(401, "InvalidAccessException", "Account %s is not subscribed to AWS Security Hub", k.Account)
	}
	return service{protocol: restJSON{}, operations: map[string]operation{
		"GetAdministratorAccount": {run: off, readOnly: true},
		"ListAutomationRules":     {run: off, readOnly: true, accepts: "MaxResults NextToken"},
	}}
}
