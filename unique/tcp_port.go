package unique

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/solomq/solomq/transport"
	"github.com/solomq/solomq/transport/tcp"
)

// portScheme is the scheme of channels of a primary on tcp. The address is the path of a file in the application's
// directory that holds the address of tcp: whoever binds writes it, and it is read for each connection, so that a peer finds
// the next primary as it would find the socket file of ipc.
const portScheme = "unique-port"

func init() { transport.Register(portScheme, portTransport{}) }

type portTransport struct{}

// Dial implements transport.Transport.
func (portTransport) Dial(ctx context.Context, path string, opts *transport.Options) (transport.Conn, error) {
	text, err := readOwnFile(path, os.Geteuid(), maxAddress)
	if err != nil {
		return nil, fmt.Errorf("unique: no process has bound the channel: %w", err)
	}
	addr := strings.TrimSpace(string(text))
	if !isLoopback(addr) {
		return nil, fmt.Errorf("unique: %s does not hold the address of a loopback port", path)
	}
	return tcp.Transport{}.Dial(ctx, addr, opts)
}

// Listen implements transport.Transport.
func (portTransport) Listen(ctx context.Context, path string, opts *transport.Options) (transport.Listener, error) {
	var l transport.Listener
	var tried []error
	for _, addr := range loopbacks {
		var err error
		if l, err = (tcp.Transport{}).Listen(ctx, addr, opts); err == nil {
			break
		}
		tried = append(tried, err)
	}
	if l == nil {
		return nil, errors.Join(tried...)
	}
	addr := l.Addr().String()
	if err := writeOwnFile(path, path+".draft", []byte(addr+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("unique: the port of the channel cannot be published: %w", err), l.Close())
	}
	return &portListener{Listener: l, path: path, addr: addr}, nil
}

const maxAddress = 128

// loopbacks are where a primary listens: the first that there is.
var loopbacks = []string{"127.0.0.1:*", "[::1]:*"}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

type portListener struct {
	transport.Listener
	path, addr string
	once       sync.Once
}

// Addr implements net.Listener.
func (l *portListener) Addr() net.Addr { return portAddr(l.path) }

// Close removes the file, if it is not that of another listener by now.
func (l *portListener) Close() error {
	l.once.Do(func() {
		if text, err := readOwnFile(l.path, os.Geteuid(), maxAddress); err == nil && strings.TrimSpace(string(text)) == l.addr {
			_ = removeFile(l.path) // a file that is left leads nowhere
		}
	})
	return l.Listener.Close()
}

type portAddr string

// Network implements net.Addr.
func (portAddr) Network() string { return portScheme }

// String implements net.Addr.
func (a portAddr) String() string { return string(a) }
