package main

import (
	"context"
	"fmt"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/unique"
)

// eventChannel is the application's channel of events: the process with the windows
// has a SUB socket on it, and any other of this user's processes may publish
// there. Who asks package unique for it needs no address, and other users cannot
// reach it.
const eventChannel = "events"

// listen shows in the windows what is published, until ctx ends.
func (u *ui) listen(ctx context.Context, inst *unique.Instance) error {
	sub, err := inst.Open(ctx, eventChannel, msgcore.Sub, nil)
	if err != nil {
		return err
	}
	defer sub.Close()
	if err := sub.Subscribe(""); err != nil {
		return err
	}
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			return err
		}
		line := fmt.Sprintf("pid %d says: %s", m.Peer().Cred.PID, m.Bytes())
		u.do(func() { u.log(line) })
	}
	return nil
}

// say publishes text once somebody listens.
func say(ctx context.Context, inst *unique.Instance, text string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	pub, err := inst.Open(ctx, eventChannel, msgcore.Pub, nil)
	if err != nil {
		return err
	}
	defer pub.Close()
	if err := pub.WaitSubscribers(ctx, 1); err != nil {
		return fmt.Errorf("nobody listens: %w", err)
	}
	if err := pub.Send(ctx, []byte(text)); err != nil {
		return err
	}
	return pub.Close()
}
