//go:build unix || windows

package ipc_test

import (
	"net"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// What package net has made tells who its peers are, at both ends.
func TestPassed(t *testing.T) {
	made, err := net.Listen("unix", freshPath(t))
	require.NoError(t, err)
	l := ipc.Passed(made, nil)
	defer l.Close()
	require.Equal(t, made.Addr(), l.Addr())
	dialed, err := net.Dial("unix", made.Addr().String())
	require.NoError(t, err)
	defer dialed.Close()
	near, err := ipc.PassedConn(dialed, nil)
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	defer far.Close()
	again, err := ipc.PassedConn(far, &transport.Options{RecvBuffer: 10_000})
	require.NoError(t, err)
	require.Same(t, far, again, "it is one already")
	if runtime.GOOS == "linux" {
		for _, c := range []net.Conn{near, far} {
			cred, err := c.(transport.CredConn).PeerCred()
			require.NoError(t, err)
			require.Equal(t, os.Getuid(), cred.UID)
		}
	}
	require.NoError(t, l.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)

	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	require.Equal(t, other, ipc.Passed(other, nil))
}
