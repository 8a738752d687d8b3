package unique_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

// The first Read grants a window, and reading half of it the next half.
func TestInletGrants(t *testing.T) {
	var granted []int64
	in := unique.NewInlet(func(n int64) error { granted = append(granted, n); return nil })
	require.ErrorIs(t, in.Push([]byte("x")), unique.ErrFlowWindow, "nothing is granted before the first Read")
	synctest.Test(t, func(t *testing.T) {
		in := unique.NewInlet(func(n int64) error { granted = append(granted, n); return nil })
		got := make(chan byte)
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := in.Read(b); err != nil {
					close(got)
					return
				}
				got <- b[0]
			}
		}()
		synctest.Wait()
		require.Equal(t, []int64{unique.DefaultWindow}, granted)
		half := bytes.Repeat([]byte("h"), int(unique.DefaultWindow/2))
		require.NoError(t, in.Push(half))
		require.NoError(t, in.Push(half))
		require.ErrorIs(t, in.Push([]byte("x")), unique.ErrFlowWindow, "more than was granted")
		for range half {
			<-got
		}
		synctest.Wait()
		require.Equal(t, []int64{unique.DefaultWindow, unique.DefaultWindow / 2}, granted)
		require.NoError(t, in.Push(half))
		in.Finish(io.EOF)
		for range 2 * len(half) {
			<-got
		}
		_, more := <-got
		require.False(t, more)
		require.Len(t, granted, 2, "nothing is granted at the end")
	})
}

func TestInletFails(t *testing.T) {
	why := errors.New("why")
	in := unique.NewInlet(func(int64) error { return nil })
	done := make(chan error, 1)
	go func() {
		_, err := in.Read(make([]byte, 1))
		done <- err
	}()
	in.Fail(why)
	require.ErrorIs(t, <-done, why)
	in.Finish(io.EOF)
	_, err := in.Read(make([]byte, 1))
	require.ErrorIs(t, err, why, "the first error counts")
	n, err := in.Read(nil)
	require.Zero(t, n)
	require.NoError(t, err)
}

func TestOutletSendsAgainstCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []int
		c := unique.NewCredit(10)
		o := unique.NewOutlet(c, func(p []byte) error { sent = append(sent, len(p)); return nil })
		wrote := make(chan int)
		go func() {
			n, _ := o.Write(make([]byte, 200_000))
			wrote <- n
		}()
		synctest.Wait()
		require.Equal(t, []int{10}, sent)
		c.Add(5)
		synctest.Wait()
		require.Equal(t, []int{10, 5}, sent)
		c.Add(1 << 40) // a peer that grants everything grants 16 MiB
		require.Equal(t, 200_000, <-wrote)
		for _, n := range sent {
			require.LessOrEqual(t, n, 64<<10)
		}
		require.Equal(t, 200_000, total(sent))
		c.Fail(unique.ErrBrokenPipe)
		n, err := o.Write([]byte("x"))
		require.Zero(t, n)
		require.ErrorIs(t, err, unique.ErrBrokenPipe)
		_, err = o.Write(nil)
		require.ErrorIs(t, err, unique.ErrBrokenPipe)
	})
}

func total(ns []int) (sum int) {
	for _, n := range ns {
		sum += n
	}
	return sum
}

// In a hurry, what needs no waiting is still sent.
func TestOutletInAHurry(t *testing.T) {
	why := errors.New("why")
	c := unique.NewCredit(3)
	var sent bytes.Buffer
	o := unique.NewOutlet(c, func(p []byte) error { sent.Write(p); return nil })
	c.Hurry(why)
	n, err := o.Write([]byte("abcde"))
	require.Equal(t, 3, n)
	require.ErrorIs(t, err, why)
	require.Equal(t, "abc", sent.String())
}

