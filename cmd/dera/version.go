package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What the release build sets (-ldflags "-X main.version=… -X main.commit=… -X
// main.date=…"); without it the commit and its time come from the build itself.
var version, commit, date = "dev", "", ""

// unknownBuild stands for what the build does not tell.
const unknownBuild = "unknown"

// build is which dera this is.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	// Date is when the commit was made, or when the release was built.
	Date string `json:"date"`
	// Dirty says that the tree had changes beside the commit.
	Dirty bool   `json:"dirty"`
	Go    string `json:"go"`
}

// newBuild reads it from what the linker and the Go command noted.
func newBuild(version, commit, date string, settings []debug.BuildSetting) build {
	b := build{Version: version, Commit: unknownBuild, Date: unknownBuild, Go: runtime.Version()}
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Dirty = s.Value == "true"
		}
	}
	if commit != "" {
		b.Commit = commit
	}
	if date != "" {
		b.Date = date
	}
	return b
}

// String is the line of dera version.
func (b build) String() string {
	dirty := ""
	if b.Dirty {
		dirty = " (dirty)"
	}
	date := b.Date
	if date == unknownBuild {
		date = "built at an unknown date"
	}
	return "dera " + b.Version + ", commit " + b.Commit + dirty + ", " + date + ", " + b.Go
}

func newVersionCommand(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, build date and Go version",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			var settings []debug.BuildSetting
			if info, ok := debug.ReadBuildInfo(); ok {
				settings = info.Settings
			}
			b := newBuild(version, commit, date, settings)
			if a.json() {
				return a.printJSON(b)
			}
			a.printf("%s\n", b)
			return nil
		},
	}
}
