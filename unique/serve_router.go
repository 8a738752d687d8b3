package unique

import (
	"context"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// A routerPort is the port over a ROUTER: its routing ids name the peers.
type routerPort struct {
	sock   *msgcore.Socket
	passed bool // the socket is a service manager's: not ours to make again
}

// listen opens the primary's control endpoint.
func listen(ctx context.Context, endpoint string, maxRequest int64, admit *trust, keys *tcpKeys) (*routerPort, string, error) {
	return newRouterPort(maxRequest, admit, keys, func(sock *msgcore.Socket) (string, error) { return sock.Bind(ctx, endpoint) })
}

// newRouterPort makes a control endpoint that bind binds.
func newRouterPort(maxRequest int64, admit *trust, keys *tcpKeys, bind func(*msgcore.Socket) (string, error)) (*routerPort, string, error) {
	o := &msgcore.Options{
		// The windows of the streams bound what is queued, and what the other
		// side says must not wait behind its output: no mark in messages.
		SendHWM:    -1,
		MaxMessage: wireLimit(maxRequest),
		// Asking every peer whether it is older would cost a round trip.
		MinVersion: zmtp.Version{Major: 3},
		Router:     msgcore.RouterOptions{Mandatory: true, Notify: msgcore.NotifyDisconnect},
		Transport:  transport.Options{Credentials: admit.caller},
	}
	if keys != nil {
		o.Mechanism, o.Authorize = keys.mechanism(), keys.authorize
	}
	sock := msgcore.NewRouter(o)
	bound, err := bind(sock)
	if err != nil {
		_ = sock.Close()
		return nil, "", err
	}
	return &routerPort{sock: sock}, bound, nil
}

// wireLimit is the largest message by which a request or a reply of limit bytes,
// as message.size counts it, can arrive.
func wireLimit(limit int64) int64 { return 2*limit + headSlack + 2*maxTextLen }

func (r *routerPort) recv() (packet, error) {
	for {
		m, err := r.sock.Recv(context.Background())
		if err != nil {
			return packet{}, err
		}
		if len(m.Frames) < 2 {
			continue // an id alone says nothing
		}
		p := packet{from: string(m.Frames[0]), frames: m.Frames[1:], cred: transport.Cred{PID: -1, UID: -1, GID: -1}}
		if info := m.Peer(); info != nil {
			p.cred = info.Cred
		}
		p.gone = m.Event()&msgcore.NotifyDisconnect != 0
		if m.Event() != 0 && !p.gone {
			continue
		}
		return p, nil
	}
}

// rebind listens on endpoint anew, whose file was removed. Connections stay.
func (r *routerPort) rebind(ctx context.Context, endpoint string) error {
	if r.passed {
		return nil
	}
	if err := r.sock.Unbind(endpoint); err != nil {
		return err
	}
	_, err := r.sock.Bind(ctx, endpoint)
	return err
}

func (r *routerPort) send(ctx context.Context, to string, frames [][]byte) error {
	return r.sock.Send(ctx, address(to, frames)...)
}

func (r *routerPort) trySend(to string, frames [][]byte) {
	// A peer that is gone, or takes nothing, has no use for the answer.
	_, _ = r.sock.TrySend(msgcore.Msg{Frames: address(to, frames)})
}

func address(to string, frames [][]byte) [][]byte {
	return append([][]byte{[]byte(to)}, frames...)
}

const (
	// lastAnswers is how long a caller that takes nothing keeps us from closing.
	lastAnswers = time.Second
	// farewell is how long the others have to close first. What was written to a
	// local socket can be read after its end, so it is not needed for that; and
	// secondaries that keep a connection for later do not notice.
	farewell = 20 * time.Millisecond
)

func (r *routerPort) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	for p := newPause(time.Millisecond, 20*time.Millisecond); len(r.sock.Pending()) > 0; {
		if p.wait(ctx) != nil {
			break
		}
	}
	ctx, cancel = context.WithTimeout(context.Background(), farewell)
	defer cancel()
	return r.sock.Shutdown(ctx)
}
