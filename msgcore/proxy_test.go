package msgcore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
)

// runProxy binds both sides of p and runs it until the test ends.
func runProxy(t *testing.T, p *msgcore.Proxy, front, back string) (frontAt, backAt string) {
	t.Helper()
	frontAt, err := p.Frontend.Bind(ctx30(t), front)
	require.NoError(t, err)
	backAt, err = p.Backend.Bind(ctx30(t), back)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		p.Frontend.Close()
		p.Backend.Close()
	})
	return frontAt, backAt
}

func TestProxyQueue(t *testing.T) {
	p := &msgcore.Proxy{Frontend: msgcore.NewRouter(nil), Backend: msgcore.NewDealer(nil)}
	front, back := runProxy(t, p, "tcp://127.0.0.1:*", "inproc://workers")
	ctx := ctx30(t)
	var workers sync.WaitGroup
	t.Cleanup(workers.Wait)
	for range 3 {
		rep := msgcore.NewRep(nil)
		require.NoError(t, rep.Connect(back))
		workers.Go(func() {
			for m, err := range rep.Messages(ctx) {
				if err != nil || m.Reply(ctx, m.Frames[0], []byte("done")) != nil {
					return
				}
			}
		})
		t.Cleanup(func() { rep.Close() })
	}
	req := msgcore.NewReq(nil)
	defer req.Close()
	require.NoError(t, req.Connect(front))
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			m, err := req.Request(ctx, []byte(fmt.Sprint(i)))
			if err != nil || string(m.Bytes()) != fmt.Sprint(i)+"done" {
				t.Errorf("request %d: %q, %v", i, m.Bytes(), err)
			}
		})
	}
	calls.Wait()
	require.EqualValues(t, 200, p.Stats().ToBackend)
	require.EqualValues(t, 200, p.Stats().ToFrontend)
}

func TestProxyForwarder(t *testing.T) {
	capture, watch := msgcore.NewPair(nil), msgcore.NewPair(nil)
	pair(t, watch, capture, "inproc://capture")
	require.NoError(t, capture.WaitPeers(ctx30(t), 1))
	p := &msgcore.Proxy{Frontend: msgcore.NewXSub(nil), Backend: msgcore.NewXPub(nil), Capture: capture}
	front, back := runProxy(t, p, "inproc://publishers", "tcp://127.0.0.1:*")
	pub, sub := msgcore.NewPub(nil), msgcore.NewSub(nil)
	defer pub.Close()
	defer sub.Close()
	require.NoError(t, pub.Connect(front))
	require.NoError(t, sub.Connect(back))
	require.NoError(t, sub.Subscribe("news"))
	require.NoError(t, pub.WaitSubscribers(ctx30(t), 1)) // it came through
	require.NoError(t, pub.Send(ctx30(t), []byte("weather"), []byte("rain")))
	require.NoError(t, pub.Send(ctx30(t), []byte("news"), []byte("today")))
	require.Equal(t, "newstoday", recvText(t, sub))
	require.Equal(t, "\x01news", recvText(t, watch))
	require.Equal(t, "newstoday", recvText(t, watch))
}

func TestProxyPauses(t *testing.T) {
	p := &msgcore.Proxy{Frontend: msgcore.NewPull(nil), Backend: msgcore.NewPush(nil)}
	p.Pause()
	front, back := runProxy(t, p, "inproc://in", "inproc://out")
	push, pull := msgcore.NewPush(nil), msgcore.NewPull(nil)
	defer push.Close()
	defer pull.Close()
	require.NoError(t, push.Connect(front))
	require.NoError(t, pull.Connect(back))
	require.NoError(t, push.Send(ctx30(t), []byte("x")))
	_, ok, err := pull.TryRecv()
	require.NoError(t, err)
	require.False(t, ok)
	require.Zero(t, p.Stats().ToBackend)
	p.Resume()
	require.Equal(t, "x", recvText(t, pull))
}

func TestPoller(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
		pair(t, rep, req, ep)
		push, pull := msgcore.NewPush(&msgcore.Options{SendHWM: 1}), msgcore.NewPull(&msgcore.Options{RecvHWM: 1})
		pair(t, pull, push, "inproc://p"+t.Name())
		var p msgcore.Poller
		_, err := p.Wait(ctx, nil)
		require.Error(t, err)
		p.Add(rep, msgcore.PollIn)
		p.Add(pull, msgcore.PollIn)
		for round := range 50 {
			go func() {
				if round%2 == 0 {
					_, _ = req.Request(ctx, []byte("q"))
				} else {
					_ = push.Send(ctx, []byte("w"))
				}
			}()
			ready, err := p.Wait(ctx, nil)
			require.NoError(t, err)
			require.Len(t, ready, 1)
			require.Equal(t, msgcore.PollIn, ready[0].Events)
			m, ok, err := ready[0].Socket.TryRecv()
			require.NoError(t, err)
			require.True(t, ok)
			if ready[0].Socket == rep {
				require.NoError(t, m.Reply(ctx, []byte("a")))
			}
		}
		p.Add(rep, 0)
		p.Add(pull, 0)
		p.Add(push, msgcore.PollOut)
		ready, err := p.Wait(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, []msgcore.Ready{{Socket: push, Events: msgcore.PollOut}}, ready)
		for ok := true; ok; {
			ok, err = push.TrySend(msgcore.Msg{Frames: [][]byte{{1}}})
			require.NoError(t, err)
		}
		go func() { _, _ = pull.Recv(ctx) }()
		ready, err = p.Wait(ctx, ready[:0])
		require.NoError(t, err)
		require.Len(t, ready, 1)
	})
}
