package resource

// OperationType is an operation as data: one AWS write that plans are made of.
type OperationType struct {
	// Name is the IAM action, for example s3:PutBucketPolicy.
	Name string
	// Version is the version of its input that this process can carry out.
	Version int
	// Whole says that it replaces a whole document.
	Whole bool
	// Rivals are the names of the events that tell of a write of the same document.
	Rivals []string
	// DryRun says that AWS has a dry run of it.
	DryRun bool
	// Denies is what it can deny from then on.
	Denies Denies
}
