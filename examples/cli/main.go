// Spool runs commands one after the other in a queue that all terminals of a
// user share. It is a program to use, and the worked example of package unique:
// the first launch starts the queue as a detached process of this same program,
// and every launch hands its command line over to that one process.
//
//	main.go     the command line: the launches and the queue parse it alike
//	client.go   the side of the launches: they hand over, and read the records
//	queue.go    the side of the queue: slots, and the handler of all launches
//	job.go      a job while it runs: its streams and signals
//	process_*   the processes of a job, as far as systems differ
//	store.go    the state directory
//	events.go   what the queue tells its watchers, on a PUB channel
//	watch.go    a watcher, with a SUB socket on that channel
//	status.go   who the queue is, and where it is found
//	replace.go  a new queue process takes over from the running one
//
// "spool -h" explains how to use it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"
)

// appID names the application to package unique; see id.
const appID = "com.github.solomq.spool"

// What spool exits with when it is not a job's own code that counts.
const (
	exitFailed = 1   // a verb could not do what it was asked to
	exitUsage  = 2   // the command line is wrong
	exitSpool  = 125 // a job was not run, or its fate is unknown
	exitExec   = 126 // a job's command was found but cannot be executed
	exitNone   = 127 // a job's command was not found
	exitSignal = 128 // plus the number of the signal that ended a job
)

func main() {
	umask := getUmask() // changes it for a moment, so before there is a second goroutine
	args := os.Args[1:]
	switch {
	case len(args) > 2 && args[0] == superviseArg:
		os.Exit(supervise(args[1], args[2:]))
	case len(args) > 1 && args[0] == queueArg:
		if err := serve(args[1], args[2:]); err != nil {
			fmt.Fprintf(os.Stderr, "spool: the queue %s: %v\n", args[1], err)
			os.Exit(exitSpool)
		}
		return
	}
	c, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(help)
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "spool: %v (spool -h explains)\n", err)
		os.Exit(exitUsage)
	}
	code, err := dispatch(c, umask)
	if err != nil {
		fmt.Fprintf(os.Stderr, "spool: %v\n", err)
	}
	os.Exit(code)
}

func dispatch(c *command, umask int) (code int, err error) {
	l, err := newLaunch(c)
	if err != nil {
		return exitSpool, err
	}
	switch c.verb {
	case "list":
		return l.list(os.Stdout)
	case "cat":
		return l.cat(os.Stdout)
	case "wait":
		return l.wait()
	case "kill":
		return l.kill()
	case "stop":
		return l.stop()
	case "watch":
		return l.watch(os.Stdout)
	case "where":
		return l.where(os.Stdout)
	case "status":
		return l.status(os.Stdout)
	case verbReplace:
		return l.replace()
	default:
		return l.run(umask)
	}
}

// Arguments that only spool gives to itself.
const (
	queueArg     = "-queue"     // NAME [SETTING...]: be the queue
	superviseArg = "-supervise" // UMASK COMMAND...: run one job on behalf of the queue
)

// The verbs that a user types, and the number of ids that each takes.
var verbs = map[string]int{"list": 0, "cat": 1, "wait": 1, "kill": 1, "stop": 0, "watch": 0, "where": 0, "status": 0}

// Verbs without a word of their own.
const (
	verbRun      = "--"         // run or, with -d, enqueue args
	verbSet      = "-"          // only change the settings of the queue
	verbReplace  = "-replace"   // a new process is to be the queue
	verbSnapshot = "(snapshot)" // what watch asks the queue
)

// A command is a command line, understood.
type command struct {
	verb    string
	id      int      // of cat, wait, kill
	args    []string // of verbRun
	name    string
	slots   int            // 0 if not given
	idle    *time.Duration // nil if not given
	detach  bool
	noInput bool
	replace bool
	verbose bool
	json    bool
	follow  bool
}

var nameRule = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// parse understands args, a command line without the name of the program.
func parse(args []string) (*command, error) {
	c := new(command)
	fs := c.flags("spool")
	fs.BoolVar(&c.detach, "d", false, "")
	fs.BoolVar(&c.noInput, "n", false, "")
	fs.BoolVar(&c.replace, "replace", false, "")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	rest := fs.Args()
	dashes := len(rest) < len(args) && args[len(args)-len(rest)-1] == "--"
	switch {
	case c.replace && (dashes || len(rest) > 0 || c.detach):
		return nil, errors.New("-replace stands alone: spool -replace [-slots N] [-idle D]")
	case c.replace:
		c.verb = verbReplace
	case dashes && len(rest) > 0 && rest[0] != "":
		c.verb, c.args = verbRun, rest
	case dashes:
		return nil, errors.New("no command after --")
	case len(rest) == 0 && c.detach:
		return nil, errors.New("-d needs a command: spool -d -- COMMAND [ARG...]")
	case len(rest) == 0 && (c.slots > 0 || c.idle != nil):
		c.verb = verbSet
	case len(rest) == 0:
		return nil, errors.New("nothing to do: spool -- COMMAND [ARG...] runs a command")
	default:
		if err := c.parseVerb(rest[0], rest[1:]); err != nil {
			return nil, err
		}
	}
	if !nameRule.MatchString(c.name) {
		return nil, fmt.Errorf("-name %q: want up to 64 letters, digits, and any of \"_.-\" but not first", c.name)
	}
	return c, nil
}

func (c *command) parseVerb(verb string, args []string) error {
	ids, known := verbs[verb]
	switch {
	case verb == verbSnapshot && len(args) == 0:
		c.verb = verb
		return nil
	case !known:
		return fmt.Errorf("%q is none of list, cat, wait, kill, stop, watch, status and where; to run it: spool -- %s", verb, verb)
	case c.detach:
		return fmt.Errorf("-d does not go with %s: it enqueues a command, spool -d -- COMMAND [ARG...]", verb)
	}
	fs := c.flags(verb)
	if verb == "list" {
		fs.BoolVar(&c.json, "json", false, "")
	}
	if verb == "cat" {
		fs.BoolVar(&c.follow, "f", false, "")
	}
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	if c.slots > 0 || c.idle != nil {
		return fmt.Errorf("-slots and -idle do not go with %s; to only set them: spool -slots N", verb)
	}
	if fs.NArg() != ids {
		if ids == 0 {
			return fmt.Errorf("%s takes no argument, but there is %q", verb, fs.Arg(0))
		}
		return fmt.Errorf("%s takes one job's id, as shown by spool list", verb)
	}
	if ids == 1 {
		id, err := strconv.Atoi(fs.Arg(0))
		if err != nil || id < 1 {
			return fmt.Errorf("%s: %q is not the id of a job; spool list shows them", verb, fs.Arg(0))
		}
		c.id = id
	}
	c.verb = verb
	return nil
}

// flags returns a set with the flags that go before and after a verb.
func (c *command) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // main prints the one line that matters
	fs.Usage = func() {}
	if c.name == "" {
		c.name = "default"
	}
	fs.StringVar(&c.name, "name", c.name, "")
	fs.BoolVar(&c.verbose, "v", c.verbose, "")
	fs.Func("slots", "", func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 10000 {
			return errors.New("want a number from 1 to 10000")
		}
		c.slots = n
		return nil
	})
	fs.Func("idle", "", func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil {
			return errors.New(`want a duration such as 30s or 1h`)
		}
		c.idle = &d
		return nil
	})
	return fs
}
