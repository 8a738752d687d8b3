// Perf measures SoloMQ side by side with libzmq, with the ZeroMQ libraries of Go
// and with NATS: the same work, sizes, queues and processes for everybody, each
// library as it comes.
//
//	go -C msgcore/perf run . compare                   everything, under ten minutes
//	go -C msgcore/perf run . compare -quick            the gist, about a minute
//	go -C msgcore/perf run . compare -mode pushpull -size 64,1Ki -transport tcp -rounds 5
//	go -C msgcore/perf run . compare -peers solomq,libzmq -run 'reqrep .*4 peers'
//	go -C msgcore/perf run . profile -mode pushpull -size 64 -transport tcp
//
// It builds a program for each library (their folders), runs them interleaved, one
// round after the other, and prints a report, which it also writes as Markdown,
// JSON and a chart (-out). Ratios are medians over the rounds of what the
// contenders reached within one round, so that a machine whose speed drifts hits
// all of them alike; beside each stands the smallest and the largest.
//
// What is needed: Go, and on Debian "apt-get install gcc libzmq3-dev" for libzmq
// and pebbe/zmq4, gcc and Linux for bare, libglib2.0-dev and dbus for the
// second launch of a GApplication.
// What is missing is left out and said, unless it was asked for by name.
//
// # How it is measured
//
// Throughput: the receiver binds, the sender connects and sends as fast as it can;
// the receiver lets 0.1 s pass after its first message and then counts for -time.
// Round trips: a REQ sends as soon as it has the reply; each is timed, whole, and
// their median counts. With tcp and ipc the two sides are processes of their own.
// Every socket has its defaults, so a high-water mark of 1000; NATS, which has
// none, has limits that do not get in the way.
//
// Beside round trips of one peer stands "bare": two programs in C on one connection
// that write, epoll_wait and recv, without frames or protocol, which is what it
// takes here to wake two processes and to carry the bytes. It is a yardstick and no
// competitor: it has no target and is not in the chart. Who waits by epoll at once
// cannot be below it; who looks again before it waits can, where waking is dear.
//
// Multicast: the subscriber and the publisher are in network namespaces of their
// own, which this program makes and removes, and for which it needs root and
// iproute2. Messages carry numbers, by which those that are lost are counted. The
// settings are the same for everybody: a rate of 3 Gbit/s, and a window of
// 50 MB.
//
// CPU per message is the time of both processes, as the kernel tells it at their
// end, divided by all messages received, the warm-up included.
//
// A program that does not deliver in time is ended and reported; the rest goes on.
//
// # To add
//
// A library is an entry in the table of library.go and a folder with a program
// that package internal/bench describes; what those in C share is in cbench. A kind
// of work is an entry in the table of modes.go. What has to be reached is in
// targets.go.
package main
