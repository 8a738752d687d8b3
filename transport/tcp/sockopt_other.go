//go:build !unix && !windows

package tcp

import (
	"errors"
	"fmt"
	"net"
)

func setSendBuffer(uintptr, int) error { return errors.ErrUnsupported }

func setRecvBuffer(uintptr, int) error { return errors.ErrUnsupported }

func setTrafficClass(uintptr, bool, int) error { return errors.ErrUnsupported }

func setBacklog(*net.TCPListener, int) error {
	return fmt.Errorf("option Backlog: %w on this system", errors.ErrUnsupported)
}
