// Package awssim is a small simulated AWS that lives in the process: an [http.Handler] that speaks the wire protocols of
// STS, EC2 (security groups and what surrounds them), SQS, S3 (what buckets are set to, no objects), S3 Control, IAM
// (roles, users, groups and managed policies, as far as dera reads and writes them), and reads of CloudFront and AWS Config, so that the AWS SDK works against it unchanged.
//
// It exists because no emulator can show a closed remediation loop: awssim emits a CloudTrail record for each management
// call, forwards it to a queue as EventBridge does, pages, throttles on demand, lags on demand, fails half-way and lies.
//
// What it promises:
//
//   - State is separate for each account and Region; identifiers follow from Config.Seed, times from Config.Now.
//   - Every call, also one made by the Go helpers of [Region], takes the same path: authenticate, record, inject faults,
//     authorize, run, emit the event, answer.
//   - A behaviour is built as the AWS documentation states it, and a test holds it against an independent emulator
//     (see the folder conformance). An operation, filter or parameter that is not built is refused with an error that
//     says so (NotImplemented, 501); it is not ignored in silence.
//   - A [Cloud] is safe for concurrent use, starts no goroutine and opens no socket (except in [Serve]).
//
// It is frozen to what the tests of the SDK layer and the demo need: loops, crashes and chaos are tested in package
// resource/world, where a new resource type costs nothing. Its queue stays, since the demo and the tests of dera run
// receive their events over the wire of SQS.
//
// What it does not do: verify signatures, evaluate IAM beyond the simple model of [Account.AddRole], charge money.
package awssim
