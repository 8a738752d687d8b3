package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
)

// lookEvery is how often a watcher looks whether the queue is still there, and
// brings the times on a terminal up to date.
const lookEvery = 500 * time.Millisecond

// watch follows the queue until it is interrupted, and the next queue when that
// one has ended.
func (l *launch) watch(stdout *os.File) (int, error) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	records, err := l.store.records()
	if err == nil {
		err = l.resolve(records)
	}
	if err != nil {
		return exitFailed, err
	}
	v := newView(stdout, isTerminal(stdout), records)
	for {
		key, err := l.queue()
		if err == nil && key != "" {
			err = l.attach(ctx, v, key)
		}
		if err == nil {
			err = v.err
		}
		switch {
		case ctx.Err() != nil:
			v.clear()
			return signalCode(os.Interrupt), nil
		case err != nil:
			return exitFailed, err
		case key != "":
			v.status("the queue has ended; waiting for the next")
		case v.note == "":
			v.status("no queue is running; waiting for one")
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// attach follows the queue process that has the key until it is gone.
//
// It subscribes first and then asks for a snapshot, so that nothing can happen
// in between: events that the snapshot contains are dropped by their number. As
// subscribing takes its time to reach the publisher, the snapshot counts only
// once an event of its number, or of the next, has come; the queue publishes
// one for each snapshot. A gap in the numbers, of a watcher that was too slow,
// asks for the next snapshot.
func (l *launch) attach(ctx context.Context, v *view, key string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	app, err := unique.Acquire(ctx, l.store.id(), l.opts)
	if err != nil {
		return err
	}
	defer app.Close()
	sub, err := app.Open(ctx, channel, msgcore.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		return err
	}
	events := make(chan event)
	go func() {
		for m, err := range sub.Messages(ctx) {
			var e event
			if err != nil || json.Unmarshal(m.Bytes(), &e) != nil {
				continue // the last turn, or nothing that this version understands
			}
			select {
			case events <- e:
			case <-ctx.Done():
			}
		}
	}()

	var last uint64             // number of the newest event that the view contains
	ask, inForce := true, false // for a snapshot; the subscription, since that
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if ask {
			ask, inForce = false, false
			snap, err := l.snapshot(ctx, app)
			if err != nil {
				return l.settle(v)
			}
			last = snap.Seq
			v.applyAll(snap.Jobs)
			if err := l.settle(v); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			switch {
			case e.Seq < last: // the snapshot contains it
			case e.Seq > last+1:
				ask = true
			case e.End:
				return l.settle(v)
			default:
				inForce, last = true, e.Seq
				v.apply(e)
			}
		case <-look.C:
			ask = !inForce
			v.draw()
			if now, err := l.queue(); err != nil || now != key {
				return l.settle(v)
			}
		}
		if v.err != nil {
			return v.err
		}
	}
}

// snapshot asks the queue for its state.
func (l *launch) snapshot(ctx context.Context, app *unique.Instance) (s snapshot, err error) {
	var answer bytes.Buffer
	inv := &unique.Invocation{Args: []string{os.Args[0], verbSnapshot}, Stdout: &answer, Stderr: io.Discard}
	if _, err = app.Forward(ctx, inv); err == nil {
		err = json.Unmarshal(answer.Bytes(), &s)
	}
	return s, err
}

// settle shows what the records on disk know beyond the events: jobs that ended
// before the subscription was in force, or with their queue.
func (l *launch) settle(v *view) error {
	records, err := l.store.records()
	if err == nil {
		err = l.resolve(records)
	}
	if err == nil {
		v.applyAll(records)
	}
	return err
}
