package unique

import (
	"context"
	"math/rand/v2"
	"time"
)

// A pause spaces out the tries of something that cannot be waited for. It starts short, grows by half each time up to
// most, and varies by a quarter so that processes released together do not go on trying in step.
type pause struct {
	next, most time.Duration
	timer      *time.Timer
}

func newPause(first, most time.Duration) *pause {
	return &pause{next: first, most: most}
}

// wait sleeps for the next pause; it returns ctx's error as soon as ctx ends.
func (p *pause) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := p.next - p.next/4 + rand.N(p.next/2+1)
	p.next = min(p.next+p.next/2, p.most)
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	select {
	case <-ctx.Done():
		p.timer.Stop()
		return ctx.Err()
	case <-p.timer.C:
		return nil
	}
}
