// Package export writes a report of findings for other programs: CSV for
// spreadsheets, SARIF for code scanning, JUnit for build servers, and a page of
// HTML for people. A writer takes a report and an io.Writer, and keeps nothing.
//
// Names, tags and policies in a report come from whoever may write them: every
// writer makes them harmless for what reads its output. A report holds what dera
// prints with --output json, and nothing that is left out there.
package export
