package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/solomq/solomq/unique"
)

// status tells about the process that runs the queue. Without one, the exit code
// says so, too.
func (l *launch) status(w io.Writer) (int, error) {
	h, err := unique.Lookup(context.Background(), l.store.id(), l.opts)
	var hangs *unique.UnresponsiveError
	switch {
	case errors.Is(err, unique.ErrNoPrimary):
		_, err := fmt.Fprintln(w, "no queue is running; the next job starts one")
		return exitFailed, err
	case errors.As(err, &hangs):
		return exitFailed, l.explain(err)
	case err != nil:
		return exitFailed, err
	}
	_, err = fmt.Fprintf(w, "pid %d, %v, for %v, at %s\n", h.PID, h.State, h.Uptime().Round(time.Second), h.Endpoint)
	return 0, err
}

// where tells which files the processes of the queue meet at, and why there.
func (l *launch) where(w io.Writer) (int, error) {
	at, err := unique.Where(l.store.id(), l.opts)
	if err != nil {
		return exitFailed, err
	}
	_, err = fmt.Fprintf(w, "%v\nstate     %s\n", at, l.store.dir)
	return 0, err
}
