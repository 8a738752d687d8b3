package unique

import "sync"

// A credit is what may still be sent on a stream.
type credit struct {
	mu   sync.Mutex
	cond sync.Cond // with mu: n or err have changed
	n    int64     // may be sent
	err  error     // nothing may be sent any more
	late error     // nothing may be waited for any more
}

func newCredit(n int64) *credit {
	c := &credit{n: n}
	c.cond.L = &c.mu
	return c
}

// take waits for credit and takes up to most of it.
func (c *credit) take(most int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n <= 0 && c.err == nil && c.late == nil {
		c.cond.Wait()
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case c.n <= 0:
		return 0, c.late
	}
	n := min(int64(most), c.n)
	c.n -= n
	return int(n), nil
}

// wait waits until there is credit and takes none.
func (c *credit) wait() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n <= 0 && c.err == nil {
		c.cond.Wait()
	}
	return c.err
}

// give puts back what was taken and not used.
func (c *credit) give(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *credit) add(n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n = min(c.n+int64(min(n, maxWindow)), maxWindow)
	c.cond.Broadcast()
}

// fail makes take return err from now on; the first error counts.
func (c *credit) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.cond.Broadcast()
	}
}

// hurry makes take return err from now on when it would have to wait.
func (c *credit) hurry(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.late = err
	c.cond.Broadcast()
}

func (c *credit) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// An outlet is the writing end of a stream, the Stdout or Stderr of a handler.
type outlet struct {
	credit *credit
	send   func(p []byte) error // does not keep p

	mu sync.Mutex // one Write at a time, so that they do not mix
}

// Write implements io.Writer.
func (o *outlet) Write(p []byte) (written int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p) == 0 {
		return 0, o.credit.failed()
	}
	for len(p) > 0 {
		n, err := o.credit.take(min(len(p), chunk))
		if err != nil {
			return written, err
		}
		if err := o.send(p[:n]); err != nil {
			o.credit.fail(err)
			return written, err
		}
		p, written = p[n:], written+n
	}
	return written, nil
}
