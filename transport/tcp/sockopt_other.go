//go:build !unix && !windows

package tcp

import (
	"errors"
	"net"
)

func setSendBuffer(uintptr, int) error { return errors.ErrUnsupported }

func setRecvBuffer(uintptr, int) error { return errors.ErrUnsupported }

func setTrafficClass(uintptr, bool, int) error { return errors.ErrUnsupported }

// setBacklog does nothing: transport.Options says that only Unix heeds it.
func setBacklog(*net.TCPListener, int) error { return nil }
