package msgcore

import "errors"

// Topics returns how many different prefixes there are subscriptions to: on PUB
// and XPUB those of all peers, on SUB and XSUB the socket's own.
func (s *Socket) Topics() (int, error) {
	if s.optErr != nil {
		return 0, s.optErr
	}
	s.recvMu.Lock()
	defer s.recvMu.Unlock()
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	t, ok := s.pat.(interface{ topics() int })
	switch {
	case !ok:
		return 0, s.fail("topics", "", errors.ErrUnsupported)
	case s.closed:
		return 0, s.fail("topics", "", errClosed)
	}
	return t.topics(), nil
}

// topics is Topics under sendMu.
func (t *pubPattern) topics() int { return t.subs.Prefixes() }

// topics is Topics under recvMu.
func (t *subscriber) topics() int { return t.subs.Len() }
