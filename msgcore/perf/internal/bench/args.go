package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Args is the command line of a measuring program.
type Args struct {
	Mode    string
	Address string        // to bind or to connect to; several are separated by commas
	Size    int           // of a message, in bytes
	Time    time.Duration // how long is counted, after the warm-up
	N       int           // sockets, connections or subscribers; at least 1
	flags   map[string]string
}

// Flag returns the value of a flag, or def if it was not given.
func (a *Args) Flag(name, def string) string {
	if v, ok := a.flags[name]; ok {
		return v
	}
	return def
}

// Addresses returns the addresses in Address.
func (a *Args) Addresses() []string { return strings.Split(a.Address, ",") }

// WarmUp is how long messages are not counted after the first one: long enough
// for buffers to grow and for tcp to open its window.
// -warmup says another time.
func (a *Args) WarmUp() time.Duration {
	if d, err := time.ParseDuration(a.Flag("warmup", "")); err == nil {
		return d
	}
	return min(100*time.Millisecond, a.Time)
}

// Parse reads a command line without the program's name.
func Parse(args []string) (*Args, error) {
	a := &Args{N: 1, flags: map[string]string{}}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, _ := strings.Cut(args[0][1:], "=")
		a.flags[name] = value
		args = args[1:]
	}
	if len(args) != 4 && len(args) != 5 {
		return nil, errors.New("usage: [-FLAG[=VALUE]]... MODE ADDRESS SIZE SECONDS [N]")
	}
	a.Mode, a.Address = args[0], args[1]
	size, err := strconv.ParseUint(args[2], 10, 31)
	if err != nil {
		return nil, fmt.Errorf("the size: %w", err)
	}
	seconds, err := strconv.ParseFloat(args[3], 64)
	if err != nil {
		return nil, fmt.Errorf("the seconds: %w", err)
	}
	a.Size, a.Time = int(size), time.Duration(seconds*float64(time.Second))
	if len(args) == 5 {
		if a.N, err = strconv.Atoi(args[4]); err != nil || a.N < 1 {
			return nil, fmt.Errorf("n is %q, want a number over 0", args[4])
		}
	}
	return a, nil
}

// grace is how long a program lives beyond what it is to count: it ends by itself
// even if whoever started it cannot end it any more.
const grace = 60 * time.Second

// Main runs the mode that the command line names and ends the process. A mode
// that measures ends it by itself, when it has its result.
func Main(modes map[string]func(*Args) error) {
	a, err := Parse(os.Args[1:])
	if err == nil {
		run, ok := modes[a.Mode]
		if !ok {
			err = fmt.Errorf("no mode %q", a.Mode)
		} else {
			time.AfterFunc(a.WarmUp()+a.Time+grace, func() { Fail(errors.New("still running long after its time")) })
			err = run(a)
		}
	}
	if err != nil {
		Fail(err)
	}
	Exit(0)
}

// Fail tells err on standard error and ends the process.
func Fail(err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", strings.Join(os.Args, " "), err)
	Exit(1)
}

// AtExit, if not nil, is called before the process ends.
var AtExit func()

// Exit ends the process, after AtExit.
func Exit(code int) {
	if AtExit != nil {
		AtExit()
	}
	os.Exit(code)
}
