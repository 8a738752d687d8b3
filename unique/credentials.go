package unique

import (
	"os"

	"github.com/solomq/solomq/transport"
)

// sameUser admits processes of our own user only: whoever connects to us, and
// whoever we connect to. A system that does not tell the other's user is
// guarded by the directory alone.
func sameUser(c transport.Cred) error {
	if want := os.Geteuid(); c.UID != -1 && want != -1 && c.UID != want {
		return &OtherUserError{PID: c.PID, UID: c.UID, Want: want}
	}
	return nil
}
