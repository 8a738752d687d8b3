//go:build !linux && !darwin

package tcp

import (
	"errors"
	"fmt"
)

func bindToInterface(uintptr, bool, string) error {
	return fmt.Errorf("binding a socket to an interface: %w on this system; listen on the interface's name instead", errors.ErrUnsupported)
}
