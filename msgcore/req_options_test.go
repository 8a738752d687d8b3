package msgcore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// correlated is what a REQ needs that may send again.
func correlated() *msgcore.Options {
	return &msgcore.Options{Req: msgcore.ReqOptions{Relaxed: true, Correlate: true}}
}

// A relaxed REQ sends again before the reply; the late reply to what it has given
// up is not taken for that of the new request, though the same peer sends both.
func TestReqRelaxedCorrelated(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := limited(t)
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(correlated())
		pair(t, rep, req, ep)
		_, err := req.Recv(ctx)
		require.ErrorIs(t, err, msgcore.ErrState)
		for _, text := range []string{"first", "second", "third"} {
			sendTexts(t, req, text)
		}
		for _, text := range []string{"first", "second", "third"} {
			require.Equal(t, []string{text}, recvTexts(t, rep))
			sendTexts(t, rep, "re: "+text)
		}
		require.Equal(t, []string{"re: third"}, recvTexts(t, req))
		_, err = req.Recv(ctx)
		require.ErrorIs(t, err, msgcore.ErrState)
		sendTexts(t, req, "fourth")
		require.Equal(t, []string{"fourth"}, recvTexts(t, rep))
		sendTexts(t, rep, "re: fourth")
		require.Equal(t, []string{"re: fourth"}, recvTexts(t, req))
	})
}

// Without Correlate the first reply of the same peer is taken, as by libzmq, and
// without Relaxed the second Send is refused.
func TestReqHalves(t *testing.T) {
	rep, relaxed := msgcore.NewRep(nil), msgcore.NewReq(&msgcore.Options{Req: msgcore.ReqOptions{Relaxed: true}})
	pair(t, rep, relaxed, anyPort)
	sendTexts(t, relaxed, "first")
	sendTexts(t, relaxed, "second")
	for range 2 {
		sendTexts(t, rep, append(recvTexts(t, rep), "!")...)
	}
	require.Equal(t, []string{"first", "!"}, recvTexts(t, relaxed))

	rep, strict := msgcore.NewRep(nil), msgcore.NewReq(&msgcore.Options{Req: msgcore.ReqOptions{Correlate: true}})
	pair(t, rep, strict, anyPort)
	sendTexts(t, strict, "first")
	require.ErrorIs(t, strict.Send(limited(t), []byte("second")), msgcore.ErrState)
	sendTexts(t, rep, recvTexts(t, rep)...)
	require.Equal(t, []string{"first"}, recvTexts(t, strict))
}

// A relaxed REQ goes to the next peer, and the reply of the one before is ignored,
// also while a Recv is under way.
func TestReqRelaxedTurnsToTheNext(t *testing.T) {
	for _, o := range []*msgcore.Options{correlated(), {Req: msgcore.ReqOptions{Relaxed: true}}} {
		slow, quick, req := open(t, msgcore.Rep, nil), open(t, msgcore.Rep, nil), open(t, msgcore.Req, o)
		require.NoError(t, req.Connect(bindTo(t, slow, anyPort)))
		require.NoError(t, req.Connect(bindTo(t, quick, anyPort)))
		require.NoError(t, req.WaitPeers(limited(t), 2))
		sendTexts(t, req, "first")
		require.Equal(t, []string{"first"}, recvTexts(t, slow))

		got := make(chan []string, 1)
		go func() { // it waits for slow's reply at first
			m, err := req.Recv(context.Background())
			if err != nil {
				got <- []string{err.Error()}
				return
			}
			got <- texts(m)
		}()
		sendTexts(t, req, "second") // to quick, whose turn it is
		require.Equal(t, []string{"second"}, recvTexts(t, quick))
		sendTexts(t, slow, "too late")
		sendTexts(t, quick, "in time")
		require.Equal(t, []string{"in time"}, <-got)
	}
}

