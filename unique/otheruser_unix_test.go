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
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func init() {
	roles["app squat"] = playSquat
	roles["app intrude"] = playIntrude
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

// rewriteRecord changes the record of the primary of testID.
func rewriteRecord(t *testing.T, opts *unique.Options, pattern, with string) {
	t.Helper()
	where, err := unique.Where(testID, opts)
	require.NoError(t, err)
	old, err := os.ReadFile(where.Record)
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(old), "\n")
	changed := regexp.MustCompile(pattern).ReplaceAllLiteralString(body, with)
	require.NotEqual(t, body, changed)
	text := fmt.Sprintf("solomq-primary/1 %d\n%s", len(changed), changed)
	require.NoError(t, os.WriteFile(where.Record, []byte(text), 0o600))
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
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o777))
	require.NoError(t, os.Chmod(path, 0o777))
	out, err := asNobody(t, "app intrude", path).Output()
	require.NoError(t, err)
	require.Equal(t, "got 0 bytes\n", string(out))
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o700))
}

// A record that is not of the primary which answers is nobody's.
func TestStaleRecord(t *testing.T) {
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
