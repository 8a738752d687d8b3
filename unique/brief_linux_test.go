package unique_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

func anybody(transport.Cred) error { return nil }

// briefPair is a brief connection and its other end.
func briefPair(t testing.TB, l net.Listener) (brief, other net.Conn) {
	brief, err := unique.DialBrief(l.Addr().String(), anybody)
	require.NoError(t, err)
	require.NotNil(t, brief)
	other, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { brief.Close(); other.Close() })
	return brief, other
}

func briefListener(t testing.TB) net.Listener {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// It is a net.Conn.
func TestBriefConn(t *testing.T) {
	l := briefListener(t)
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = briefPair(t, l)
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

// Whoever waits is woken by cut and by Close, at the beginning, when the system
// waits, and later, when it is asked what there is.
func TestBriefConnIsWoken(t *testing.T) {
	for _, long := range []bool{false, true} {
		for _, how := range []string{"cut", "close"} {
			t.Run(how+" "+strconv.FormatBool(long), func(t *testing.T) {
				brief, _ := briefPair(t, briefListener(t))
				bells := len(descriptors(t, os.Getpid(), "eventfd"))
				c := &unique.PatientConn{Conn: brief}
				require.NoError(t, c.SetDeadline(time.Now().Add(time.Hour)))
				read, wrote := make(chan error, 1), make(chan error, 1)
				go func() {
					_, err := c.Read(make([]byte, 1))
					read <- err
				}()
				go func() {
					_, err := c.Write(make([]byte, 64<<20)) // more than any buffer takes
					wrote <- err
				}()
				if long {
					require.Eventually(t, func() bool { return len(descriptors(t, os.Getpid(), "eventfd")) >= bells+2 }, patience, time.Millisecond)
				}
				want := unique.ErrCut
				if how == "cut" {
					unique.Cut(c)
				} else {
					want = net.ErrClosed
					require.NoError(t, c.Close())
				}
				for _, err := range []error{<-read, <-wrote} {
					require.True(t, errors.Is(err, want) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrDeadlineExceeded), "%v", err)
				}
				_, err := c.Read(make([]byte, 1))
				require.ErrorIs(t, err, want)
				_, err = c.Write([]byte("x"))
				require.ErrorIs(t, err, want)
			})
		}
	}
}

// The end of the other side is io.EOF behind all that it had sent.
func TestBriefConnEnd(t *testing.T) {
	brief, other := briefPair(t, briefListener(t))
	_, err := other.Write([]byte("last words"))
	require.NoError(t, err)
	require.NoError(t, other.Close())
	b, err := io.ReadAll(brief)
	require.NoError(t, err)
	require.Equal(t, "last words", string(b))
	_, err = brief.Write([]byte("x"))
	require.ErrorIs(t, err, syscall.EPIPE)
	require.NoError(t, brief.Close())
	require.ErrorIs(t, brief.Close(), net.ErrClosed)
}

// What does not succeed at once is for the transport, which waits and says why.
func TestBriefConnLeavesItToTheTransport(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"", "relative", "@abstract", filepath.Join(dir, "none"), "/" + strings.Repeat("x", 200), dir + "/a\x00b"} {
		c, err := unique.DialBrief(path, anybody)
		require.NoError(t, err)
		require.Nil(t, c, "%q", path)
	}
	// A listener whose queue is full.
	full := filepath.Join(dir, "full")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: full}))
	require.NoError(t, syscall.Listen(fd, 0))
	for n := 0; ; n++ {
		require.Less(t, n, 10)
		c, err := unique.DialBrief(full, anybody)
		require.NoError(t, err)
		if c == nil {
			break
		}
		defer c.Close()
	}
}

func TestBriefConnRefusesOthers(t *testing.T) {
	l := briefListener(t)
	no := errors.New("not you")
	c, err := unique.DialBrief(l.Addr().String(), func(got transport.Cred) error {
		require.Equal(t, transport.Cred{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid()}, got)
		return no
	})
	require.ErrorIs(t, err, no)
	require.Nil(t, c)
}

// A process with many is no launch, and has the runtime wait for them.
func TestBriefConnsAreFew(t *testing.T) {
	l := briefListener(t)
	var few []net.Conn
	for c, _ := briefPair(t, l); ; {
		few = append(few, c)
		next, err := unique.DialBrief(l.Addr().String(), anybody)
		require.NoError(t, err)
		if next == nil {
			break
		}
		c = next
	}
	require.LessOrEqual(t, len(few), 4)
	for _, c := range few {
		require.NoError(t, c.Close())
	}
	briefPair(t, l)
}

// One that is forgotten is closed, as any net.Conn.
func TestBriefConnForgotten(t *testing.T) {
	l := briefListener(t)
	_, err := unique.DialBrief(l.Addr().String(), anybody)
	require.NoError(t, err)
	other, err := l.Accept()
	require.NoError(t, err)
	defer other.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := other.Read(make([]byte, 1))
		ended <- err
	}()
	for deadline := time.Now().Add(patience); ; {
		runtime.GC()
		select {
		case err := <-ended:
			require.ErrorIs(t, err, io.EOF)
			return
		default:
			require.True(t, time.Now().Before(deadline))
			runtime.Gosched()
		}
	}
}

// A launch that waits for its answer has set up nothing for it: no poller of the
// runtime, not even the one descriptor that it is woken by.
func TestProcessLaunchIsLean(t *testing.T) {
	opts := uniquetest.Options(t)
	open := make(chan []string, 1)
	primary(t, opts, func(_ context.Context, inv *unique.Invocation) int {
		open <- descriptors(t, inv.Peer.PID, "eventpoll")
		return 7
	})
	second := start(t, "second", opts.Dir, nil, "x")
	require.Empty(t, <-open)
	require.Equal(t, 7, second.wait())
}

// descriptors are those of a process whose kind contains kind.
func descriptors(t testing.TB, pid int, kind string) (found []string) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.Contains(to, kind) {
			found = append(found, to)
		}
	}
	return found
}
