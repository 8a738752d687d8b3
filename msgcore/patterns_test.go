package msgcore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/solomq/solomq/msgcore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// schemes are the endpoints that every test of a pattern runs over.
func schemes(t *testing.T, f func(t *testing.T, endpoint string)) {
	t.Helper()
	t.Run("tcp", func(t *testing.T) { f(t, "tcp://127.0.0.1:*") })
	t.Run("ipc", func(t *testing.T) { f(t, "ipc://"+filepath.Join(t.TempDir(), "s")) })
	t.Run("inproc", func(t *testing.T) { f(t, "inproc://"+t.Name()) })
}

func ctx30(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func pair(t *testing.T, bind, connect *msgcore.Socket, endpoint string) {
	t.Helper()
	t.Cleanup(func() { bind.Close(); connect.Close() })
	bound, err := bind.Bind(ctx30(t), endpoint)
	require.NoError(t, err)
	require.NoError(t, connect.Connect(bound))
}

func TestPushPull(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
		pair(t, pull, push, ep)
		const n = 20000
		go func() {
			for i := range n {
				if err := push.Send(ctx, []byte(fmt.Sprint(i)), make([]byte, i%300)); err != nil {
					panic(err)
				}
			}
		}()
		for i := range n {
			m, err := pull.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), string(m.Frames[0]))
			require.Len(t, m.Frames[1], i%300)
			if i%2 == 0 {
				m.Release()
			}
		}
	})
}

func TestLarge(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		pull, push := msgcore.NewPull(nil), msgcore.NewPush(nil)
		pair(t, pull, push, ep)
		sizes := []int{0, 1, 255, 256, 1023, 8191, 8192, 8193, 16384, 65535, 65536, 65537, 100000, 1 << 20, 5 << 20, 3}
		go func() {
			for r := range 3 {
				for i, n := range sizes {
					b := make([]byte, n)
					for j := range b {
						b[j] = byte(i + j*7 + j>>8)
					}
					if err := push.Send(ctx, []byte{byte(i)}, b, b[:min(n, 9000)]); err != nil {
						panic(err)
					}
				}
				_ = r
			}
		}()
		for range 3 {
			for i, n := range sizes {
				m, err := pull.Recv(ctx)
				require.NoError(t, err)
				require.Len(t, m.Frames, 3)
				require.Equal(t, []byte{byte(i)}, m.Frames[0])
				require.Len(t, m.Frames[1], n)
				require.Len(t, m.Frames[2], min(n, 9000))
				for j, c := range m.Frames[1] {
					if c != byte(i+j*7+j>>8) {
						t.Fatalf("message %d byte %d", i, j)
					}
				}
				m.Release()
			}
		}
	})
}

func TestReqRep(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		rep, req := msgcore.NewRep(nil), msgcore.NewReq(nil)
		pair(t, rep, req, ep)
		done := make(chan error, 1)
		go func() {
			for m, err := range rep.Messages(ctx) {
				if err == nil {
					err = rep.Send(ctx, m.Frames...)
				}
				if err != nil {
					done <- err
					return
				}
			}
		}()
		for i := range 1000 {
			require.NoError(t, req.Send(ctx, []byte("hello"), []byte(fmt.Sprint(i))))
			require.ErrorIs(t, req.Send(ctx, []byte("x")), msgcore.ErrState)
			m, err := req.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), string(m.Frames[1]))
			m.Release()
		}
		m, err := req.Request(ctx, []byte("direct"))
		require.NoError(t, err)
		require.Equal(t, "direct", string(m.Bytes()))
		rep.Close()
		<-done
	})
}

func TestPubSub(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		pub, sub := msgcore.NewPub(&msgcore.Options{SendHWM: -1}), msgcore.NewSub(nil)
		require.NoError(t, sub.Subscribe("a"))
		pair(t, pub, sub, ep)
		require.NoError(t, sub.Subscribe("b"))
		require.NoError(t, pub.WaitSubscribers(ctx, 2))
		for i := range 1000 {
			require.NoError(t, pub.Send(ctx, []byte(fmt.Sprintf("%c%d", 'a'+i%3, i))))
		}
		for i := range 1000 {
			if i%3 == 2 {
				continue
			}
			m, err := sub.Recv(ctx)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%c%d", 'a'+i%3, i), string(m.Frames[0]))
		}
		require.NoError(t, sub.Unsubscribe("a"))
		require.NoError(t, sub.Unsubscribe("b"))
		require.ErrorIs(t, sub.Unsubscribe("b"), msgcore.ErrState)
	})
}

func TestRouterDealer(t *testing.T) {
	schemes(t, func(t *testing.T, ep string) {
		ctx := ctx30(t)
		router := msgcore.NewRouter(&msgcore.Options{Router: msgcore.RouterOptions{
			Mandatory: true, Notify: msgcore.NotifyConnect | msgcore.NotifyDisconnect,
		}})
		dealer := msgcore.NewDealer(&msgcore.Options{RoutingID: "me"})
		pair(t, router, dealer, ep)
		m, err := router.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, msgcore.NotifyConnect, m.Event())
		require.NoError(t, dealer.Send(ctx, []byte("x"), []byte("y")))
		m, err = router.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, "me", string(m.Frames[0]))
		require.Equal(t, "y", string(m.Frames[2]))
		require.NoError(t, m.Reply(ctx, []byte("z")))
		m, err = dealer.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, "z", string(m.Bytes()))
		require.ErrorIs(t, router.Send(ctx, []byte("nobody"), []byte("z")), msgcore.ErrUnroutable)
		require.NoError(t, dealer.Close())
		m, err = router.Recv(ctx)
		require.NoError(t, err)
		require.Equal(t, msgcore.NotifyDisconnect, m.Event())
	})
}
