package dera

const (
	// GlobalRegion stands for the region of what an account has once and not in
	// each region, such as its S3 public access block. It is looked at once,
	// whatever regions are configured.
	GlobalRegion = "aws-global"
	// EveryRegion in the scope of an event stands for all regions that are looked
	// after: what changed concerns resources in each of them.
	EveryRegion = "*"
)
