package unique_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// A stage is a primary whose peers are played by the test, on a clock of its own.
type stage struct {
	t    *testing.T
	port *unique.FakePort
	srv  *unique.Server

	mu  sync.Mutex
	out map[string][]unique.Message // guarded by mu: sent and not yet looked at
}

func newStage(t *testing.T, o *unique.Options) *stage {
	s := &stage{t: t, out: map[string][]unique.Message{}}
	s.port = &unique.FakePort{In: make(chan unique.Packet), Closed: make(chan struct{})}
	s.port.Out = func(to string, frames [][]byte) {
		m, err := unique.Decode(frames)
		if err != nil {
			t.Errorf("to %s: %v", to, err)
		}
		for i, p := range m.Payload { // the port does not keep frames
			m.Payload[i] = append([]byte(nil), p...)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.out[to] = append(s.out[to], m)
	}
	s.srv = unique.NewServer(s.port, o)
	return s
}

// say lets the peer send m and waits until nothing moves any more.
func (s *stage) say(from string, m unique.Message) {
	s.port.In <- unique.Packet{From: from, PID: 1000, Frames: m.Frames()}
	synctest.Wait()
}

func (s *stage) gone(from string) {
	s.port.In <- unique.Packet{From: from, Gone: true}
	synctest.Wait()
}

// heard returns what the peer was sent since the last call.
func (s *stage) heard(peer string) []unique.Message {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.out[peer]
	delete(s.out, peer)
	return m
}

// expect checks the kinds of what the peer was sent since the last call.
func (s *stage) expect(peer string, kinds ...unique.Kind) []unique.Message {
	s.t.Helper()
	got := s.heard(peer)
	var names, want []string
	for _, m := range got {
		names = append(names, m.Kind.String())
	}
	for _, k := range kinds {
		want = append(want, k.String())
	}
	require.Equal(s.t, want, names, "to %s", peer)
	return got
}

// serve runs h until the function it returns is called.
func (s *stage) serve(h unique.Handler) (stop func() error) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.srv.Serve(ctx, h) }()
	synctest.Wait()
	return func() error {
		cancel()
		return <-done
	}
}

func request(args ...string) unique.Message {
	return unique.Message{Kind: unique.KindRequest, Args: args}
}

var (
	hello  = unique.Message{Kind: unique.KindHello, MinVersion: 1, MaxVersion: 1}
	goes   = unique.Message{Kind: unique.KindGo}
	cancel = unique.Message{Kind: unique.KindCancel}
)

func exits(code int) unique.Handler {
	return func(context.Context, *unique.Invocation) int { return code }
}

// on runs a test on a stage and closes it at the end, which nothing may outlive.
func on(t *testing.T, o *unique.Options, f func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, o)
		f(s)
		s.srv.Close(t.Context())
	})
}

func TestServeThreeSteps(t *testing.T) {
	on(t, nil, func(s *stage) {
		ran := 0
		stop := s.serve(func(_ context.Context, inv *unique.Invocation) int {
			ran++
			require.Equal(t, []string{"prog", "x"}, inv.Args)
			require.Equal(t, unique.Peer{PID: 1000, UID: 1000, GID: 100, Version: "9"}, inv.Peer)
			inv.Reply = [][]byte{[]byte("re"), inv.Data[0]}
			return 7
		})
		h := hello
		h.AppVersion = "9"
		s.say("a", h)
		w := s.expect("a", unique.KindWelcome)[0]
		require.Equal(t, unique.Serving, w.State)
		require.EqualValues(t, 812, w.PID)
		m := request("prog", "x")
		m.Payload = [][]byte{[]byte("data")}
		s.say("a", m)
		s.expect("a", unique.KindOffer)
		require.Zero(t, ran, "the handler runs before GO")
		s.say("a", goes)
		exit := s.expect("a", unique.KindExit)[0]
		require.EqualValues(t, 7, exit.Code)
		require.Equal(t, "data", string(exit.Payload[1]))
		s.say("a", goes) // once more: nothing is left to run
		s.expect("a", unique.KindExpired)
		require.Equal(t, 1, ran)
		s.gone("a")
		require.Zero(t, s.srv.Peers())
		require.ErrorIs(t, stop(), context.Canceled)
	})
}

