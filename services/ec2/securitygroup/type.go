// Package securitygroup is EC2 security groups: their configuration, reads, writes,
// events and controls.
package securitygroup

// Name is the CloudFormation type name.
const Name = "AWS::EC2::SecurityGroup"
