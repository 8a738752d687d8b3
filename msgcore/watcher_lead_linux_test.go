package msgcore_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// These are about a REP whose caller waits for all of its connections itself
// (see watcher.go), while others want something of the socket, too.

// leading reports whether a caller does that now.
func leading() bool { return within("msgcore.(*watcher).lead(") }

// waiting reports whether somebody waits for a message that another one reads.
func waiting() bool { return within("msgcore.(*waitList).wait(") }

// within reports whether a goroutine is within the given function.
func within(function string) bool {
	b := make([]byte, 4<<20)
	return strings.Contains(string(b[:runtime.Stack(b, true)]), function)
}

// turn has req ask and get its answer.
func turn(t *testing.T, req *msgcore.Socket, ask string) {
	t.Helper()
	require.NoError(t, req.Send(ctx30(t), []byte(ask)))
	m, err := req.Recv(ctx30(t))
	require.NoError(t, err)
	require.Equal(t, ask, string(m.Bytes()))
	m.Release()
}

// A leadable is a REP with two connections and an inproc endpoint.
type leadable struct {
	*msgcore.Socket
	endpoint, inproc string

	reqs [2]*msgcore.Socket
}

func newLeadable(t *testing.T, endpoint string, o msgcore.Options) *leadable {
	t.Helper()
	rep := &leadable{Socket: msgcore.NewRep(&o), inproc: "inproc://" + t.Name()}
	t.Cleanup(func() { rep.Close() })
	bound, err := rep.Bind(ctx30(t), endpoint)
	require.NoError(t, err)
	rep.endpoint = bound
	_, err = rep.Bind(ctx30(t), rep.inproc)
	require.NoError(t, err)
	for i := range rep.reqs {
		rep.reqs[i] = msgcore.NewReq(nil)
		t.Cleanup(func() { rep.reqs[i].Close() })
		require.NoError(t, rep.reqs[i].Connect(bound))
	}
	require.NoError(t, rep.WaitPeers(ctx30(t), 2))
	return rep
}

// lead takes turns until one of the callers of Recv, who answer, leads.
func (rep *leadable) lead(t *testing.T) {
	t.Helper()
	for i := 0; ; i++ {
		turn(t, rep.reqs[i%2], "lead")
		for range 100 {
			if leading() {
				return
			}
			runtime.Gosched()
		}
		require.Less(t, i, 100_000, "nobody leads")
	}
}

// askAll has each of reqs ask so many times, side by side, and get its answers; one
// in every so many requests is larger than callers of Recv read by themselves.
func askAll(t *testing.T, times, every int, reqs ...*msgcore.Socket) {
	t.Helper()
	large := strings.Repeat("large", 50_000)
	var asking sync.WaitGroup
	for _, req := range reqs {
		asking.Go(func() {
			for i := range times {
				ask := fmt.Sprint("request ", i)
				if i%every == every-1 {
					ask = large
				}
				if err := req.Send(ctx30(t), []byte(ask)); err != nil {
					t.Error(err)
					return
				}
				m, err := req.Recv(ctx30(t))
				if err != nil || string(m.Bytes()) != ask {
					t.Errorf("request %d: %v", i, err)
					return
				}
				m.Release()
			}
		})
	}
	asking.Wait()
}

// connections runs f over tcp and ipc.
func connections(t *testing.T, f func(t *testing.T, endpoint string)) {
	schemes(t, func(t *testing.T, ep string) {
		if strings.HasPrefix(ep, "inproc") {
			t.Skip("inproc has no connections")
		}
		f(t, ep)
	})
}

// One of two callers leads. Of two messages that come at once from this process,
// the other gets the first; the second must reach the one that leads.
func TestLeaderHearsOfWhatIsLeft(t *testing.T) {
	connections(t, func(t *testing.T, ep string) {
		rep := newLeadable(t, ep, msgcore.Options{})
		dealer := msgcore.NewDealer(nil)
		defer dealer.Close()
		require.NoError(t, dealer.Connect(rep.inproc))

		for range sized(20, 500) {
			received, goOn := make(chan bool), make(chan bool)
			var callers sync.WaitGroup
			caller := func() {
				for {
					m, err := rep.Recv(ctx30(t))
					if err != nil {
						t.Error(err)
						return
					}
					local := string(m.Bytes()) == "local"
					if local {
						received <- true
						<-goOn
					}
					_ = m.Reply(ctx30(t), m.Frames...)
					if local {
						return
					}
				}
			}
			callers.Go(caller)
			rep.lead(t)
			callers.Go(caller)
			for !waiting() {
				runtime.Gosched()
			}
			require.NoError(t, dealer.Send(ctx30(t), nil, []byte("local")))
			require.NoError(t, dealer.Send(ctx30(t), nil, []byte("local")))
			for i := range 2 {
				select {
				case <-received:
				case <-time.After(patience):
					require.FailNow(t, "a message lies there, and a caller waits", "message %d", i)
				}
			}
			close(goOn)
			for range 2 {
				m, err := dealer.Recv(ctx30(t))
				require.NoError(t, err)
				m.Release()
			}
			callers.Wait()
		}
	})
}

