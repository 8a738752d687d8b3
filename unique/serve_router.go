package unique

import (
	"context"
	"time"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/transport"
)

// A routerPort is the port on tcp, where anybody may connect who is on this host: it is
// a ROUTER, which keeps strangers and slow peers from harming others. Its routing ids
// name the peers.
type routerPort struct{ sock *msgcore.Socket }

// listenRouter opens the primary's control endpoint on tcp, for those who have the key.
func listenRouter(ctx context.Context, endpoint string, maxRequest int64, keys *tcpKeys) (*routerPort, string, error) {
	sock := msgcore.NewRouter(&msgcore.Options{
		// The windows of the streams bound what is queued, and what the other
		// side says must not wait behind its output: no mark in messages.
		SendHWM:    -1,
		MaxMessage: wireLimit(maxRequest),
		Router:     msgcore.RouterOptions{Mandatory: true, Notify: msgcore.NotifyDisconnect},
		Mechanism:  keys.mechanism(),
		Authorize:  keys.authorize,
	})
	bound, err := sock.Bind(ctx, endpoint)
	if err != nil {
		_ = sock.Close()
		return nil, "", err
	}
	return &routerPort{sock}, bound, nil
}

// wireLimit is the largest message by which a request or a reply of limit bytes,
// as message.size counts it, can arrive.
func wireLimit(limit int64) int64 { return 2*limit + headSlack + 2*maxTextLen }

func (r *routerPort) run(handle func(packet) func()) error {
	for {
		p, err := r.recv()
		if err != nil {
			return err
		}
		if handler := handle(p); handler != nil {
			go handler()
		}
	}
}

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

// farewell is how long the others have to close first; secondaries that keep a
// connection for later do not notice.
const farewell = 20 * time.Millisecond

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
