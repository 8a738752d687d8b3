package unique

import (
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/ipc"
)

// A witness is a name that a primary holds beside its lock, and that nothing can
// remove: an abstract socket. Whoever finds the lock free but the witness held
// knows that the directory was wiped under a primary that goes on. Anybody can
// take such a name, so it is believed only if the kernel says that its holder is
// of our own user; the lock alone decides otherwise.
type witness struct {
	ln   *net.UnixListener
	done chan struct{} // closed when serve has returned
}

// witnessName is the same for all processes that meet in the directory, and for
// no others: where a network namespace is shared by containers, directories of
// the same name are on different devices.
func witnessName(s *site) string {
	var device uint64
	if fi, err := os.Stat(s.dir); err == nil {
		if st, ok := fi.Sys().(*syscall.Stat_t); ok {
			device = uint64(st.Dev)
		}
	}
	return "@solomq/" + hashName("witness", strconv.Itoa(s.su.uid), strconv.FormatUint(device, 16), s.dir, s.name)
}

// newWitness takes the name. If somebody of our user holds it, it returns that
// process, and if the name is not to be had otherwise, nothing.
func newWitness(s *site) (w *witness, holder int) {
	name := witnessName(s)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, askWitness(name, s.su.uid)
	}
	w = &witness{ln, make(chan struct{})}
	go w.serve()
	return w, 0
}

// serve lets those who ask see whose it is, which they do as soon as they are
// connected.
func (w *witness) serve() {
	defer close(w.done)
	for {
		c, err := w.ln.Accept()
		if err == nil {
			_ = c.Close()
			continue
		}
		if ne, ok := err.(net.Error); !ok || !ne.Timeout() {
			return
		}
	}
}

// close gives the name back; nil is fine.
func (w *witness) close() {
	if w != nil {
		_ = w.ln.Close()
		<-w.done
	}
}

// askWitness returns the process that holds name, if it is of user uid; else 0.
func askWitness(name string, uid int) int {
	c, err := net.DialTimeout("unix", name, time.Second)
	if err != nil {
		return 0
	}
	defer c.Close()
	p, err := ipc.PassedConn(c, nil)
	if err != nil {
		return 0
	}
	known, ok := p.(transport.CredConn)
	if !ok {
		return 0
	}
	cred, err := known.PeerCred()
	if err != nil || cred.UID != uid {
		return 0
	}
	return max(cred.PID, 1) // of another pid namespace: 0
}
