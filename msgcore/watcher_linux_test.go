package msgcore_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// readers counts the goroutines that read connections, or wait to.
func readers() int {
	b := make([]byte, 4<<20)
	return strings.Count(string(b[:runtime.Stack(b, true)]), "msgcore.(*session).live")
}

// An accepted connection on which nothing happens has no goroutine; it gets one
// back when something comes, as often as it likes, and it is missed when it ends.
func TestIdleConnectionsHaveNoGoroutine(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		if strings.HasPrefix(ep, "inproc") {
			t.Skip("inproc has no connections")
		}
		const peers = 50
		router := msgcore.NewRouter(&msgcore.Options{Router: msgcore.RouterOptions{Notify: msgcore.NotifyDisconnect}})
		defer router.Close()
		bound, err := router.Bind(ctx30(t), ep)
		require.NoError(t, err)
		dealers := make([]*msgcore.Socket, peers)
		for i := range dealers {
			dealers[i] = msgcore.NewDealer(nil)
			defer dealers[i].Close()
			require.NoError(t, dealers[i].Connect(bound))
		}
		require.NoError(t, router.WaitPeers(ctx30(t), peers))

		for round := range 2 {
			deadline := time.Now().Add(patience)
			for readers() > 0 {
				require.True(t, time.Now().Before(deadline), "idle connections still have %d goroutines", readers())
				runtime.Gosched()
			}
			for i, d := range dealers {
				require.NoError(t, d.Send(ctx30(t), fmt.Appendf(nil, "%d.%d", round, i)))
			}
			got := map[string]bool{}
			for range dealers {
				m, err := router.Recv(ctx30(t))
				require.NoError(t, err)
				got[string(m.Frames[1])] = true
				require.NoError(t, router.Send(ctx30(t), m.Frames...))
			}
			require.Len(t, got, peers)
			for i, d := range dealers {
				m, err := d.Recv(ctx30(t))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprintf("%d.%d", round, i), string(m.Bytes()))
			}
		}
		for _, d := range dealers {
			require.NoError(t, d.Close())
		}
		for range dealers {
			m, err := router.Recv(ctx30(t))
			require.NoError(t, err)
			require.Equal(t, msgcore.NotifyDisconnect, m.Event())
		}
	})
}

// A REP with many connections, which its caller reads, serves all of them: with
// small and large requests, several at once, late ones, and a peer that goes.
func TestRepReadsManyConnections(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		for _, callers := range []int{1, 3} {
			rep := msgcore.NewRep(nil)
			bound, err := rep.Bind(ctx30(t), ep)
			require.NoError(t, err)
			var served sync.WaitGroup
			for range callers {
				served.Go(func() {
					for {
						m, err := rep.Recv(ctx30(t))
						if err != nil {
							return
						}
						_ = m.Reply(ctx30(t), m.Frames...) // the peer may be gone
					}
				})
			}
			var asking sync.WaitGroup
			for peer := range 8 {
				asking.Go(func() {
					req := msgcore.NewReq(nil)
					defer req.Close()
					if !(req.Connect(bound) == nil) {
						t.Error("a REQ cannot connect")
						return
					}
					for i := range sized(60, 600) {
						size := 10
						switch {
						case i%20 == 19:
							size = 200_000 // more than callers read by themselves
						case i%7 == 6:
							size = 3000
						}
						ask := strings.Repeat(fmt.Sprint(peer, i, "-"), size/8+1)
						if err := req.Send(ctx30(t), []byte(ask)); err != nil {
							t.Error(err)
							return
						}
						m, err := req.Recv(ctx30(t))
						if err != nil || string(m.Bytes()) != ask {
							t.Errorf("peer %d, request %d: a reply of %d bytes for %d, %v", peer, i, len(m.Bytes()), len(ask), err)
							return
						}
						m.Release()
					}
				})
			}
			asking.Wait()
			require.NoError(t, rep.Close())
			served.Wait()
		}
	})
}

// A peer with many requests under way does not keep a REP from those of others.
func TestRepServesInTurn(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		rep := msgcore.NewRep(nil)
		defer rep.Close()
		bound, err := rep.Bind(ctx30(t), ep)
		require.NoError(t, err)
		many, req := msgcore.NewDealer(nil), msgcore.NewReq(nil)
		defer many.Close()
		defer req.Close()
		require.NoError(t, many.Connect(bound))
		require.NoError(t, req.Connect(bound))
		require.NoError(t, rep.WaitPeers(ctx30(t), 2))

		next := func() string {
			m, err := rep.Recv(ctx30(t))
			require.NoError(t, err)
			body := string(m.Bytes())
			require.NoError(t, rep.Send(ctx30(t), []byte("done")))
			m.Release()
			return body
		}
		for range 10 { // until Recv reads by itself
			require.NoError(t, many.Send(ctx30(t), nil, []byte("many")))
			next()
			require.NoError(t, req.Send(ctx30(t), []byte("one")))
			next()
			_, err := req.Recv(ctx30(t))
			require.NoError(t, err)
		}

		for range 300 {
			require.NoError(t, many.Send(ctx30(t), nil, []byte("many")))
		}
		require.Equal(t, "many", next())
		require.NoError(t, req.Send(ctx30(t), []byte("one")))
		before := 0
		for next() != "one" {
			before++
		}
		require.Less(t, before, 10, "requests of the other peer were served first")
		for range 299 - before {
			require.Equal(t, "many", next())
		}
	})
}
