package transport

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// maxRetransmit is the most that the kernel's number of milliseconds can say.
const maxRetransmit = math.MaxInt32 * time.Millisecond

// Validate reports what in o cannot be meant, on whatever system and by whatever
// transport; nil if there is nothing. What a system or a transport has further to
// say is an error of Dial and Listen.
func (o *Options) Validate() error {
	switch {
	case o == nil:
		return nil
	case o.SendBuffer < 0 || o.RecvBuffer < 0:
		return errors.New("the size of a buffer must not be negative")
	case o.TrafficClass < 0 || o.TrafficClass > 255:
		return fmt.Errorf("TrafficClass is %d, want 0 to 255", o.TrafficClass)
	case o.IPVersion != 0 && o.IPVersion != 4 && o.IPVersion != 6:
		return fmt.Errorf("IPVersion is %d, want 4, 6 or 0 for both", o.IPVersion)
	case o.Priority < 0:
		return fmt.Errorf("option Priority is %d, want 0 or more", o.Priority)
	case o.MaxRetransmit < 0 || o.MaxRetransmit > maxRetransmit:
		return fmt.Errorf("MaxRetransmit is %v, want 0 to %v", o.MaxRetransmit, maxRetransmit)
	case o.Backlog < 0:
		return fmt.Errorf("option Backlog is %d, want 0 or more", o.Backlog)
	}
	return o.Proxy.validate()
}