func TestRequestWaitsForServe(t *testing.T) {
	on(t, nil, func(s *stage) {
		s.say("a", hello)
		require.Equal(t, unique.Booting, s.expect("a", unique.KindWelcome)[0].State)
		s.say("a", request("x"))
		s.expect("a")
		time.Sleep(time.Hour) // of the test's clock: booting may take its time
		s.say("a", hello)
		s.expect("a", unique.KindWelcome)
		defer s.serve(exits(3))()
		s.expect("a", unique.KindOffer)
		s.say("a", goes)
		require.EqualValues(t, 3, s.expect("a", unique.KindExit)[0].Code)
	})
}

// A request whose connection ended is never run, wherever it has come to.
func TestRequestOfTheGoneIsDiscarded(t *testing.T) {
	on(t, &unique.Options{MaxRunning: 1}, func(s *stage) {
		s.say("queued", request("x"))
		s.gone("queued")
		defer s.serve(func(context.Context, *unique.Invocation) int { t.Error("it ran"); return 0 })()
		s.expect("queued")
		s.say("offered", request("x"))
		s.expect("offered", unique.KindOffer)
		s.gone("offered")
		s.say("next", request("x")) // the handler that was kept free is free again
		s.expect("next", unique.KindOffer)
	})
}

func TestOfferExpires(t *testing.T) {
	on(t, &unique.Options{MaxRunning: 1, Timeouts: unique.Timeouts{Go: 3 * time.Second}}, func(s *stage) {
		ran := false
		defer s.serve(func(context.Context, *unique.Invocation) int { ran = true; return 0 })()
		s.say("a", request("x"))
		s.say("b", request("x"))
		s.expect("a", unique.KindOffer)
		s.expect("b")
		time.Sleep(3 * time.Second)
		s.expect("b", unique.KindOffer)
		s.say("a", goes)
		s.expect("a", unique.KindExpired)
		require.False(t, ran, "an invocation that was given up ran")
		s.say("a", request("x")) // it may start over
		s.say("b", goes)
		s.expect("b", unique.KindExit)
		s.expect("a", unique.KindOffer)
	})
}

func TestBusy(t *testing.T) {
	on(t, &unique.Options{MaxRunning: 2, MaxQueued: 1}, func(s *stage) {
		release := make(chan struct{})
		defer s.serve(func(context.Context, *unique.Invocation) int { <-release; return 0 })()
		for _, p := range []string{"a", "b"} {
			s.say(p, request("x"))
			s.say(p, goes)
			s.expect(p, unique.KindOffer)
		}
		s.say("c", request("x"))
		s.say("c", hello)
		require.Equal(t, unique.Busy, s.expect("c", unique.KindWelcome)[0].State)
		s.say("d", request("x"))
		require.EqualValues(t, unique.RefusedQueue, s.expect("d", unique.KindRefused)[0].Code)
		release <- struct{}{}
		s.expect("c", unique.KindOffer)
		s.say("d", request("x"))
		s.expect("d")
		s.say("c", goes)
		close(release)
		s.expect("c", unique.KindExit)
		s.expect("d", unique.KindOffer)
	})
}

func TestPanicIsReportedAndSurvived(t *testing.T) {
	var told []any
	o := &unique.Options{OnPanic: func(inv *unique.Invocation, v any, stack []byte) {
		if !strings.Contains(string(stack), "serve_test.go") {
			t.Errorf("the stack does not show the handler: %s", stack)
		}
		told = append(told, v)
	}}
	on(t, o, func(s *stage) {
		defer s.serve(func(_ context.Context, inv *unique.Invocation) int {
			switch inv.Args[0] {
			case "index":
				return len(inv.Args[len(inv.Args)])
			case "value":
				panic("secret " + inv.Args[0])
			}
			return 0
		})()
		for arg, reason := range map[string]string{"index": "index out of range", "value": "string"} {
			s.say("a", request(arg))
			s.say("a", goes)
			exit := s.expect("a", unique.KindOffer, unique.KindExit)[1]
			require.EqualValues(t, unique.FaultPanic, exit.Fault)
			require.EqualValues(t, 70, exit.Code)
			require.Contains(t, exit.Reason, reason)
			require.NotContains(t, exit.Reason, "secret")
		}
		s.say("a", request("fine"))
		s.say("a", goes)
		require.Zero(t, s.expect("a", unique.KindOffer, unique.KindExit)[1].Fault)
	})
	require.Len(t, told, 2)
}

