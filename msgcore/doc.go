// Package msgcore provides ZeroMQ-compatible message sockets in pure Go.
//
// A server that answers each request:
//
//	rep := msgcore.NewRep(nil)
//	defer rep.Close()
//	endpoint, err := rep.Bind(ctx, "tcp://127.0.0.1:*")
//	if err != nil {
//		return err
//	}
//	fmt.Println("listening on", endpoint)
//	for m, err := range rep.Messages(ctx) {
//		if err != nil {
//			return err
//		}
//		if err := rep.Send(ctx, m.Frames...); err != nil {
//			return err
//		}
//	}
//
// and a client, in any language that has a ZeroMQ binding, or here:
//
//	req := msgcore.NewReq(nil)
//	defer req.Close()
//	if err := req.Connect(endpoint); err != nil {
//		return err
//	}
//	reply, err := req.Request(ctx, []byte("hello"))
//
// A [Socket] sends and receives messages of one or more frames through any
// number of endpoints. Its type decides the rest: to whom a message goes, what
// waits and what is dropped; see the constructors. The scheme of an endpoint
// decides how bytes travel, and nothing else in a program changes with it:
//
//	inproc://name            between goroutines, without a copy on the way
//	ipc:///path, ipc://@name between processes (Unix sockets)
//	tcp://host:port          between hosts
//
//	udp://host:port          datagrams: RADIO, DISH and DGRAM only
//	epgm://iface;group:port  reliable multicast: PUB, XPUB, SUB and XSUB only
//
// The last two have to be imported: see packages udp and pgm below transport. A "*" in place of a name, a path or a port lets the system choose; Bind
// returns what it was. Other transports plug in by import: see package
// transport. A net.Listener or net.Conn made elsewhere, by a service manager or
// with TLS, is handed over by [Socket.BindListener] and [Socket.ConnectConn].
//
// # High-water marks
//
// Between a socket and each of its peers there are two queues, bounded by
// Options.SendHWM and RecvHWM in messages and by SendBytes and RecvBytes in
// bytes. A message counts from Send until its last byte was written to the
// connection, and on the other side until the application has received it, or
// the last of the batch it came in (at most half of the mark). What the
// kernel's own buffers hold comes on top: 64 KiB to some MiB for tcp, about 200
// KiB for ipc. On inproc the two queues are one, and so are their marks.
//
// At the mark the types that send to one peer at a time wait: REQ, DEALER, PUSH,
// PAIR, CLIENT, SERVER, SCATTER, PEER, CHANNEL and STREAM, ROUTER with
// Options.Router.Mandatory, and PUB and XPUB with Options.Pub.NoDrop. Otherwise
// PUB, XPUB, XSUB, RADIO, REP and ROUTER drop the message for that peer and count
// it; Stats has the counters.
//
// # Messages and memory
//
// Send copies what it is given; SendMsg takes ownership and passes large frames
// on as they are. A received [Msg] owns its frames. They lie in buffers that
// the collector frees, or that [Msg.Release] gives back sooner. Receivers of
// many small messages gain most by RecvBatch and ReleaseBatch. A program with
// next to no live heap collects often; GOGC or GOMEMLIMIT mend that for it,
// which a library must not do.
//
// # Lost connections
//
// An endpoint that was connected is dialed again until Disconnect or Close.
// What was queued for it and not completely written stays queued; a message
// that was cut is sent again from its first frame. What was written to a
// connection that then broke may or may not have arrived: ZMTP has no
// acknowledgement, and patterns that need one have to ask, as REQ does: a Request
// is told by ErrNoReply, and a REQ with Options.Req may send again. For a
// peer that connected to us, the queue ends with its connection.
//
// # Differences from libzmq, on purpose
//
//   - Sockets may be used by several goroutines at once, and there is no context
//     object to terminate.
//   - Ending a context ends that call alone. There are no time-out options for
//     send and receive.
//   - Binding an ipc path never takes it from a socket that is still alive.
//   - Close waits while bytes still move, for Options.Linger (1 s) after the
//     last that did, and reports what it could not send. libzmq waits for ever.
//   - A REP may receive again before it has answered; Send then refuses to
//     guess which request is meant, and Msg.Reply answers any of them.
//   - Every drop is counted, by cause, on both sides, and told to Options.Monitor;
//     see Stats.
//   - The connection of a second peer with a routing id that is in use is ended,
//     instead of being ignored, so that it tries again until the id is free.
//   - A PING's time to live is kept to what libzmq does not misread (65.5 s) when
//     sent, and honoured up to what the wire can say (6553.5 s) when received.
//     While back-pressure stops our reading, no heartbeat expires.
//   - A connected inproc endpoint finds the next socket that binds the name when
//     the first one is closed.
//
// # Protocols
//
// ZMTP 3.1 and 3.0 (RFC 37, RFC 23), and with peers that speak nothing newer 2.0
// and 1.0 (RFC 15, RFC 13), unless Options.MinVersion or security forbid it; the
// patterns of
// RFC 28 (request-reply), RFC 29 (publish-subscribe), RFC 30 (pipeline), RFC 31
// (exclusive pair), RFC 41 (client-server), RFC 48 (radio-dish), RFC 49
// (scatter-gather), RFC 51 (peer-to-peer) and RFC 52 (channel).
//
// A STREAM socket has none of them: it carries plain bytes, for peers of another
// kind, and [Socket.Listener] makes a net.Listener of it.
//
// Options.Mechanism secures connections: PLAIN (RFC 24) in package zmtp, CURVE
// (RFC 25, RFC 26) in package curve. Options.Authorize says who is let in, itself
// or by asking a handler as ZAP does (RFC 27, [ZAPAuthorizer]).
package msgcore
