//go:build !linux

package tcp

import (
	"errors"
	"fmt"
	"time"
)

func setMaxRetransmit(uintptr, time.Duration) error {
	return fmt.Errorf("%w on this system; heartbeats find a peer that does not answer", errors.ErrUnsupported)
}

func setPriority(uintptr, int) error {
	return fmt.Errorf("%w on this system; TrafficClass tells the network", errors.ErrUnsupported)
}
