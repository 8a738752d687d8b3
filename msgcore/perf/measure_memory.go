package main

import (
	"context"
	"fmt"
	"time"
)

// settle is how long a program is left alone before its memory is looked at.
const settle = 300 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// baseMemory is the resident memory of a process that has done nothing but bind
// one socket.
func baseMemory(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
	ctx, cancel := b.limited(ctx)
	defer cancel()
	p, err := b.start(ctx, w, c, "base", b.address(w), true)
	if err != nil {
		return sample{}, err
	}
	defer b.end(p)
	if _, err := p.expect(ctx, "ready"); err != nil {
		return sample{}, err
	}
	pause(ctx, settle)
	all, anonymous, err := resident(p.pid())
	return sample{value: all / 1024, extra: map[string]float64{"anonymous": anonymous / 1024}}, err
}

// idleMemory is by how much a server's resident memory has grown with N peers,
// for each of them, after each has sent one message and all are idle.
func idleMemory(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
	ctx, cancel := b.limited(ctx)
	defer cancel()
	server, err := b.start(ctx, w, c, "idlesrv", b.address(w), true)
	if err != nil {
		return sample{}, err
	}
	defer b.end(server)
	address, err := server.expect(ctx, "ready")
	if err != nil {
		return sample{}, err
	}
	pause(ctx, settle)
	before, _, err := resident(server.pid())
	if err != nil {
		return sample{}, err
	}
	clients, err := b.start(ctx, w, c, "idlecli", address, false)
	if err != nil {
		return sample{}, err
	}
	defer b.end(clients)
	if _, err := server.expect(ctx, "idle"); err != nil {
		return sample{}, fmt.Errorf("not all peers came: %w: %s", err, clients.stderr.String())
	}
	pause(ctx, settle)
	after, _, err := resident(server.pid())
	s := sample{value: (after - before) / float64(w.n), extra: map[string]float64{"before": before, "after": after}}
	if err == nil && s.value <= 0 {
		err = fmt.Errorf("the server's memory went from %g to %g KiB", before, after)
	}
	return s, err
}
