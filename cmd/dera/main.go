// Command dera is the closed-loop cloud security remediation engine. Here all
// packages meet: commands, configuration and wiring.
package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // freeze windows name time zones, also where the machine has no table of them

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := notified()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// notified is over when the process is asked to end.
func notified() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	return runAt(ctx, time.Now, args, in, out, errOut)
}

// runAt is run by another clock.
func runAt(ctx context.Context, now func() time.Time, args []string, in io.Reader, out, errOut io.Writer) int {
	return (&cli{in: in, now: now}).run(ctx, args, out, errOut)
}

// run executes one command line, once.
func (a *cli) run(ctx context.Context, args []string, out, errOut io.Writer) int {
	answer := &answerTo{to: out}
	shown, said := newScreen(answer), newScreen(errOut)
	defer said.end()
	a.out, a.err = shown, said
	root := newRootCommand(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	shown.end()
	return a.ended(ctx, err, answer)
}

// newRootCommand lists every command.
func newRootCommand(a *cli) *cobra.Command {
	root := &cobra.Command{
		Use:   "dera",
		Short: "Closed-loop cloud security remediation: detect, evaluate, remediate, audit",
		Long: "dera watches AWS accounts, finds misconfigurations as they appear, decides which can be fixed safely\n" +
			"without a person, fixes them, proves the fix, and keeps a record that an auditor can verify offline.",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noSuchCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(badFlag)
	root.SetOut(a.out)
	a.flags.register(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, list []string) error {
		return cmp.Or(a.before(cmd), blankArgument(cmd, list))
	}
	root.AddCommand(
		newFindingsCommand(a), newWaitingCommand(a), newReportCommand(a), newShowCommand(a), newWhyCommand(a),
		newDemoCommand(a), newScanCommand(a), newRunCommand(a), newConsoleCommand(a), newReplayCommand(a),
		newRemediateCommand(a), newApproveCommand(a), newRejectCommand(a), newRollbackCommand(a),
		newAccessCommand(a), newContainCommand(a), newIncidentCommand(a), newStopCommand(a), newResumeCommand(a),
		newAuditCommand(a), newBackupCommand(a), newExemptionsCommand(a), newRoleCommand(a), newPatternCommand(a), newControlCommand(a),
		newPolicyCommand(a), newUsageCommand(a), newCatalogCommand(a), newConfigCommand(a), newNotifyCommand(a), newDoctorCommand(a), newVersionCommand(a),
	)
	arrange(root)
	if width, tty := terminal(a.out); tty {
		fitHelp(root, width)
	}
	a.complete(root)
	refuseBlank(root)
	return root
}
