// Package zmtp implements the ZeroMQ Message Transport Protocol over one
// connection: versions 3.1 (RFC 37) and 3.0 (RFC 23) with the NULL and PLAIN (RFC
// 24) mechanisms, and 2.0 (RFC 15) and 1.0 (RFC 13), which have none, with peers
// that speak nothing newer, if Config.MinVersion allows it.
//
//	conn, err := net.Dial("tcp", "127.0.0.1:5555")
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	z, err := zmtp.Handshake(ctx, conn, &zmtp.Config{
//		Properties: zmtp.Properties{zmtp.SocketType: "DEALER"},
//	})
//	if err != nil {
//		return err
//	}
//	if err := z.WriteMessage([]byte("hello")); err != nil { // and flushes
//		return err
//	}
//	reply, err := z.ReadMessage()
//
// The package has two layers. The codec is pure functions over byte slices:
// AppendX appends the wire form of X to a slice and ParseX reads it back,
// refusing what is malformed before anything is allocated. Conn is a blocking
// reader and writer of frames on top of it; whoever wants its own buffers takes
// the raw connection back after [Handshake], which reads no byte beyond the
// peer's last handshake command unless Config.ReadAhead lets it, for fewer system
// calls; Conn.Leftover has what it has read then.
//
// It knows no sockets and no endpoints, and imports the standard library only.
//
// Other security mechanisms plug in as a [Mechanism].
//
// Where this package is stricter or kinder than the RFC asks:
//
//   - A property that occurs twice in one handshake is refused, since two
//     readers could disagree about which one counts.
//   - User-Id and Peer-Address are words of this side about a peer; a peer's
//     own are dropped.
//   - The TTL of a PING is sent as 65.5 s at most: libzmq's arithmetic goes
//     wrong above.
//   - Property names are sent exactly as the RFC spells them and accepted in any
//     case; a PING context over 16 bytes is cut, as libzmq does.
package zmtp
