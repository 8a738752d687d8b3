package msgcore_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// The article that SoloMQ comes from promised sockets of 1 to 20 KB.
const (
	maxIdleConnection = 11 << 10
	maxInprocPair     = 20 << 10
)

// inUse returns the bytes of live heap and of stacks.
func inUse() int64 {
	runtime.GC()
	runtime.GC() // what pools held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func TestMemoryOfIdleConnections(t *testing.T) {
	if msgcore.RaceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	ctx := ctx30(t)
	router := msgcore.NewRouter(nil)
	defer router.Close()
	endpoint, err := router.Bind(ctx, "tcp://127.0.0.1:*")
	require.NoError(t, err)
	const n = 500
	conns := make([]net.Conn, n)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	before := inUse()
	for i := range conns {
		c, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
		require.NoError(t, err)
		conns[i] = c
		z, err := zmtp.Handshake(ctx, c, &zmtp.Config{Properties: zmtp.Properties{zmtp.SocketType: "DEALER"}})
		require.NoError(t, err)
		require.NoError(t, z.WriteMessage([]byte("not idle for once")))
	}
	for range conns {
		m, err := router.Recv(ctx)
		require.NoError(t, err)
		m.Release()
	}
	each := (inUse() - before) / n // the client's end is in it, too
	t.Logf("%d bytes for each idle connection, with both of its ends", each)
	require.Less(t, each, int64(maxIdleConnection))
}

func TestMemoryOfInprocPairs(t *testing.T) {
	if msgcore.RaceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	ctx := context.Background()
	const n = 200
	var all []*msgcore.Socket
	defer func() {
		for _, s := range all {
			s.Close()
		}
	}()
	before := inUse()
	for i := range n {
		a, b := msgcore.NewPair(nil), msgcore.NewPair(nil)
		all = append(all, a, b)
		endpoint, err := a.Bind(ctx, fmt.Sprintf("inproc://memory %d", i))
		require.NoError(t, err)
		require.NoError(t, b.Connect(endpoint))
		require.NoError(t, b.Send(ctx, []byte("hello")))
		m, err := a.Recv(ctx)
		require.NoError(t, err)
		m.Release()
	}
	each := (inUse() - before) / n
	t.Logf("%d bytes for each pair of sockets", each)
	require.Less(t, each, int64(maxInprocPair))
}