// Callers that give up, that only look, and that stay; peers elsewhere and in
// this process; small requests and such as no caller reads by itself; room for
// one message. Nothing stops moving.
func TestLeadersComeAndGo(t *testing.T) {
	for _, hwm := range []int{0, 1} {
		connections(t, func(t *testing.T, ep string) {
			rep := newLeadable(t, ep, msgcore.Options{RecvHWM: hwm})
			serve := func(m msgcore.Msg) {
				_ = m.Reply(ctx30(t), m.Frames...)
				m.Release()
			}
			over := make(chan struct{})
			var callers sync.WaitGroup
			defer callers.Wait()
			defer close(over)
			caller := func(receive func(context.Context) (msgcore.Msg, bool)) {
				callers.Go(func() {
					for {
						select {
						case <-over:
							return
						default:
						}
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(2000))*time.Microsecond)
						if m, ok := receive(ctx); ok {
							serve(m)
						}
						cancel()
					}
				})
			}
			recv := func(ctx context.Context) (msgcore.Msg, bool) {
				m, err := rep.Recv(ctx)
				return m, err == nil
			}
			caller(recv)
			caller(recv)
			caller(func(ctx context.Context) (msgcore.Msg, bool) {
				var batch [1]msgcore.Msg
				n, err := rep.RecvBatch(ctx, batch[:])
				return batch[0], n == 1 && err == nil
			})
			caller(func(context.Context) (msgcore.Msg, bool) {
				m, ok, err := rep.TryRecv()
				runtime.Gosched()
				return m, ok && err == nil
			})

			local := msgcore.NewReq(nil)
			defer local.Close()
			require.NoError(t, local.Connect(rep.inproc))
			askAll(t, sized(200, 5000), 10, rep.reqs[0], rep.reqs[1], local)
		})
	}
}

// Two that stay, and neither has a time limit that would make it look again.
func TestLeadersTakeTurns(t *testing.T) {
	connections(t, func(t *testing.T, ep string) {
		rep := newLeadable(t, ep, msgcore.Options{RecvHWM: 1})
		var callers sync.WaitGroup
		defer callers.Wait()
		defer rep.Close()
		for range 2 {
			callers.Go(func() {
				for m, err := range rep.Messages(context.Background()) {
					if err != nil {
						return
					}
					_ = m.Reply(ctx30(t), m.Frames...)
					m.Release()
				}
			})
		}
		local := msgcore.NewReq(nil)
		defer local.Close()
		require.NoError(t, local.Connect(rep.inproc))
		askAll(t, sized(500, 10_000), 50, rep.reqs[0], rep.reqs[1], local)
	})
}

// A peer that sends one command after the other, and nothing else, keeps a
// caller neither from the requests of others nor from the end of its context.
func TestLeaderIsNotHeldUpByCommands(t *testing.T) {
	rep := newLeadable(t, "tcp://127.0.0.1:*", msgcore.Options{})
	flooder := rawHandshake(t, rep.endpoint, "REQ")
	require.NoError(t, rep.WaitPeers(ctx30(t), 3))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		for {
			m, err := rep.Recv(ctx)
			if err != nil {
				ended <- err
				return
			}
			_ = m.Reply(ctx30(t), m.Frames...)
			m.Release()
		}
	}()
	rep.lead(t)

	flood := bytes.Repeat(command("\x01X"), 16_000)
	var over atomic.Bool
	var flooding sync.WaitGroup
	defer flooding.Wait()
	defer over.Store(true)
	flooding.Go(func() {
		for !over.Load() {
			if _, err := flooder.Write(flood); err != nil {
				return
			}
		}
	})
	for i := range 20 {
		turn(t, rep.reqs[i%2], "ask")
	}
	cancel()
	select {
	case err := <-ended:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(patience):
		require.Fail(t, "a caller does not hear of the end of its context")
	}
}

// A hesitant connection says now and then that it has read nothing, or always
// once it is mute.
type hesitant struct {
	net.Conn
	reads int
	mute  atomic.Bool
}

func (c *hesitant) Read(b []byte) (int, error) {
	if c.reads++; c.reads%3 != 0 || c.mute.Load() {
		return 0, nil
	}
	return c.Conn.Read(b)
}

func TestConnectionsMayReadNothing(t *testing.T) {
	near, far := net.Pipe()
	conns := make(chan net.Conn, 1)
	c := &hesitant{Conn: near}
	conns <- c
	f := &fake{
		accept: func() (net.Conn, error) {
			if c, ok := <-conns; ok {
				return c, nil
			}
			return nil, net.ErrClosed
		},
		close: func() { close(conns) },
		dial:  func(context.Context) (net.Conn, error) { return far, nil },
	}
	ended := make(chan error, 10)
	rep := msgcore.NewRep(&msgcore.Options{Monitor: func(e msgcore.Event) {
		if e.Kind == msgcore.Disconnected {
			ended <- e.Err
		}
	}})
	defer rep.Close()
	bound, err := rep.Bind(ctx30(t), f.setUp(t.Name()))
	require.NoError(t, err)
	req := msgcore.NewReq(&msgcore.Options{Reconnect: msgcore.Reconnect{Interval: time.Hour}, Linger: msgcore.Discard})
	defer req.Close()
	require.NoError(t, req.Connect(bound))
	for _, size := range []int{10, 1000, 200_000} {
		ask := strings.Repeat("x", size)
		require.NoError(t, req.Send(ctx30(t), []byte(ask)))
		m, err := rep.Recv(ctx30(t))
		require.NoError(t, err)
		require.NoError(t, rep.Send(ctx30(t), m.Frames...))
		m, err = req.Recv(ctx30(t))
		require.NoError(t, err)
		require.Len(t, m.Bytes(), size)
	}
	c.mute.Store(true)
	require.NoError(t, req.Send(ctx30(t), []byte("the read that goes on ends with this")))
	select {
	case err := <-ended:
		require.ErrorIs(t, err, io.ErrNoProgress)
	case <-time.After(patience):
		require.Fail(t, "a connection that gives nothing lasts")
	}
}
