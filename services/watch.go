// Package services lists the resource types that dera knows, one folder each.
package services

import (
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/accountblock"
	"dera.example/dera/services/s3/bucket"
)

// Types are the types as far as events and replay go.
func Types() []resource.Type {
	return []resource.Type{
		{Name: securitygroup.Name, Events: securitygroup.Events(), History: securitygroup.History},
		{Name: bucket.Name, Events: bucket.Events(), History: bucket.History},
		{Name: accountblock.Name, Events: accountblock.Events(), History: accountblock.History},
	}
}

// Watch is what the resource types listen to.
func Watch() cloudtrail.Watch { return resource.NewRegistry(Types()...).Watch() }
