//go:build !unix

package msgcore

import (
	"errors"
	"net"
	"syscall"
)

// rawConn gives no access to descriptors here: reading waits with a small
// buffer, and a goroutine writes.
func rawConn(net.Conn) syscall.RawConn { return nil }

func readFD(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }

const manyParts = 1

func writeFD(uintptr, [][]byte) (int, error) { return 0, errors.ErrUnsupported }
