// Package backlog knows how long the queue of a socket that listens may be.
package backlog

import "fmt"

// Check says why the system cannot give a queue of n connections, n being over 0.
// Systems that would cut n to their limit do so without a word.
func Check(n int) error {
	if most := limit(); most > 0 && n > most {
		return fmt.Errorf("a Backlog of %d is over the limit of %d that this system sets (net.core.somaxconn)", n, most)
	}
	return nil
}
