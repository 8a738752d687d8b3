package unique

// Stats is what a primary has done so far. All of its fields are exported
// numbers and names, so that expvar.Func and encoding/json show it as it is.
type Stats struct {
	State   string // as of Holder.State
	Peers   int    // connections
	Queued  int    // invocations that wait for a handler
	Running int    // handlers that run or are kept free for a caller

	Completed   uint64 // invocations whose handler has ended, of other processes and of this one
	NotHandled  uint64 // those of them that were answered by NotHandled
	Panicked    uint64 // those of them whose handler panicked
	Canceled    uint64 // given up by the caller
	CallersGone uint64 // callers that died or hung up before their invocation was over
	Expired     uint64 // offers that nobody took in time
	Refused     uint64 // requests that were too large, or for which the queue was full
	SentOn      uint64 // requests that were sent on to the next primary
	Violations  uint64 // of the protocol
	Republished uint64 // times that this primary had to make itself found again, see Lost
}

// Stats returns the numbers of a primary, and zeros in a secondary.
func (i *Instance) Stats() Stats {
	if i.role != Primary {
		return Stats{}
	}
	return i.srv.snapshot()
}

func (s *server) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.State, st.Peers, st.Queued, st.Running = s.state().String(), len(s.peers), len(s.queue), s.used
	return st
}

// count counts the end of c. The caller holds mu.
func (s *server) count(c *call) {
	if !c.ran {
		return
	}
	s.stats.Completed++
	switch {
	case c.fault == faultPanic:
		s.stats.Panicked++
	case c.code == NotHandled:
		s.stats.NotHandled++
	}
}
