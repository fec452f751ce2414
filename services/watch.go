// Package services lists the resource types that dera knows, one folder each.
package services

import (
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/accountblock"
	"dera.example/dera/services/s3/bucket"
)

// Watch is what the resource types listen to.
func Watch() cloudtrail.Watch {
	return cloudtrail.NewWatch(securitygroup.Events(), bucket.Events(), accountblock.Events())
}

// Histories are the types that dera replay rebuilds from recorded calls.
func Histories() []resource.Type {
	return []resource.Type{
		{Name: securitygroup.Name, History: securitygroup.History},
		{Name: bucket.Name, History: bucket.History},
		{Name: accountblock.Name, History: accountblock.History},
	}
}
