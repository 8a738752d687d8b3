package unique

// Defer makes the invocation last beyond the return of its Handler, whose
// result does not count then: it is over when exit is called, with its exit
// code, from any goroutine and at any time; later calls do nothing. Until then
// the caller waits, ctx and the streams go on working, and the primary is
// neither idle nor does it let a handler's place go (Options.MaxRunning).
//
// An invocation whose caller is gone or has given up is over without exit, and
// so is one that is left when the context of Serve ends: its caller gets an
// ErrGone. Nothing depends on exit being collected: one that is never called
// keeps its caller waiting.
//
// It is for Handlers, before they return. Elsewhere exit does nothing.
func (inv *Invocation) Defer() (exit func(code int)) {
	if inv.deferral == nil {
		return func(int) {}
	}
	return inv.deferral()
}

// deferExit is Defer for the handler of c.
func (c *call) deferExit() func(code int) {
	c.deferred.Store(true)
	return func(code int) {
		c.exitOnce.Do(func() {
			c.exitCode = code
			close(c.exited)
		})
	}
}

// awaitExit waits for the end of a deferred invocation.
func (c *call) awaitExit() {
	select {
	case <-c.exited:
	default:
		select {
		case <-c.exited:
		case <-c.ctx.Done():
			c.code, c.fault = 75, faultEnded // EX_TEMPFAIL, for peers that know codes only
			c.reason = "it stopped serving before the invocation was completed"
			return
		}
	}
	c.code = c.exitCode
}
