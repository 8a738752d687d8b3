package unique

import "net"

// A visit is a connection and who serves it: one goroutine at a time listens to it.
type visit struct {
	p    *localPort
	c    *localConn
	l    net.Listener // by which it has come
	said packet       // the last that the peer has said
	next *duty        // to have somebody wait for the next connection
}

// newVisit lets a peer in; crowd tells whether it is one of many. A peer that is not let
// in has a visit that has ended.
func newVisit(p *localPort, conn net.Conn, l net.Listener, room []byte, crowd bool) *visit {
	v := &visit{p: p, c: newLocalConn(conn), l: l}
	v.next = p.awaitLater(l, crowd)
	if !p.add(v.c) {
		_ = v.c.Close()
		return v
	}
	if err := v.c.shakeHands(room, p.limit); err != nil {
		debugf("a peer was not let in: %v", err)
		v.end()
		return v
	}
	v.said = packet{from: v.c.id, cred: v.c.cred()}
	return v
}

// end is the end of the connection. What was said to the peer goes out first.
func (v *visit) end() {
	v.p.remove(v.c)
	v.c.flush()
	_ = v.c.Close()
}

// listen has everything handled that the peer says, until it is gone. It returns false if
// another goroutine listens now.
func (v *visit) listen() bool {
	for v.c.z != nil {
		var err error
		if v.said.frames, err = v.c.readMessage(v.p.limit); err != nil {
			debugf("pid %d is gone: %v", v.said.cred.PID, err)
			v.said.frames, v.said.gone = nil, true
			v.p.handle(v.said)
			v.end()
			return true
		}
		handler := v.p.handle(v.said)
		v.said.frames = nil
		if handler != nil {
			v.run(handler)
			return false
		}
	}
	return true // it was not let in
}

// run runs a handler on this goroutine, which is not used for anything else afterwards:
// who knows what the handler has done to it. Another one listens in the meantime, if the
// handler takes a while, or else afterwards.
func (v *visit) run(handler func()) {
	v.c.flush()
	listens := v.p.later.putOff(v.goOn)
	defer func() { // the handler may end its goroutine
		if listens.takeBack() {
			v.goOn()
		}
	}()
	handler()
}

// goOn has another goroutine listen. It has the profiler's labels of the one that calls:
// a handler that sets some is to take them back, as pprof.Do does.
func (v *visit) goOn() {
	v.p.begun.Go(func() { v.p.work(v, v.l) })
}
