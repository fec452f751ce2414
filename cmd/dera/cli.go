package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/app"
	"dera.example/dera/engine"
)

// cli is what all commands share: streams, clock and global flags.
type cli struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	flags    flags
	// from are the environment variables that flags were taken from, by the name of
	// the flag.
	from map[string]string
	// inUse are the files that the command goes by, beside those that flags name.
	inUse []string
	// listenOn is where dera run listens, of the command line, and consoleOn where it serves the console;
	// meter is what it counts.
	listenOn, consoleOn string
	meter               *meter
	// stopping says that the command only stops or resumes, which must work when AWS does not.
	stopping bool
	// namedConfig says that --config named the configuration.
	namedConfig bool
	// clock is what now reads once the database was opened: every process on one goes by its time.
	clock *clock
	// hurry shortens what takes minutes, for tests; nil leaves it.
	hurry func(*engine.Config)
}

// flags are the global ones.
type flags struct {
	data         string
	db           string
	config       string
	exemptions   string
	noExemptions bool
	mode         string
	regions      []string
	allRegions   bool
	output       string
	profile      string
	quiet        bool
	logLevel     string
	logFormat    string
}

const defaultData = "dera-data"

func (f *flags) register(root *cobra.Command) {
	p := root.PersistentFlags()
	p.StringVar(&f.data, "data", defaultData, "folder of database, keys and log; created for its owner alone")
	p.StringVar(&f.db, "db", "", "database: sqlite:PATH or postgres://… (default: sqlite in the data folder)")
	p.StringVar(&f.config, "config", "", "configuration file (YAML); see dera config schema")
	p.StringVar(&f.exemptions, "exemptions", "", "exemption list (YAML); see dera exemptions check")
	p.BoolVar(&f.noExemptions, "no-exemptions", false, "there is no exemption list; enforce mode requires this or --exemptions")
	p.StringVar(&f.mode, "mode", "", "observe, review or enforce, for everything (default: the configuration's, or observe)")
	p.StringSliceVar(&f.regions, "region", nil, "regions, separated by commas (default: the environment's, or us-east-1)")
	p.BoolVar(&f.allRegions, "all-regions", false, "every region that is switched on")
	p.StringVarP(&f.output, "output", "o", "table", "table or json")
	p.StringVar(&f.profile, "profile", "", "profile of the AWS shared configuration (default: AWS_PROFILE)")
	p.BoolVar(&f.quiet, "quiet", false, "print only the answer and errors: no notes, no progress")
	p.StringVar(&f.logLevel, "log-level", "", "debug, info, warn or error (default: info for dera run; other commands write no log)")
	p.StringVar(&f.logFormat, "log-format", "", "text or json (default: text on a terminal, otherwise json)")
}

// before checks what all commands share: the environment, the form of the answer,
// and the log.
func (a *cli) before(cmd *cobra.Command) error {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return nil // what is completed asks for itself, and nothing is said
	}
	if err := a.environment(cmd); err != nil {
		return err
	}
	a.namedConfig = cmd.Flags().Changed("config")
	if err := a.checkFormat(cmd); err != nil {
		return err
	}
	return a.checkLog()
}

func (a *cli) json() bool { return a.flags.output == "json" }

// printJSON writes one indented JSON value.
func (a *cli) printJSON(v any) error {
	e := json.NewEncoder(app.PlainJSON(a.out))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (a *cli) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// note writes to standard error what is said beside the answer. --quiet leaves it
// out.
func (a *cli) note(format string, args ...any) {
	if !a.flags.quiet {
		a.alert(format, args...)
	}
}

// alert writes to standard error what --quiet does not leave out.
func (a *cli) alert(format string, args ...any) {
	fmt.Fprint(a.err, fitted(a.err, fmt.Sprintf(format, args...)))
}
