package msgcore

import (
	"context"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A few handshakes begin at once, as long as each is quickly through. The others
// wait until one has left or those inside have turned out to be slow; and the more
// are slow, the more begin, until it is quiet again.
func TestDoorPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Pull, &Options{HandshakePeers: -1, Handshake: -1})
		defer s.Close()
		var strangers []net.Conn
		come := func(n int) {
			for range n {
				near, far := net.Pipe()
				strangers = append(strangers, far)
				s.enter(near, "test://")
			}
		}
		depart := func(n int) {
			for _, c := range strangers[:n] {
				c.Close()
			}
			strangers = strangers[n:]
		}
		inside := func() (begun, waiting int) {
			synctest.Wait()
			s.door.mu.Lock()
			defer s.door.mu.Unlock()
			for v := s.door.first; v != nil; v = v.next {
				if v.begun {
					begun++
				} else {
					waiting++
				}
			}
			require.Equal(t, s.door.n, begun+waiting)
			return begun, waiting
		}
		is := func(begun, waiting int) {
			t.Helper()
			b, w := inside()
			require.Equal(t, []int{begun, waiting}, []int{b, w})
		}
		usual := few * runtime.GOMAXPROCS(0)
		come(3 * usual)
		is(usual, 2*usual)
		depart(2)
		is(usual, 2*usual-2)
		time.Sleep(moment - time.Microsecond)
		is(usual, 2*usual-2)
		time.Sleep(time.Microsecond)
		is(3*usual-2, 0)

		come(100 * usual)
		time.Sleep(3 * moment)
		is(103*usual-2, 0)
		depart(len(strangers))
		is(0, 0)

		time.Sleep(2 * moment)
		come(usual + 1)
		is(usual, 1)
		depart(len(strangers))
		is(0, 0)

		// Those that get through let more begin.
		time.Sleep(2 * moment)
		come(3 * usual)
		depart(usual)
		is(usual+usual/perQuick, usual-usual/perQuick)
		require.NoError(t, s.Close())
		is(0, 0)
		depart(len(strangers))
	})
}

// Many that come together and wait for peers far away do not wait for each other for
// long.
func TestDoorFarAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const peers, away = 10000, 60 * time.Millisecond
		s := New(Pull, &Options{HandshakePeers: -1, Handshake: -1})
		defer s.Close()
		begin := time.Now()
		for range peers {
			near, far := net.Pipe()
			go func() { // it hears the beginning of a greeting, and answers by going
				_, _ = far.Read(make([]byte, 1))
				time.Sleep(away)
				far.Close()
			}()
			s.enter(near, "test://")
		}
		for left := peers; left > 0 && time.Since(begin) < time.Minute; {
			time.Sleep(away)
			s.door.mu.Lock()
			left = s.door.n
			s.door.mu.Unlock()
		}
		require.Less(t, time.Since(begin), 2*time.Second)
	})
}

// A visit is a context as any other.
func TestVisitContext(t *testing.T) {
	for name, c := range map[string]struct {
		end        func(s *Socket, v *visit)
		err, cause error
	}{
		"leave":   {func(_ *Socket, v *visit) { v.leave() }, context.Canceled, context.Canceled},
		"crowd":   {func(s *Socket, _ *visit) { someVisit(s); someVisit(s) }, context.Canceled, errCrowded},
		"late":    {func(*Socket, *visit) { time.Sleep(time.Minute) }, context.DeadlineExceeded, errSlowHandshake},
		"closing": {func(s *Socket, _ *visit) { s.Close() }, context.Canceled, context.Canceled},
	} {
		for _, early := range []bool{false, true} { // somebody asks for its Done before it ends
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := New(Pull, &Options{HandshakePeers: 2, Handshake: time.Minute})
					defer s.Close()
					v := someVisit(s)
					defer v.leave()
					at, ok := v.Deadline()
					require.True(t, ok)
					require.Equal(t, time.Now().Add(time.Minute), at)
					require.NoError(t, v.Err())
					stop := v.AfterFunc(func() { t.Error("stopped, and called") })
					require.True(t, stop())
					require.False(t, stop())
					told := make(chan struct{})
					v.AfterFunc(func() { close(told) })
					var done <-chan struct{}
					if early {
						done = v.Done()
						v.AfterFunc(func() { t.Error("stopped, and called") })()
					}
					c.end(s, v)
					synctest.Wait()
					require.Equal(t, c.err, v.Err())
					require.Equal(t, c.cause, context.Cause(v))
					if early {
						<-done
					}
					<-v.Done()
					require.Equal(t, c.err, v.Err())
					<-told
					late := make(chan struct{})
					stop = v.AfterFunc(func() { close(late) })
					<-late
					require.False(t, stop())
				})
			})
		}
	}
}

// someVisit returns a visit of nobody.
func someVisit(s *Socket) *visit {
	v := newVisit(s, nil, "")
	v.begun = true
	s.door.join(v)
	return v
}
