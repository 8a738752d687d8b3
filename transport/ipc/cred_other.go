//go:build (unix && !linux && !darwin && !freebsd) || windows

package ipc

import (
	"errors"
	"fmt"

	"github.com/solomq/solomq/transport"
)

func peerCred(uintptr) (transport.Cred, error) {
	return unknown, fmt.Errorf("ipc: peer credentials: %w on this system", errors.ErrUnsupported)
}
