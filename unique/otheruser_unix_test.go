//go:build unix

package unique_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() {
	roles["app squat"] = playSquat
	roles["app intrude"] = playIntrude
	roles["app squat tcp"] = playSquatTCP
	roles["app intrude tcp"] = playIntrudeTCP
}

// playSquat listens at a path and says what it is sent.
func playSquat(args []string) int {
	l, err := net.Listen("unix", args[0])
	if err != nil {
		return exitWith(err)
	}
	defer l.Close()
	if err := os.Chmod(args[0], 0o777); err != nil {
		return exitWith(err)
	}
	fmt.Println("ready")
	for {
		c, err := l.Accept()
		if err != nil {
			return exitWith(err)
		}
		b, _ := io.ReadAll(c)
		fmt.Printf("got %d bytes\n", len(b))
	}
}

// playIntrude connects to a path, writes a greeting, and says what comes back.
func playIntrude(args []string) int {
	c, err := net.Dial("unix", args[0])
	if err != nil {
		return exitWith(err)
	}
	_, _ = c.Write(append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'}, make([]byte, 48)...))
	b, _ := io.ReadAll(c)
	fmt.Printf("got %d bytes\n", len(b))
	return 0
}

// playSquatTCP listens at a port of tcp, never answers, and says what it is sent.
func playSquatTCP([]string) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return exitWith(err)
	}
	defer l.Close()
	fmt.Println(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return exitWith(err)
		}
		go func() {
			b, _ := io.ReadAll(c)
			fmt.Printf("%q\n", b)
		}()
	}
}

// playIntrudeTCP reads what it may of the directory, tries a key of its own at the
// server, whose address and public key it is told, and then occupies it with
// connections that say nothing until its standard input ends.
func playIntrudeTCP(args []string) int {
	dir, endpoint := args[0], args[1]
	if entries, err := os.ReadDir(dir); err == nil {
		fmt.Println("could read", dir, len(entries))
		return 1
	}
	var server curve.PublicKey
	if err := server.UnmarshalText([]byte(args[2])); err != nil {
		return exitWith(err)
	}
	_, mine, err := curve.GenerateKey()
	if err != nil {
		return exitWith(err)
	}
	refused := make(chan string, 1)
	s := msgcore.NewDealer(&msgcore.Options{
		Mechanism: curve.Client(mine, server), Linger: msgcore.Discard,
		Monitor: func(e msgcore.Event) {
			select {
			case refused <- fmt.Sprint(e.Kind, " ", e.Err):
			default:
			}
		},
		Reconnect: msgcore.Reconnect{Interval: -1},
	})
	if err := s.Connect(endpoint); err != nil {
		return exitWith(err)
	}
	for text := range refused {
		if strings.Contains(text, "rejected") {
			break
		}
	}
	if err := s.Close(); err != nil {
		return exitWith(err)
	}
	var held []net.Conn
	for range 300 {
		c, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
		if err != nil {
			break // so many are enough
		}
		held = append(held, c)
	}
	fmt.Println("refused and in the way")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range held {
		c.Close()
	}
	return 0
}

// Who finds a process of another user where the primary should be sends it
// nothing.
func TestServerOfAnotherUser(t *testing.T) {
	needRoot(t)
	opts := uniquetest.Options(t)
	primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	open, err := os.MkdirTemp("/tmp", "open-")
	require.NoError(t, err)
	defer os.RemoveAll(open)
	require.NoError(t, os.Chmod(open, 0o777))
	path := filepath.Join(open, "s")
	squat := asNobody(t, "app squat", path)
	out, err := squat.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, squat.Start())
	defer squat.Wait()
	defer squat.Process.Kill()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "ready", lines.Text())

	rewriteRecord(t, opts, `endpoint=.*`, fmt.Sprintf("endpoint=%q", "ipc://"+path))
	_, err = unique.Lookup(within(t), testID, opts)
	var other *unique.OtherUserError
	require.ErrorAs(t, err, &other)
	require.Equal(t, nobody, other.UID)
	require.True(t, lines.Scan())
	require.Equal(t, "got 0 bytes", lines.Text())
	_, err = unique.Acquire(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrOtherUser)
	require.True(t, lines.Scan())
	require.Equal(t, "got 0 bytes", lines.Text())
}

// A process of another user that gets as far as our socket gets no answer there.
func TestClientOfAnotherUser(t *testing.T) {
	needRoot(t)
	opts := uniquetest.Options(t)
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	path := strings.TrimPrefix(app.Holder().Endpoint, "ipc://")
	for _, p := range []string{opts.Dir, filepath.Dir(path), path} {
		require.NoError(t, os.Chmod(p, 0o777))
	}
	out, err := asNobody(t, "app intrude", path).Output()
	require.NoError(t, err)
	require.Equal(t, "got 0 bytes\n", string(out))
	require.NoError(t, os.Chmod(opts.Dir, 0o700))
}

// A record that is not of the primary which answers is nobody's.
func TestStaleRecord(t *testing.T) {
	t.Cleanup(unique.TendNothing())
	opts := uniquetest.Options(t)
	opts.Timeouts.Hello = 300e6
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { return 0 })
	rewriteRecord(t, opts, `generation=.*`, "generation="+strings.Repeat("ab", 16))
	_, err := unique.Lookup(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrNoPrimary)
	_, err = unique.Acquire(within(t), testID, opts) // the lock is held all the same
	var hung *unique.UnresponsiveError
	require.ErrorAs(t, err, &hung)
	require.Equal(t, app.Holder().PID, hung.Holder.PID)
}

// On tcp another user, even one who knows the port and the server's public key,
// gets nothing, and is not in the way of others.
func TestTCPClientOfAnotherUser(t *testing.T) {
	needRoot(t)
	opts := onTCP(t)
	app := primary(t, opts, seven)
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	data, err := os.ReadFile(where.Record)
	require.NoError(t, err)
	r, err := unique.ParseRecord(data)
	require.NoError(t, err)
	cmd := asNobody(t, "app intrude tcp", opts.Dir, app.Holder().Endpoint, r.ServerKey.String())
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "refused and in the way", lines.Text())
	for range 3 {
		code, err := secondary(t, opts).Forward(within(t), unique.Current())
		require.NoError(t, err)
		require.Equal(t, 7, code)
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

// A process of another user that has taken the port of a primary which is gone is
// told nothing of worth, and does not keep the next primary from its place.
func TestTCPServerOfAnotherUser(t *testing.T) {
	needRoot(t)
	opts := onTCP(t)
	opts.Timeouts.Hello = 500e6
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	old, err := unique.Acquire(within(t), testID, opts)
	require.NoError(t, err)
	record, err := os.ReadFile(where.Record)
	require.NoError(t, err)
	require.NoError(t, old.Close())
	require.NoError(t, os.WriteFile(where.Record, record, 0o600)) // as if it had been killed

	squat := asNobody(t, "app squat tcp")
	out, err := squat.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, squat.Start())
	defer squat.Wait()
	defer squat.Process.Kill()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	rewriteRecord(t, opts, `endpoint=.*`, fmt.Sprintf("endpoint=%q", "tcp://"+lines.Text()))
	_, err = unique.Lookup(within(t), testID, opts)
	require.ErrorIs(t, err, unique.ErrUnresponsive)
	require.True(t, lines.Scan())
	require.NotContains(t, lines.Text(), "DEALER")
	app := primary(t, opts, seven)
	require.Equal(t, unique.Primary, app.Role())
	code, err := secondary(t, opts).Forward(within(t), unique.Current())
	require.NoError(t, err)
	require.Equal(t, 7, code)
}
