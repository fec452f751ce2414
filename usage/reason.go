package usage

import (
	"bytes"
	"slices"

	"dera.example/dera/cloudtrail"
)

// Reason says why a record is no use of an action; "" for one that is.
type Reason string

// Why records do not count. Those that are Lost are use that nobody knows of, and
// so a gap.
const (
	Counted          Reason = ""
	NotACall         Reason = "not a call of a principal"
	Repeated         Reason = "repeated in the same file"
	NoAction         Reason = "no eventSource or eventName"
	NoTime           Reason = "no eventTime"
	NoPlace          Reason = "no account or region"
	NoPrincipal      Reason = "the event names no principal"
	TwiceNamed       Reason = "a member stands twice"
	NotAuthenticated Reason = "not from an authenticated path"
	Foreign          Reason = "of an account that is not covered"
	TooLarge         Reason = "larger than 1 MiB, the largest record that is read"
	Unreadable       Reason = "not a CloudTrail record"
)

// Lost reports whether a record was refused that may have been a use.
func (r Reason) Lost() bool {
	switch r {
	case NoAction, NoTime, NoPlace, NoPrincipal, TwiceNamed, TooLarge, Unreadable:
		return true
	case Counted, NotACall, Repeated, NotAuthenticated, Foreign:
	}
	return false
}

// placed reports whether account, region and time of such a record are known: the
// loss is noted there.
func (r Reason) placed() bool { return r == NoAction || r == NoPrincipal }

// called reports whether the record is of a call that IAM authorized or denied. A
// sign-in is authorized by no action, but that of a root user is a use of it, one that
// failed too: whoever tried knows its address. To switch to a role in the console is
// sts:AssumeRole, and signing in a developer tool are actions of signin (IAM user
// guide, "Switch from a user to an IAM role (console)"; service authorization
// reference, "AWS Signin"); insights and aggregated events are about
// other events; a network activity event tells the owner of a VPC endpoint of a
// call that has an event of its own, or that the endpoint's policy stopped
// (CloudTrail user guide, "AWS console sign-in events", "Record contents").
func called(f *cloudtrail.Fields) bool {
	switch string(cloudtrail.Text(f.Type)) {
	case "AwsConsoleSignIn":
		if string(cloudtrail.Text(f.Identity.Type)) == "Root" {
			return true
		}
		name := cloudtrail.Text(f.Name)
		return string(name) == "SwitchRole" || bytes.Contains(name, []byte("OAuth2"))
	case "AwsServiceEvent":
		// What a service did itself is no call; what it tells of a principal may be a use
		// of a permission, and in doubt it is.
		return slices.Contains([]string{"AssumedRole", "Role", "IAMUser", "FederatedUser", "Root"}, string(cloudtrail.Text(f.Identity.Type)))
	case "AwsCloudTrailInsight", "AwsAggregatedEvent", "AwsVpceEvent":
		return false
	}
	switch string(cloudtrail.Text(f.Category)) {
	case "Insight", "Aggregated", "NetworkActivity":
		return false
	}
	return true
}

// absent reports whether a denial of the call may say that the object is not there:
// S3 answers so to whoever may read it and may not list the bucket (S3 API
// reference, GetObject).
func absent(source, name []byte) bool {
	return string(source) == "s3.amazonaws.com" && (bytes.HasPrefix(name, []byte("GetObject")) || bytes.HasPrefix(name, []byte("HeadObject")))
}

// lose notes a use that nobody knows of, where and when it was.
func (a *aggregate) lose(account, region []byte, at uint32, why Reason) {
	l := Loss{At: Second(at) / 3600 * 3600, Why: why, Account: string(account), Region: string(region)}
	a.losses[l]++
}