func TestNotHandledAndReplyTooLarge(t *testing.T) {
	on(t, &unique.Options{MaxRequest: 1000}, func(s *stage) {
		defer s.serve(func(_ context.Context, inv *unique.Invocation) int {
			if inv.Args[0] == "large" {
				inv.Reply = [][]byte{make([]byte, 1000)}
				return 5
			}
			return unique.NotHandled
		})()
		s.say("a", request("no"))
		s.say("a", goes)
		s.expect("a", unique.KindOffer, unique.KindNotHandled)
		s.say("a", request("large"))
		s.say("a", goes)
		exit := s.expect("a", unique.KindOffer, unique.KindExit)[1]
		require.EqualValues(t, unique.FaultReply, exit.Fault)
		require.EqualValues(t, 5, exit.Code)
		require.EqualValues(t, 1016, exit.Size)
		require.Empty(t, exit.Payload)
		s.say("a", request(strings.Repeat("x", 1000)))
		require.EqualValues(t, unique.RefusedSize, s.expect("a", unique.KindRefused)[0].Code)
	})
}

func TestCallerGoneEndsTheHandler(t *testing.T) {
	for name, end := range map[string]func(s *stage){
		"gone":   func(s *stage) { s.gone("a") },
		"cancel": func(s *stage) { s.say("a", cancel) },
	} {
		t.Run(name, func(t *testing.T) {
			on(t, nil, func(s *stage) {
				var cause, read, write error
				defer s.serve(func(ctx context.Context, inv *unique.Invocation) int {
					<-ctx.Done()
					cause = context.Cause(ctx)
					_, read = inv.Stdin.Read(make([]byte, 1))
					_, write = inv.Stdout.Write([]byte("x"))
					return 0
				})()
				m := request("x")
				m.Streams = unique.WantStdin | unique.WantStdout
				s.say("a", m)
				s.say("a", goes)
				end(s)
				want := map[string]error{"gone": unique.ErrCallerGone, "cancel": unique.ErrCanceled}[name]
				require.ErrorIs(t, cause, want)
				require.ErrorIs(t, read, want)
				require.ErrorIs(t, write, want)
			})
		})
	}
}

// A handler that waits in a stream does not hold up the end of Serve, and what it
// says then still arrives.
func TestServeEndsHandlersThatWait(t *testing.T) {
	on(t, nil, func(s *stage) {
		stop := s.serve(func(ctx context.Context, inv *unique.Invocation) int {
			_, err := inv.Stdin.Read(make([]byte, 1))
			require.ErrorIs(t, err, context.Canceled)
			_, err = io.WriteString(inv.Stdout, "interrupted")
			require.NoError(t, err)
			return 130
		})
		m := request("x")
		m.Streams = unique.WantStdin | unique.WantStdout
		s.say("a", m)
		s.say("a", goes)
		s.expect("a", unique.KindOffer, unique.KindCredit)
		require.ErrorIs(t, stop(), context.Canceled)
		got := s.expect("a", unique.KindStdout, unique.KindExit)
		require.Equal(t, "interrupted", string(got[0].Payload[0]))
		require.EqualValues(t, 130, got[1].Code)
		s.say("a", request("x")) // waits for the next Serve
		s.expect("a")
		defer s.serve(exits(1))()
		s.expect("a", unique.KindOffer)
	})
}

// Those who were offered a handler when Serve ended learn that nothing was run.
func TestServeEndsAfterOffer(t *testing.T) {
	on(t, nil, func(s *stage) {
		stop := s.serve(exits(0))
		s.say("a", request("x"))
		s.expect("a", unique.KindOffer)
		require.Error(t, stop())
		s.say("a", goes)
		s.expect("a", unique.KindExpired)
	})
}

func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, &unique.Options{MaxRunning: 2})
		release := make(chan struct{})
		served := make(chan error, 1)
		go func() {
			served <- s.srv.Serve(t.Context(), func(context.Context, *unique.Invocation) int { <-release; return 4 })
		}()
		synctest.Wait()
		for _, p := range []string{"running", "offered", "queued"} {
			s.say(p, request("x"))
		}
		s.say("running", goes)
		closed := make(chan struct{})
		go func() {
			s.srv.Close(t.Context())
			close(closed)
		}()
		synctest.Wait()
		s.expect("running", unique.KindOffer)
		s.expect("queued", unique.KindLeaving)
		s.say("new", hello)
		require.Equal(t, unique.Leaving, s.expect("new", unique.KindWelcome)[0].State)
		s.say("new", request("x"))
		s.expect("new", unique.KindLeaving)
		s.expect("offered", unique.KindOffer)
		s.say("offered", goes) // what was offered holds
		close(release)
		require.EqualValues(t, 4, s.expect("running", unique.KindExit)[0].Code)
		require.EqualValues(t, 4, s.expect("offered", unique.KindExit)[0].Code)
		<-closed
		require.NoError(t, <-served)
		require.ErrorIs(t, s.srv.Serve(t.Context(), exits(0)), unique.ErrClosedHere)
	})
}

