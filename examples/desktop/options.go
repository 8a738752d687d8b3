package main

import (
	"errors"
	"flag"
	"io"
)

const help = `desktop - view text files and write notes, in one window

    desktop [FILE...]           open each file in a tab; without any, the window
    desktop -                   show standard input as it arrives
    desktop -wait FILE...       and return when their tabs are closed, for EDITOR
    desktop -new-window [FILE...]
    desktop -list               print the names of the open tabs
    desktop -say TEXT           put a line in the channel of the open window

Exit codes: 0; 1 if a file could not be opened, or after -wait if a tab was closed
without saving it; 2 for wrong usage.
`

// options is a command line, understood.
type options struct {
	files     []string // names or file URIs; "-" is standard input
	wait      bool
	newWindow bool
	service   bool // of D-Bus: be there, without a request of its own
	list      bool
	say       string
}

// parse understands args, a command line without the name of the program.
func parse(args []string) (*options, error) {
	o := new(options)
	fs := flag.NewFlagSet("desktop", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // main prints the one line that matters
	fs.Usage = func() {}
	fs.BoolVar(&o.wait, "wait", false, "")
	fs.BoolVar(&o.newWindow, "new-window", false, "")
	fs.BoolVar(&o.service, "service", false, "")
	fs.BoolVar(&o.list, "list", false, "")
	fs.Func("say", "", func(text string) error {
		if text == "" {
			return errors.New("say what?")
		}
		o.say = text
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.files = fs.Args()
	switch {
	case o.wait && len(o.files) == 0:
		return nil, errors.New("-wait needs the files to wait for")
	case (o.list || o.service || o.say != "") && (o.wait || o.newWindow || len(o.files) > 0):
		return nil, errors.New("-list, -say TEXT and -service go alone")
	case count(o.files, "-") > 1:
		return nil, errors.New("standard input can be shown once only")
	}
	return o, nil
}

func count(names []string, name string) (n int) {
	for _, s := range names {
		if s == name {
			n++
		}
	}
	return n
}
