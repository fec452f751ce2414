package account

import "dera.example/dera/resource"

// The parts of an account's block.
const (
	PartBlock      = "public access block"
	PartDependents = "buckets"
)

// Parts are what the block of an account is read in. The buckets that may depend
// on public access are read through their own type.
func Parts() []resource.Part {
	return []resource.Part{
		{Name: PartBlock, Action: "s3:GetAccountPublicAccessBlock", Absent: []string{"NoSuchPublicAccessBlockConfiguration"}, Cheap: true},
		{Name: PartDependents, Around: true},
	}
}
