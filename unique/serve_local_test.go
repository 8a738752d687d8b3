package unique_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// A REQ peer gets the delimiter back that it sends.
func TestDelimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port := &unique.FakePort{In: make(chan unique.Packet), Closed: make(chan struct{})}
		var got [][]byte
		port.Out = func(_ string, frames [][]byte) { got = frames }
		srv := unique.NewServer(port, nil)
		port.In <- unique.Packet{From: "a", Frames: append([][]byte{{}}, hello.Frames()...)}
		synctest.Wait()
		require.Len(t, got, 2)
		require.Empty(t, got[0])
		srv.Close(t.Context())
	})
}

func TestSignalsAndProgress(t *testing.T) {
	on(t, nil, func(s *stage) {
		defer s.serve(func(ctx context.Context, inv *unique.Invocation) int {
			sig := <-inv.Signals()
			inv.Progress(unique.Progress{Done: 1, Total: 3, Text: sig.String()})
			inv.Progress(unique.Progress{Done: 2, Total: 3})
			inv.Progress(unique.Progress{Done: 3, Total: 3})
			<-ctx.Done()
			inv.Progress(unique.Progress{Done: 4})
			return 0
		})()
		m := request("x")
		m.Streams = unique.WantProgress
		s.say("a", m)
		s.say("a", goes)
		s.say("a", unique.Message{Kind: unique.KindSignal, Signal: "NOSUCH"})
		s.say("a", unique.Message{Kind: unique.KindSignal, Signal: "INT"})
		got := s.expect("a", unique.KindOffer, unique.KindProgress)
		require.Equal(t, "interrupt", got[1].Text)
		s.say("a", unique.Message{Kind: unique.KindCredit, Stream: 3, Credit: 1})
		require.EqualValues(t, 3, s.expect("a", unique.KindProgress)[0].Done, "only the newest")
		s.say("a", cancel)
		got = s.expect("a", unique.KindProgress, unique.KindExit)
		require.EqualValues(t, 4, got[0].Done, "the last one is not lost")
	})
}

// Forward in the primary waits for Serve and its turn like everybody else.
func TestForwardInThePrimary(t *testing.T) {
	on(t, &unique.Options{MaxRunning: 1}, func(s *stage) {
		inv := &unique.Invocation{Args: []string{"x"}, Data: [][]byte{[]byte("d")}, Stdin: strings.NewReader("input")}
		var out strings.Builder
		inv.Stdout = &out
		type result struct {
			code int
			err  error
		}
		done := make(chan result, 1)
		go func() {
			code, err := s.srv.Forward(s.t.Context(), inv)
			done <- result{code, err}
		}()
		synctest.Wait()
		require.Empty(t, done)
		var kept io.Writer
		defer s.serve(func(_ context.Context, inv *unique.Invocation) int {
			if inv.Args[0] == "panic" {
				panic(errors.New("x"))
			}
			_, err := io.Copy(inv.Stdout, inv.Stdin)
			require.NoError(t, err)
			kept = inv.Stdout
			inv.Reply = inv.Data
			return 6
		})()
		require.Equal(t, result{6, nil}, <-done)
		require.Equal(t, "input", out.String())
		require.Equal(t, [][]byte{[]byte("d")}, inv.Reply)
		_, err := kept.Write(nil)
		require.ErrorIs(t, err, unique.ErrDone, "a stream outlives its invocation")
	})
}
