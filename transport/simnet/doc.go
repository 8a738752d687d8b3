// Package simnet is a network for tests: hosts, and links between them that a
// test makes slow, cuts, mends and breaks. Its connections use no system call, so
// that under testing/synctest a test of minutes of silence takes no time, needs
// no sleep, and comes out the same every time.
//
// The program under test stays as it is, endpoints included. Only its sockets
// are told, by Options.Transports, on which host they are:
//
//	synctest.Test(t, func(t *testing.T) {
//		network := simnet.New() // in the bubble
//		server, client := network.Host("server"), network.Host("client")
//
//		rep := msgcore.NewRep(&msgcore.Options{Transports: server.Lookup})
//		req := msgcore.NewReq(&msgcore.Options{Transports: client.Lookup})
//		_, err := rep.Bind(ctx, "tcp://*:5555")
//		err = req.Connect("tcp://server:5555")
//
//		client.Link(server).Cut() // nothing passes any more
//		time.Sleep(time.Minute)   // of the bubble's time: at once
//		client.Link(server).Mend()
//	})
//
// # What is simulated
//
// Every scheme but inproc, which stays what it is, and those that carry packets,
// which a host does not have. An address is "host:port" as for tcp, with the
// names of the network's hosts in place of addresses; "*", "localhost" and the
// addresses of these two mean the host itself. Of ipc it is any name, known on
// that host alone.
//
// A connection is a stream of bytes as of TCP. What is written waits in a
// buffer of bounded size until the other side reads it, and gets there after the
// delay of the link, in order, no faster than its bandwidth. A dial takes one
// round trip. Acknowledgements take no time.
//
// Either end knows what the other one has read, and never will, so that a socket's
// counters leave nothing in doubt; see [transport.DeliveryConn].
//
// Links can be harmed in three ways:
//
//   - [Link.Cut]: nothing arrives, and nobody is told, until [Link.Mend]. Both
//     sides see what they see of a partition, or of a peer that has stopped:
//     silence, and writes that wait once the buffer is full. Nothing is lost.
//   - [Link.End]: each connection ends as if both sides had ended it. What was
//     written still arrives, so that nothing is lost.
//   - [Link.Reset]: each connection breaks, and what was not yet read is lost.
//
// Dials arrive in the order of their delays, so that a test decides with
// [Link.SetDelay] who comes first.
//
// # Time
//
// Time is that of package time. Within a bubble of testing/synctest it is the
// bubble's, and a Network must be made in the bubble that uses it. What happens
// at one and the same instant happens in any order; different delays make an
// order. Without a bubble all works as well, and takes the time that it says.
package simnet