// A primary whose place was taken away underneath it takes nothing any more.
func TestUprooted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		served := make(chan error, 1)
		go func() { served <- s.srv.Serve(t.Context(), exits(0)) }()
		synctest.Wait()
		require.ErrorIs(t, s.srv.Uproot(&unique.UprootedError{}), unique.ErrLost)
		require.NoError(t, <-served)
		s.say("a", request("x"))
		s.expect("a", unique.KindLeaving)
		s.srv.Close(t.Context())
	})
}

func TestShutdownEndsContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		go s.srv.Serve(t.Context(), func(ctx context.Context, inv *unique.Invocation) int {
			<-ctx.Done()
			io.WriteString(inv.Stdout, "bye")
			return 9
		})
		synctest.Wait()
		m := request("x")
		m.Streams = unique.WantStdout
		s.say("a", m)
		s.say("a", goes)
		s.say("b", request("x")) // offered, never said go
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.srv.Close(ctx)
		got := s.expect("a", unique.KindOffer, unique.KindStdout, unique.KindExit)
		require.EqualValues(t, 9, got[2].Code)
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := newStage(t, &unique.Options{Idle: 10 * time.Second})
		served := make(chan error, 1)
		go func() { served <- s.srv.Serve(t.Context(), exits(0)) }()
		synctest.Wait()
		release := s.srv.Hold()
		time.Sleep(time.Minute)
		release()
		release() // harmless
		time.Sleep(9 * time.Second)
		s.say("a", request("x")) // just in time
		time.Sleep(5 * time.Second)
		s.say("a", goes)
		s.expect("a", unique.KindOffer, unique.KindExit)
		require.Equal(t, 74*time.Second, time.Since(start))
		require.NoError(t, <-served)
		require.Equal(t, 84*time.Second, time.Since(start))
		s.say("b", request("x")) // just too late
		s.expect("b", unique.KindLeaving)
		s.srv.Close(t.Context())
	})
}

func TestViolations(t *testing.T) {
	on(t, nil, func(s *stage) {
		var cause error
		defer s.serve(func(ctx context.Context, inv *unique.Invocation) int {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return 1
		})()
		raw := func(frames ...string) {
			var f [][]byte
			for _, x := range frames {
				f = append(f, []byte(x))
			}
			s.port.In <- unique.Packet{From: "a", Frames: f}
			synctest.Wait()
		}
		raw("rubbish")
		require.EqualValues(t, unique.RefusedProtocol, s.expect("a", unique.KindRefused)[0].Code)
		raw("UQ\x09\x01")
		require.EqualValues(t, unique.RefusedVersion, s.expect("a", unique.KindRefused)[0].Code)
		s.say("a", unique.Message{Kind: unique.KindHello, MinVersion: 2, MaxVersion: 9})
		require.EqualValues(t, unique.RefusedVersion, s.expect("a", unique.KindRefused)[0].Code)
		s.say("a", unique.Message{Kind: 99}) // of a later version: passed over
		s.say("a", unique.Message{Kind: unique.KindStdin})
		s.expect("a")

		s.say("a", request("x"))
		s.say("a", request("x")) // before the answer to the first
		s.expect("a", unique.KindOffer, unique.KindRefused)
		s.say("a", goes)
		s.expect("a", unique.KindExpired)

		// Input that nobody granted ends the handler.
		m := request("x")
		m.Streams = unique.WantStdin
		s.say("a", m)
		s.say("a", goes)
		s.say("a", unique.Message{Kind: unique.KindStdin, Payload: [][]byte{[]byte("too early")}})
		s.expect("a", unique.KindOffer, unique.KindExit)
		require.ErrorIs(t, cause, unique.ErrFlowWindow)
	})
}
