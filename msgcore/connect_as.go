package msgcore

import "errors"

var errNoID = errors.New("an empty routing id: use Connect, which lets the peer choose")

// ConnectAs is Connect that gives the peer at endpoint its routing id on this
// socket, whatever the peer calls itself. So a ROUTER can send to it before it is
// there: what is sent waits for the connection, and for the next one, if
// Options.Immediate does not forbid it. A STREAM drops what a lost connection has
// not taken, and the next one has the same id.
//
// The id has 1 to 255 bytes, does not start with a zero byte, and must not be in
// use; no other peer can have it, with Options.Router.Handover neither. It is free
// again after Disconnect. ROUTER and STREAM only.
func (s *Socket) ConnectAs(endpoint, routingID string) error {
	if s.optErr != nil {
		return s.optErr
	}
	t, ok := s.pat.(interface{ admits(id string) error })
	if !ok {
		return s.fail("connect", endpoint, errors.ErrUnsupported)
	}
	s.sendMu.Lock()
	err := t.admits(routingID)
	if routingID == "" {
		err = errNoID
	}
	s.sendMu.Unlock()
	if err != nil {
		return s.fail("connect", endpoint, err)
	}
	return s.connect(endpoint, routingID)
}
