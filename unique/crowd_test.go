package unique_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() { roles["crowd"] = playCrowd }

// playCrowd launches once in each round, under an id of the round: args are the
// number of rounds, of processes, and its own. A round begins with the end of the
// round's file, and is over when a byte was written to descriptor 3.
func playCrowd(args []string) int {
	rounds, _ := strconv.Atoi(args[0])
	crowd, _ := strconv.Atoi(args[1])
	status := os.NewFile(3, "status") // once: the collector closes it with the last reference
	for r := range rounds {
		_, _ = io.Copy(io.Discard, os.NewFile(uintptr(4+r), "round"))
		if err := launchInCrowd(r, crowd, args[2]); err != nil {
			return fail("round %d: %v", r, err)
		}
		if _, err := status.Write([]byte{1}); err != nil {
			return fail("%v", err)
		}
	}
	return 0
}

func launchInCrowd(round, crowd int, self string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	o := roleOptions()
	app, err := unique.Acquire(ctx, fmt.Sprintf("round %d", round), o)
	if err != nil {
		return err
	}
	defer app.Close()
	if app.Role() == unique.Primary {
		var handled atomic.Int64
		all := make(chan struct{})
		go app.Serve(ctx, func(_ context.Context, inv *unique.Invocation) int {
			log, err := os.OpenFile(filepath.Join(o.Dir, fmt.Sprint("log", round)), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
			if err != nil {
				return fail("%v", err)
			}
			defer log.Close()
			fmt.Fprintf(log, "%d %s\n", os.Getpid(), inv.Args[0])
			if handled.Add(1) == int64(crowd) {
				close(all)
			}
			n, _ := strconv.Atoi(inv.Args[0])
			return n % 251
		})
		defer func() { // not before the last one was served
			select {
			case <-all:
			case <-ctx.Done():
			}
		}()
	}
	code, err := app.Forward(ctx, &unique.Invocation{Args: []string{self}})
	if n, _ := strconv.Atoi(self); err == nil && code != n%251 {
		err = fmt.Errorf("code %d", code)
	}
	return err
}

// Hundreds of processes are released together, again and again: each time one is
// the primary, and every other one is served by it, once.
func TestProcessCrowd(t *testing.T) {
	crowd, rounds := size(24, 256), size(4, 100)
	dir := testDir(t)
	done, status, err := os.Pipe()
	require.NoError(t, err)
	defer done.Close()
	files, gates := []*os.File{status}, make([]*os.File, rounds)
	for r := range rounds {
		read, write, err := os.Pipe()
		require.NoError(t, err)
		files, gates[r] = append(files, read), write
	}
	wait := make(chan error, crowd)
	for k := range crowd {
		cmd := actor(t, "crowd", strconv.Itoa(rounds), strconv.Itoa(crowd), strconv.Itoa(k))
		cmd.Env = append(cmd.Env, dirEnv+"="+dir, timeoutsEnv+"=30s,30s,30s", "GOMAXPROCS=1")
		cmd.ExtraFiles = files
		require.NoError(t, cmd.Start())
		go func() { wait <- cmd.Wait() }()
	}
	for _, f := range files {
		require.NoError(t, f.Close())
	}
	for r := range rounds {
		require.NoError(t, gates[r].Close())
		_, err := io.ReadFull(done, make([]byte, crowd))
		if err != nil {
			t.Errorf("round %d: %v", r, err) // what the processes say comes with it
			break
		}
		log := filepath.Join(dir, fmt.Sprint("log", r))
		seen, primaries := map[string]int{}, map[string]bool{}
		for _, line := range runs(t, log) {
			pid, k, _ := strings.Cut(line, " ")
			seen[k]++
			primaries[pid] = true
		}
		require.Len(t, primaries, 1, "round %d", r)
		require.Len(t, seen, crowd, "round %d", r)
		for k, n := range seen {
			require.Equal(t, 1, n, "round %d, process %s", r, k)
		}
	}
	for range crowd {
		require.NoError(t, <-wait)
	}
}

// A launch that comes in the very moment in which the primary ends because it has
// nothing to do is served: by that one, or as the next one.
func TestIdleExitWindow(t *testing.T) {
	tries := size(300, 10_000)
	opts := uniquetest.Options(t)
	opts.Idle = 1 // ns
	opts.Timeouts.Hello = patience
	var ran atomic.Int64
	h := func(context.Context, *unique.Invocation) int { ran.Add(1); return 5 }
	for range tries {
		app, err := unique.Acquire(within(t), testID, opts)
		require.NoError(t, err)
		var launches sync.WaitGroup
		serve := func(app *unique.Instance) {
			code, err := app.Forward(within(t), &unique.Invocation{})
			if err != nil || code != 5 {
				t.Errorf("%v, code %d, %v", app.Role(), code, err)
			}
		}
		release := app.Hold()
		ended := make(chan error, 1)
		go func() { ended <- app.Serve(context.Background(), h) }()
		serve(app)
		launches.Go(func() { // as Run does it
			for {
				next, err := unique.Acquire(within(t), testID, opts)
				if err != nil {
					t.Error(err)
					return
				}
				if next.Role() == unique.Primary {
					hold := next.Hold()
					served := make(chan error, 1)
					go func() { served <- next.Serve(context.Background(), h) }()
					serve(next)
					hold()
					if err := <-served; err != nil {
						t.Error(err)
					}
					return
				}
				next.NoWait()
				code, err := next.Forward(within(t), &unique.Invocation{})
				_ = next.Close()
				if errors.Is(err, unique.ErrNoPrimary) {
					continue
				}
				if err != nil || code != 5 {
					t.Errorf("code %d, %v", code, err)
				}
				return
			}
		})
		release() // and with it, it ends
		launches.Wait()
		require.NoError(t, <-ended)
	}
	require.EqualValues(t, 2*tries, ran.Load())
}

// Arguments, and everything else that is bytes, arrive as they were.
func TestForwardAnyBytes(t *testing.T) {
	opts := uniquetest.Options(t)
	seen := make(chan *unique.Invocation, 1)
	primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		seen <- inv
		inv.Reply = inv.Data
		return 0
	})
	second := secondary(t, opts)
	rng := rand.New(rand.NewPCG(3, 4))
	text := func() string {
		b := make([]byte, rng.IntN(40))
		for i := range b {
			if b[i] = byte(rng.Uint32()); rng.IntN(4) == 0 {
				b[i] = "\x00\n|=\"' \xff"[rng.IntN(8)]
			}
		}
		return string(b)
	}
	texts := func() (list []string) {
		for range rng.IntN(6) {
			list = append(list, text())
		}
		return list
	}
	for range size(500, 10_000) {
		inv := &unique.Invocation{Args: texts(), Dir: "/" + text(), Command: text(), Targets: texts()}
		for _, s := range texts() {
			inv.Data = append(inv.Data, []byte(s))
		}
		inv.Env = []string{"LC_X=" + text()}
		_, err := second.Forward(within(t), inv)
		require.NoError(t, err)
		got := <-seen
		require.Equal(t, inv.Args, got.Args)
		require.Equal(t, inv.Dir, got.Dir)
		require.Equal(t, inv.Command, got.Command)
		require.Equal(t, inv.Targets, got.Targets)
		require.Equal(t, inv.Env, got.Env)
		require.Equal(t, len(inv.Data), len(got.Data))
		for k := range inv.Data {
			require.Equal(t, string(inv.Data[k]), string(got.Data[k]))
			require.Equal(t, string(inv.Data[k]), string(inv.Reply[k]))
		}
	}
}

// 64 MiB of arguments and data arrive; a byte more is refused before anything of
// it is sent, and the primary goes on.
func TestForwardLargest(t *testing.T) {
	opts := uniquetest.Options(t)
	app := primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		n := 0
		for _, a := range inv.Args {
			n += len(a)
		}
		for _, d := range inv.Data {
			n += len(d)
		}
		inv.Reply = [][]byte{[]byte(strconv.Itoa(n))}
		return 0
	})
	second := secondary(t, opts)
	const limit, each = 64 << 20, 16
	arg := strings.Repeat("a", limit/2-each)
	data := make([]byte, limit/2-each)
	inv := &unique.Invocation{Args: []string{arg}, Data: [][]byte{data}}
	_, err := second.Forward(within(t), inv)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(limit-2*each), string(inv.Reply[0]))
	inv.Data[0] = append(data, 0)
	var large *unique.TooLargeError
	_, err = second.Forward(within(t), inv)
	require.ErrorAs(t, err, &large)
	require.EqualValues(t, limit+1, large.Size)
	require.EqualValues(t, limit, large.Limit)
	_, err = second.Forward(within(t), &unique.Invocation{})
	require.NoError(t, err)
	require.NoError(t, app.Err())
}
