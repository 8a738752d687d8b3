// The measuring program for SoloMQ. Package bench tells how it is called.
//
// Its flags:
//
//	-recv=HOW    owned: Recv, and the collector frees the message (default)
//	             released: Recv and Msg.Release
//	             batch: RecvBatch of 64 and ReleaseBatch
//	-send=HOW    copy: Send (default up to 4 KiB)
//	             ref: SendMsg of one body, which nobody modifies (default above)
//	             fresh: SendMsg of a body allocated for each message
//	             batch: SendBatch of 64
//	-heap=MIB    live memory beside the messages, as in a program with data
//	-nodrop      pub: waits for slow subscribers, and for all N before the first message
//	-rate=KBIT, -recovery=MS, -buffer=BYTES
//	             mpub, msub: of multicast
//	-spin=TIME   Options.Spin
//	-curve=KEYS  CURVE: the public and the secret key of the side that is bound, and of the other
//	-kind=KIND   proxy, proxying, proxied: ROUTER-DEALER or XSUB-XPUB
//	-busy        req: each of the N sockets has a request under way at once
//	-profile=KIND:FILE, when built with the tag "profile"; cpu, mutex, block or allocs
package main

import (
	"context"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/perf/internal/bench"
)

func main() {
	bench.Main(map[string]func(*bench.Args) error{
		"pull":     prepared(pull),
		"push":     prepared(push),
		"pushn":    prepared(pushN),
		"inthr":    prepared(inprocThroughput),
		"rep":      prepared(rep),
		"req":      prepared(req),
		"inlat":    prepared(inprocRoundTrips),
		"pub":      prepared(pub),
		"sub":      prepared(sub),
		"mpub":     prepared(multicastPub),
		"msub":     prepared(multicastSub),
		"proxy":    prepared(proxy),
		"proxying": prepared(proxying),
		"proxied":  prepared(proxied),
		"base":     prepared(base),
		"idlesrv":  prepared(idleServer),
		"idlecli":  prepared(idleClients),
	})
}

// ctx is that of every call: none of them is given up.
var ctx = context.Background()

func prepared(mode func(*bench.Args) error) func(*bench.Args) error {
	return func(a *bench.Args) error {
		if err := hold(a.Flag("heap", "0")); err != nil {
			return err
		}
		if err := profile(a.Flag("profile", "")); err != nil {
			return err
		}
		return mode(a)
	}
}

// bound returns a socket of type t, bound to the address of a.
func bound(t msgcore.Type, a *bench.Args) (*msgcore.Socket, error) {
	opts, err := options(a, true)
	if err != nil {
		return nil, err
	}
	return boundSocket(msgcore.New(t, opts), a)
}

func boundSocket(s *msgcore.Socket, a *bench.Args) (*msgcore.Socket, error) {
	endpoint, err := s.Bind(ctx, a.Address)
	if err != nil {
		return nil, err
	}
	bench.Ready(endpoint)
	return s, nil
}

// connected returns a socket of type t, connected to each of the addresses of a.
func connected(t msgcore.Type, a *bench.Args) (*msgcore.Socket, error) {
	opts, err := options(a, false)
	if err != nil {
		return nil, err
	}
	return connectedSocket(msgcore.New(t, opts), a)
}

func connectedSocket(s *msgcore.Socket, a *bench.Args) (*msgcore.Socket, error) {
	for _, endpoint := range a.Addresses() {
		if err := s.Connect(endpoint); err != nil {
			return nil, err
		}
	}
	return s, nil
}