// A REQ that sends again outlives the restart of its peer (lazy pirate, without
// throwing sockets away).
func TestReqRelaxedOutlivesRestart(t *testing.T) {
	ctx := limited(t)
	first, req := open(t, msgcore.Rep, nil), open(t, msgcore.Req, correlated())
	ep := bindTo(t, first, anyPort)
	require.NoError(t, req.Connect(ep))
	sendTexts(t, req, "lost")
	require.Equal(t, []string{"lost"}, recvTexts(t, first))
	require.NoError(t, first.Close())
	second := open(t, msgcore.Rep, nil)
	require.Eventually(t, func() bool { _, err := second.Bind(ctx, ep); return err == nil }, patience, 1e6)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for echo(ctx, second, 1) == nil { // each one that comes: a slow machine sends more than one
		}
	}()
	for {
		sendTexts(t, req, "again")
		soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		m, err := req.Recv(soon)
		cancel()
		if err == nil {
			require.Equal(t, []string{"again"}, texts(m))
			break
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, ctx.Err())
	}
	require.NoError(t, second.Close())
	<-served
}

// Lockstep and Requests tell their replies apart.
func TestReqCorrelatedBesideRequests(t *testing.T) {
	rep, req := msgcore.NewRep(nil), msgcore.NewReq(correlated())
	pair(t, rep, req, anyPort)
	done := make(chan error, 10)
	sendTexts(t, req, "lockstep")
	for range cap(done) {
		go func() {
			m, err := req.Request(limited(t), []byte("request"))
			if err == nil && string(m.Bytes()) != "request" {
				err = errText(m.Bytes())
			}
			done <- err
		}()
	}
	for range cap(done) + 1 {
		m, err := rep.Recv(limited(t))
		require.NoError(t, err)
		require.NoError(t, m.Reply(limited(t), m.Frames...))
	}
	require.Equal(t, []string{"lockstep"}, recvTexts(t, req))
	for range cap(done) {
		require.NoError(t, <-done)
	}
}

type errText string

func (e errText) Error() string { return "got " + string(e) }

// The number frame goes through a libzmq REP, and a libzmq REQ's through ours.
func TestReqCorrelateLibzmq(t *testing.T) {
	py := startPython(t)
	theirs, ours := py.open(t, "REP", nil), open(t, msgcore.Req, correlated())
	require.NoError(t, ours.Connect(theirs.bind(t, anyPort)))
	sendTexts(t, ours, "first")
	sendTexts(t, ours, "second")
	require.Equal(t, []string{"first"}, theirs.recv(t))
	theirs.send(t, "re: first")
	require.Equal(t, []string{"second"}, theirs.recv(t))
	theirs.send(t, "re: second")
	require.Equal(t, []string{"re: second"}, recvTexts(t, ours))
}

// A pyzmq REQ that is relaxed and correlated gets the right reply from our REP,
// and from our ROUTER by Msg.Reply.
func TestRepCorrelateLibzmq(t *testing.T) {
	py := startPython(t)
	o := pyOptions{"REQ_RELAXED": 1, "REQ_CORRELATE": 1}
	rep, req := open(t, msgcore.Rep, nil), py.open(t, "REQ", o)
	req.do(t, "connect", bindTo(t, rep, anyPort))
	req.send(t, "first")
	req.send(t, "second")
	for range 2 {
		sendTexts(t, rep, append(recvTexts(t, rep), "!")...)
	}
	require.Equal(t, []string{"second", "!"}, req.recv(t))

	router, req := open(t, msgcore.Router, nil), py.open(t, "REQ", o)
	req.do(t, "connect", bindTo(t, router, anyPort))
	req.send(t, "first")
	req.send(t, "second")
	for range 2 {
		m, err := router.Recv(limited(t))
		require.NoError(t, err)
		require.Len(t, m.Frames, 4)
		require.Len(t, m.Frames[1], 4)
		require.NoError(t, m.Reply(limited(t), m.Frames[3], []byte("!")))
	}
	require.Equal(t, []string{"second", "!"}, req.recv(t))
}
