package msgcore

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// A door bounds how many accepted connections are in their handshake at once. If
// there are too many, the one that has been at it the longest has to go: strangers
// that connect and say nothing do not keep out a peer that comes to the point.
type door struct {
	mu  sync.Mutex // of all below
	all list.List  // of context.CancelCauseFunc, the oldest first
}

var errCrowded = errors.New("it took longer than the others and made room for a new connection (Options.HandshakePeers)")

// enter returns the context of a handshake; leave ends it.
func (d *door) enter(ctx context.Context, most int) (hctx context.Context, leave func()) {
	hctx, cancel := context.WithCancelCause(ctx)
	d.mu.Lock()
	e := d.all.PushBack(cancel)
	var oldest *list.Element
	if most > 0 && d.all.Len() > most {
		oldest = d.all.Front()
		d.all.Remove(oldest)
	}
	d.mu.Unlock()
	if oldest != nil {
		oldest.Value.(context.CancelCauseFunc)(errCrowded)
	}
	return hctx, func() {
		d.mu.Lock()
		d.all.Remove(e) // which is nothing if it is out already
		d.mu.Unlock()
		cancel(nil)
	}
}
