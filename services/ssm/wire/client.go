// Package wire is what the wires of Systems Manager's resource types share.
package wire

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"dera.example/dera/cloud"
)

// SSM returns the reading client of the scope's account and region.
func SSM(r *cloud.Reading) *ssm.Client {
	return cloud.Service(r, "ssm", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *ssm.Client { return ssm.NewFromConfig(cfg) })
}
