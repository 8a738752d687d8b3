package msgcore

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What can only go wrong in a moment that no test from outside can hold.

// A led is a REP whose caller waits in the watcher's place for two connections.
type led struct {
	*Socket
	reqs [2]*Socket
	got  chan string // what that caller and its successors receive
}

func newLed(t *testing.T) *led {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	l := &led{Socket: NewRep(nil), got: make(chan string, 100)}
	t.Cleanup(func() { l.Close() })
	bound, err := l.Bind(ctx, "tcp://127.0.0.1:*")
	require.NoError(t, err)
	_, err = l.Bind(ctx, "inproc://"+t.Name())
	require.NoError(t, err)
	for i := range l.reqs {
		l.reqs[i] = NewReq(&Options{Linger: Discard})
		t.Cleanup(func() { l.reqs[i].Close() })
		require.NoError(t, l.reqs[i].Connect(bound))
		require.NoError(t, l.reqs[i].WaitPeers(ctx, 1))
	}
	require.NoError(t, l.WaitPeers(ctx, 2))
	go func() {
		for m, err := range l.Messages(ctx) {
			if err != nil {
				return
			}
			text := string(m.Bytes())
			if m.Reply(ctx, m.Frames...); text != "lead" {
				l.got <- text
			}
			m.Release()
		}
	}()
	for i := 0; !running("msgcore.(*watcher).lead("); i++ {
		require.NoError(t, l.reqs[i%2].Send(ctx, []byte("lead")))
		m, err := l.reqs[i%2].Recv(ctx)
		require.NoError(t, err)
		m.Release()
		for n := 0; n < 100 && !running("msgcore.(*watcher).lead("); n++ {
			runtime.Gosched()
		}
	}
	return l
}

// running reports whether a goroutine is within the given function.
func running(function string) bool {
	b := make([]byte, 4<<20)
	return strings.Contains(string(b[:runtime.Stack(b, true)]), function)
}

func (l *led) receives(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l.got:
		require.Equal(t, want, got)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "it lies there, and a caller waits", want)
	}
}

// One that was woken for a message and gives up tells the caller that leads.
func TestLeaderHearsOfOneThatGaveUp(t *testing.T) {
	l := newLed(t)
	l.recvMu.Lock()
	w := l.recvWait.add() // who plays another caller of Recv
	l.recvMu.Unlock()
	dealer := NewDealer(nil)
	defer dealer.Close()
	require.NoError(t, dealer.Connect("inproc://"+t.Name()))
	require.NoError(t, dealer.Send(t.Context(), nil, []byte("local")))
	<-w.ch
	l.gaveUp()
	l.receives(t, "local")
}

// The flag that somebody leads is taken down before another one may lead: or that
// one would not be told of anything.
func TestLeaderLeavesInOrder(t *testing.T) {
	l := newLed(t)
	w := l.watcher.Load()
	l.recvMu.Lock()
	defer l.recvMu.Unlock()
	w.set.interrupt()
	for running("msgcore.(*watcher).lead(") || !running("sync.(*Mutex).Lock(") {
		runtime.Gosched() // until it waits for recvMu
	}
	if w.token.TryLock() {
		w.token.Unlock()
		require.Fail(t, "another one may lead, and the flag is still to be taken down")
	}
}

// A caller that leads does not wait for room in the pipe of a connection: the
// others have their turn.
func TestLeaderDoesNotWaitForRoom(t *testing.T) {
	l := newLed(t)
	full := l.inletOf(l.reqs[0])
	full.mu.Lock()
	full.msgs, full.maxMsgs = full.msgs+1, 1 // one that somebody still has
	full.mu.Unlock()
	require.NoError(t, l.reqs[0].Send(t.Context(), []byte("waits")))
	for starved := false; !starved; runtime.Gosched() {
		full.mu.Lock()
		starved = full.starved
		full.mu.Unlock()
	}
	require.NoError(t, l.reqs[1].Send(t.Context(), []byte("goes on")))
	l.receives(t, "goes on")
	full.mu.Lock()
	full.credit(1, 0)
	full.mu.Unlock()
	full.roomed()
	l.receives(t, "waits")
}

// inletOf is what comes from req.
func (l *led) inletOf(req *Socket) *inlet {
	var local string
	req.sendMu.Lock()
	for p := range req.peers {
		local = p.sess.conn.LocalAddr().String()
	}
	req.sendMu.Unlock()
	l.sendMu.Lock()
	defer l.sendMu.Unlock()
	for p := range l.peers {
		if p.info.RemoteAddr == local {
			return p.sess.r.in
		}
	}
	return nil
}
