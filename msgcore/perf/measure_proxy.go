package main

import (
	"context"
	"fmt"
	"strings"
)

// proxied runs three programs: a proxy, which is bound at both of its ends, one
// that receives from its backend and measures, and one that sends to its frontend.
func proxied(ctx context.Context, b *bed, w *work, c *contender) (sample, error) {
	ctx, cancel := b.limited(ctx)
	defer cancel()
	proxy, err := b.start(ctx, w, c, "proxy", b.address(w), true)
	if err != nil {
		return sample{}, err
	}
	defer b.end(proxy)
	ends, err := proxy.expect(ctx, "ready")
	if err != nil {
		return sample{}, fmt.Errorf("proxy: %w", err)
	}
	front, back, ok := strings.Cut(ends, ",")
	if !ok {
		return sample{}, fmt.Errorf("proxy: it is bound to %q, want two addresses", ends)
	}
	receiver, err := b.start(ctx, w, c, "proxied", back, false)
	if err != nil {
		return sample{}, err
	}
	defer b.end(receiver)
	sender, err := b.start(ctx, w, c, "proxying", front, false)
	if err != nil {
		return sample{}, err
	}
	defer b.end(sender)
	line, err := receiver.expect(ctx, "result")
	if err != nil {
		return sample{}, fmt.Errorf("proxied: %w", err)
	}
	for _, p := range []*process{proxy, receiver, sender} {
		b.end(p)
	}
	return result(w, line, proxy.cpu()+receiver.cpu()+sender.cpu())
}
