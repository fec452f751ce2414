// Package app holds what dera can be asked: the report of a scan, what a control
// would do, the explanation of a finding, a replay, an examination, an exported
// audit log with its evidence. Each is a function or a struct that returns a
// result; a command line prints it, and a console or an API can show it. Nothing
// here decides about a finding or writes to AWS: the engine does.
//
// The results are what commands print with --output json (docs/cli.md). Values
// of this package are not for use by several goroutines at once.
package app
