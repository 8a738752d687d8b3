// Package transport defines how msgcore reaches a peer: a [Transport] turns an
// endpoint such as "tcp://127.0.0.1:5555" into a [Conn].
//
// The transports tcp, ipc and inproc are packages below this one; msgcore imports
// them by itself. Any other, udp below this one too, is used by importing it:
//
//	import _ "github.com/solomq/solomq/transport/udp"
//	import _ "example.com/quic" // registers "quic"
//
//	endpoint, err := socket.Bind(ctx, "quic://*:4433")
//
// # How to write a transport
//
// A transport is a type with the two methods of [Transport], a call of [Register]
// in an init function, and a test that calls transporttest.Run.
//
//	package quic
//
//	type Transport struct{}
//
//	func init() { transport.Register("quic", Transport{}) }
//
//	func (Transport) Dial(ctx context.Context, addr string, opts *transport.Options) (transport.Conn, error)
//	func (Transport) Listen(ctx context.Context, addr string, opts *transport.Options) (transport.Listener, error)
//
// What is expected of it, and what transporttest checks where it can:
//
//   - Addresses. What comes after "://" is the transport's own. A wildcard ("*", a
//     port of "*" or "0") asks for a free address. Listener.Addr().String() is the
//     resolved address, which Dial accepts. An address that is wrong, or that
//     somebody listens on already, is an error of Listen, not of Accept.
//   - Waiting. Dial and Listen end soon after their ctx does, with an error for
//     which errors.Is(err, ctx.Err()) holds. ctx means nothing to what they
//     return. Dial fails, rather than wait, when nobody is there: redialing is
//     msgcore's. (inproc waits, because there it knows when somebody comes.)
//   - Conn. A reliable stream of bytes in order, as [net.Conn] says: deadlines
//     that leave the connection usable, Write that returns only when it needs the
//     buffer no more, Close that wakes whoever reads or writes. What was written
//     before Close still reaches the peer, who then reads io.EOF. One that also
//     is a [syscall.Conn] is read and written faster.
//   - Listener. Close wakes Accept, whose error is net.ErrClosed, frees the address,
//     and leaves alone what was accepted. Other errors of Accept are taken to be
//     passing ones: it is called again after a pause.
//   - Goroutines. None is left once everything is closed.
//   - Errors. They start with the transport's name, say which address, and wrap
//     the cause: callers look for net.ErrClosed, os.ErrDeadlineExceeded,
//     errors.ErrUnsupported, and the likes of syscall.EADDRINUSE.
//   - Options. Nil means defaults. An option that the transport knows but the
//     system cannot do is an error; one that it has no use for is ignored.
//
// Some transports can do more, and say so by a second interface: a Transport that
// knows a wrong address when it sees it is an [AddrChecker], one of
// packets rather than connections is a [PacketTransport], a Conn that knows the
// process at its other end a [CredConn], one that knows what the other end has read a
// [DeliveryConn], and a Transport within one process can be a [Rendezvous].
package transport
