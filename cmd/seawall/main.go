// Command seawall is the whole program: the daemon, and the commands with
// which an operator looks at it.
//
// This room reads flags and files, wires the floors below together and
// speaks with the person on duty. Whatever decides about a request lives
// below and can be tested there; what is decided here (which mistake stands
// where, what a reload may change, which door is open to whom) is in small
// functions with tables of tests.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/seawall-edge/seawall"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commands are what can be typed. Their names are fixed, for others script them.
type commands struct {
	Run     runCommand      `cmd:"" help:"Serve sites until SIGTERM. SIGHUP reloads, SIGUSR1 reopens logs."`
	Check   checkCommand    `cmd:"" help:"Explain a configuration without starting it."`
	Status  statusCommand   `cmd:"" help:"Show what a running seawall is doing."`
	Why     whyCommand      `cmd:"" help:"Explain what happened to a request."`
	Rule    ruleCommand     `cmd:"" help:"Try rules before they are switched on."`
	Seal    sealCommand     `cmd:"" help:"Seal the key of a certificate, for tls.certificates."`
	Origin  originCACommand `cmd:"" name:"origin-ca" help:"Certificates with which a zone's servers and the edge know each other."`
	ECH     echCommand      `cmd:"" name:"ech" help:"Keys with which visitors hide the name of the site they ask for."`
	Trust   trustCommand    `cmd:"" help:"Print the root of this machine's own authority, or have the machine trust it."`
	Bypass  bypassCommand   `cmd:"" help:"Switch a part of what is done for a zone off for a while."`
	Demo    demoCommand     `cmd:"" help:"Show the edge at work on this machine, with a sample site behind it."`
	Version versionCommand  `cmd:"" help:"Show the version."`
}

// program is what commands run in.
type program struct {
	stdout, stderr io.Writer
}

// errSaid fails without another word: everything has been said.
var errSaid = errors.New("said")

// usageError is a mistake on the command line.
type usageError struct{ error }

func main() { os.Exit(execute(os.Args[1:], &program{stdout: os.Stdout, stderr: os.Stderr})) }

// execute runs one command line and returns its exit code.
func execute(args []string, p *program) (code int) {
	type exited int
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exited: // --help
			code = int(r)
		default:
			panic(r)
		}
	}()
	parser, err := kong.New(&commands{}, kong.Name("seawall"), kong.Writers(p.stdout, p.stderr),
		kong.Description("An edge in front of web sites: reverse proxy, cache and shield in one program."),
		kong.Vars{"state": defaultState}, kong.Exit(func(code int) { panic(exited(code)) }))
	if err != nil {
		fmt.Fprintf(p.stderr, "seawall: %v\n", err)
		return exitFailed
	}
	context, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "seawall: %v\nTry: seawall --help\n", err)
		return exitUsage
	}
	err = context.Run(p)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errSaid):
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "seawall: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(p.stderr, "seawall: %v\n", err)
	}
	return exitFailed
}

// rootCause returns the innermost of wrapped errors, which is the one that
// says something to a person.
func rootCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

type versionCommand struct{}

// Run prints one line: program, version, revision, Go.
func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintf(p.stdout, "seawall %s%s %s %s/%s\n", seawall.Version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// revision names the commit that was built, where the build knows it.
func revision() (text string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			text = " (" + setting.Value[:12] + ")" + text
		case setting.Key == "vcs.modified" && setting.Value == "true":
			text += " modified"
		}
	}
	return text
}
