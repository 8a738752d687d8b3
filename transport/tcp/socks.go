package tcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/solomq/solomq/transport"
)

// What RFC 1928 (SOCKS5) and RFC 1929 (its login) number.
const (
	socksVersion  = 5
	socksNoLogin  = 0
	socksLogin    = 2
	socksNoMethod = 0xff
	socksConnect  = 1
	socksRefused  = 5
	socksIPv4     = 1
	socksName     = 3
	socksIPv6     = 4
	loginVersion  = 1
)

// socksReasons are the answers of a proxy that has not connected, but for errRefused.
var socksReasons = [...]error{
	1: errors.New("it has failed"),
	2: errors.New("its rules do not allow it"),
	3: errors.New("network unreachable"),
	4: errors.New("host unreachable"),
	6: errors.New("the time to live has expired"),
	7: errors.New("it cannot connect for others"),
	8: errors.New("it does not know addresses of this kind"),
}

// proxyPatience bounds the wait for a proxy where the context of Dial has no
// deadline: the system ends a wait for a connection, but not this one.
const proxyPatience = 30 * time.Second

// throughProxy makes c, a connection to the proxy p, one to target.
func throughProxy(ctx context.Context, c net.Conn, p transport.Proxy, target string) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, proxyPatience)
		defer cancel()
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	err := askProxy(c, p, target)
	if !stop() {
		return fmt.Errorf("it has not answered in time: %w", ctx.Err())
	}
	return err
}

// askProxy asks the proxy at the other end of c to connect to target, and reads
// no byte behind its answer.
func askProxy(c io.ReadWriter, p transport.Proxy, target string) error {
	hello := []byte{socksVersion, 1, socksNoLogin}
	if p.User != "" {
		hello = []byte{socksVersion, 2, socksNoLogin, socksLogin}
	}
	request, err := socksRequest(target)
	if err != nil {
		return err
	}
	if _, err := c.Write(hello); err != nil {
		return err
	}
	var answer [4]byte
	if _, err := io.ReadFull(c, answer[:2]); err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	switch version, method := answer[0], answer[1]; {
	case version != socksVersion:
		return fmt.Errorf("it does not speak SOCKS5: its first byte is %#x", version)
	case method == socksLogin && p.User != "":
		if err := loginToProxy(c, p); err != nil {
			return err
		}
	case method == socksNoMethod && p.User == "", method == socksLogin:
		return errors.New("it wants a user and a password (Options.Proxy)")
	case method != socksNoLogin:
		return fmt.Errorf("it wants another way to log in than by a user and a password: %#x", method)
	}
	if _, err := c.Write(request); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, answer[:]); err != nil {
		return fmt.Errorf("it does not answer the request to connect: %w", err)
	}
	switch code := answer[1]; {
	case answer[0] != socksVersion:
		return fmt.Errorf("it does not speak SOCKS5: its answer starts with %#x", answer[0])
	case code == socksRefused:
		return fmt.Errorf("it has not connected: %w", errRefused)
	case code != 0 && int(code) < len(socksReasons):
		return fmt.Errorf("it has not connected: %w", socksReasons[code])
	case code != 0:
		return fmt.Errorf("it has not connected, for a reason of its own: %#x", code)
	}
	return skipAddress(c, answer[3])
}

func loginToProxy(c io.ReadWriter, p transport.Proxy) error {
	b := []byte{loginVersion, byte(len(p.User))}
	b = append(b, p.User...)
	b = append(b, byte(len(p.Password)))
	b = append(b, p.Password...)
	if _, err := c.Write(b); err != nil {
		return err
	}
	var answer [2]byte
	if _, err := io.ReadFull(c, answer[:]); err != nil {
		return fmt.Errorf("it does not answer the login: %w", err)
	}
	if answer[1] != 0 {
		return errors.New("it refuses this user and password")
	}
	return nil
}

// socksRequest asks to connect to target. A host name goes as it is: the proxy,
// which may be in another network, looks it up.
func socksRequest(target string) ([]byte, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	b := []byte{socksVersion, socksConnect, 0}
	switch ip, err := netip.ParseAddr(host); {
	case err == nil && ip.Zone() != "":
		return nil, fmt.Errorf("%q names an interface of this machine, which means nothing to a proxy", host)
	case err == nil && ip.Unmap().Is4():
		b = append(append(b, socksIPv4), ip.Unmap().AsSlice()...)
	case err == nil:
		b = append(append(b, socksIPv6), ip.AsSlice()...)
	case len(host) > 255:
		return nil, fmt.Errorf("a host name of %d bytes is over the limit of 255", len(host))
	default:
		b = append(append(b, socksName, byte(len(host))), host...)
	}
	return append(b, byte(n>>8), byte(n)), nil
}

// skipAddress reads the address that the proxy connects from, and its port.
func skipAddress(r io.Reader, kind byte) error {
	var b [255 + 2]byte
	n := 0
	switch kind {
	case socksIPv4:
		n = 4
	case socksIPv6:
		n = 16
	case socksName:
		if _, err := io.ReadFull(r, b[:1]); err != nil {
			return fmt.Errorf("its answer is cut: %w", err)
		}
		n = int(b[0])
	default:
		return fmt.Errorf("its answer has an address of kind %#x", kind)
	}
	if _, err := io.ReadFull(r, b[:n+2]); err != nil {
		return fmt.Errorf("its answer is cut: %w", err)
	}
	return nil
}