// Writes of several goroutines do not mix.
func TestOutletKeepsWritesWhole(t *testing.T) {
	var sent bytes.Buffer
	c := unique.NewCredit(0)
	o := unique.NewOutlet(c, func(p []byte) error { sent.Write(p); return nil })
	const each, size = 10, 1000
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for range each {
				if _, err := o.Write(bytes.Repeat([]byte{byte('a' + k)}, size)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 * each * size / 100 {
		c.Add(100)
	}
	wg.Wait()
	require.Equal(t, 4*each*size, sent.Len())
	for b := sent.Bytes(); len(b) > 0; b = b[size:] {
		require.Equal(t, size, bytes.Count(b[:size], b[:1]))
	}
}

func TestSink(t *testing.T) {
	r, w := io.Pipe()
	var granted atomic.Int64
	s := unique.NewSink(w, func(n int64) { granted.Add(n) }, func(uint64, string) { t.Error("closed") })
	piece := bytes.Repeat([]byte("p"), int(unique.DefaultWindow/4))
	for range 4 {
		require.NoError(t, s.Push(piece))
	}
	require.ErrorIs(t, s.Push([]byte("x")), unique.ErrFlowWindow, "nothing is written yet")
	s.End()
	got := make(chan int, 1)
	go func() {
		b, _ := io.ReadAll(r)
		got <- len(b)
	}()
	<-s.Done()
	require.NoError(t, w.Close())
	require.EqualValues(t, unique.DefaultWindow, <-got)
	require.Zero(t, granted.Load(), "nothing more is to come")
}

// Where nothing comes there is no goroutine, nor anything to wait for.
func TestSinkOfNothing(t *testing.T) {
	for _, end := range []func(*unique.Sink){(*unique.Sink).End, (*unique.Sink).Drop} {
		s := unique.NewSink(nil, nil, nil)
		require.NoError(t, s.Push(nil))
		end(s)
		<-s.Done()
		end(s)
	}
}

func TestSinkGrantsWhatIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		var mu sync.Mutex
		var credit int64
		s := unique.NewSink(w, func(n int64) { mu.Lock(); credit += n; mu.Unlock() }, func(uint64, string) {})
		require.NoError(t, s.Push(make([]byte, unique.DefaultWindow)))
		synctest.Wait()
		mu.Lock()
		require.Zero(t, credit, "what has arrived is not what was written")
		mu.Unlock()
		_, err := io.ReadFull(r, make([]byte, unique.DefaultWindow))
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, unique.DefaultWindow, credit)
		s.End()
		<-s.Done()
	})
}

func TestSinkSaysWhyItFails(t *testing.T) {
	for why, want := range map[error]string{
		unique.ErrBrokenPipe:        "1 ",
		os.ErrClosed:                "1 ",
		io.ErrClosedPipe:            "1 ",
		errors.New("no space left"): "2 no space left",
		&os.PathError{Op: "write", Path: "/home/x", Err: errors.New("I/O error")}: "2 I/O error",
	} {
		var got string
		s := unique.NewSink(&brokenWriter{n: 1 << 20, err: why}, func(int64) {}, func(end uint64, reason string) {
			got = string(rune('0'+end)) + " " + reason
		})
		require.NoError(t, s.Push([]byte("x")))
		<-s.Done()
		require.Equal(t, want, got)
		require.NoError(t, s.Push([]byte("dropped")))
	}
}

func TestProgressorKeepsTheNewest(t *testing.T) {
	var sent []int64
	p := unique.NewProgressor(func(v unique.Progress) { sent = append(sent, v.Done) })
	for k := range 5 {
		p.Tell(unique.Progress{Done: int64(k)})
	}
	require.Equal(t, []int64{0}, sent)
	p.More()
	require.Equal(t, []int64{0, 4}, sent)
	p.More() // nothing is new: the next one may go at once
	p.Tell(unique.Progress{Done: 5})
	p.Tell(unique.Progress{Done: 6})
	p.Flush()
	p.Flush()
	require.Equal(t, []int64{0, 4, 5, 6}, sent)
}

// A pending read can be broken off, and the input stays.
func TestSourceStops(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	check := func(t *testing.T, in io.Reader) {
		src := unique.NewSource(in)
		_, err := w.Write([]byte("a"))
		require.NoError(t, err)
		buf := make([]byte, 10)
		n, err := src.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "a", string(buf[:n]))
		done := make(chan error, 1)
		go func() {
			_, err := src.Read(make([]byte, 10))
			done <- err
		}()
		require.Eventually(t, src.Pending, patience, time.Millisecond)
		src.Stop()
		require.ErrorIs(t, <-done, unique.ErrDone)
		src.Stop()
		_, err = src.Read(buf)
		require.ErrorIs(t, err, unique.ErrDone)
		_, err = w.Write([]byte("b"))
		require.NoError(t, err)
		n, err = in.Read(buf) // it is the caller's again
		require.NoError(t, err)
		require.Equal(t, "b", string(buf[:n]))
	}
	t.Run("polled by the runtime", func(t *testing.T) { check(t, r) })
	t.Run("blocking", func(t *testing.T) {
		blocking := blockingFile(t, r)
		if blocking == nil {
			t.Skip("on this system a blocking read cannot be broken off")
		}
		check(t, blocking)
	})
}

// A reader that cannot be broken off is left alone.
func TestSourceLeavesAlone(t *testing.T) {
	r, w := io.Pipe()
	src := unique.NewSource(r)
	done := make(chan error, 1)
	go func() {
		_, err := src.Read(make([]byte, 10))
		done <- err
	}()
	src.Stop()
	require.ErrorIs(t, <-done, unique.ErrDone)
	require.NoError(t, w.Close())
}
