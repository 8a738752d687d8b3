package main

import "context"

// A mode is a kind of work.
type mode struct {
	name   string // as -mode says it
	title  string // of its part of the report
	about  string // what is counted, for the report
	counts string // what work.n counts, in the singular
	unit   unit
	sizes  []int // by default; nil if messages have no part in it
	// works returns what there is to measure at the given sizes.
	works func(sizes []int) []*work
	// ways are those in which SoloMQ is used at w; nil stands for one.
	ways    func(w *work) []way
	measure measureFunc
	// lacks, if not nil, says why it cannot be measured here.
	lacks func() string
	tells []column // more of each sample than its value
}

// A column is something else that a sample tells.
type column struct {
	title string
	unit  unit
	of    func(*sample) float64
}

type measureFunc func(ctx context.Context, b *bed, w *work, c *contender) (sample, error)

// A way is one of several in which SoloMQ can be used for the same work.
type way struct {
	name  string
	flags []string
}

var (
	owned     = way{"owned", []string{"-recv=owned"}}
	released  = way{"released", []string{"-recv=released"}}
	batched   = way{"batch", []string{"-recv=batch", "-send=batch"}}
	batchRecv = way{"batch", []string{"-recv=batch"}}
	ownedHeap = way{"owned, 32 MiB heap", []string{"-recv=owned", "-heap=32"}}
	spinning  = way{"spin", []string{"-spin=20us"}}
	fresh     = way{"released, fresh bodies", []string{"-recv=released", "-send=fresh"}}
)

// small is up to where Send is used, which copies; above it is SendMsg.
const small = 4 << 10

var cpuToo = column{"The same in µs of CPU, all processes together; less is better.", microseconds, cpu}

var modes = []*mode{
	{
		name: "pushpull", title: "Push and pull", unit: perSecond,
		about: "Messages/s from one PUSH to one PULL.",
		sizes: []int{16, 64, 256, 1 << 10, 16 << 10, 64 << 10, 1 << 20},
		works: func(sizes []int) []*work {
			return overNetworks(sizes, func(transport string, size int) []*work {
				quick := transport == "tcp" && (size == 64 || size == 1<<10 || size == 64<<10) || transport == "ipc" && size == 64
				return []*work{{transport: transport, size: size, quick: quick}}
			})
		},
		ways: func(w *work) []way {
			if w.size <= small {
				return []way{owned, released, batched}
			}
			return []way{owned, ownedHeap, released, fresh}
		},
		tells:   []column{cpuToo},
		measure: pair("pull", "push", "pull"),
	},
	{
		name: "reqrep", title: "Request and reply", unit: microseconds, counts: "peer",
		about: "Time of a round trip of REQ and REP. With 4 peers there are 4 REQ and 4 REP, each connected to all of the other side; " +
			"one request is under way, or with \"at once\" one for each REQ. \"One core\": both processes pinned to the same processor; \"own cores\": each to one of its own. " +
			"Bare C is no competitor: two programs that write, epoll_wait and recv, without frames or protocol. It tells how much of a round trip is the machine, which " +
			"has two processes to wake; who looks again before it waits, as Go's scheduler does for a moment and spin for longer, may be below.",
		sizes: []int{32, 1 << 10},
		works: func(sizes []int) []*work {
			return overNetworks(sizes, func(transport string, size int) []*work {
				quick := transport == "tcp" && size == 32
				return []*work{
					{transport: transport, size: size, n: 1, quick: quick},
					{transport: transport, size: size, n: 1, place: oneCore},
					{transport: transport, size: size, n: 1, place: ownCores},
					{transport: transport, size: size, n: 4, quick: quick},
					{transport: transport, size: size, n: 4, busy: true},
				}
			})
		},
		ways: func(w *work) []way {
			if w.n == 1 && w.place != oneCore {
				return []way{{}, spinning}
			}
			return []way{{}}
		},
		tells:   []column{cpuToo},
		measure: pair("rep", "req", "req"),
	},
	{
		name: "inproc", title: "Threads of one process: push and pull", unit: perSecond,
		about: "Messages/s from a PUSH to a PULL on inproc.",
		sizes: []int{64, 1 << 10},
		works: func(sizes []int) []*work {
			return overSizes(sizes, func(size int) *work { return &work{transport: "inproc", size: size, quick: size == 64} })
		},
		ways:    func(*work) []way { return []way{owned, released, batched} },
		measure: single("inthr"),
	},
	{
		name: "inproc-reqrep", title: "Threads of one process: request and reply", unit: microseconds,
		about: "Time of a round trip of REQ and REP on inproc.",
		sizes: []int{64},
		works: func(sizes []int) []*work {
			return overSizes(sizes, func(size int) *work { return &work{transport: "inproc", size: size, quick: true} })
		},
		measure: single("inlat"),
	},
	{
		name: "pubsub", title: "Publish and subscribe", unit: perSecond, counts: "subscriber",
		about: "Messages/s delivered, all subscribers added up. The subscribers are sockets of one process. By default the publisher never waits, and " +
			"what a subscriber at its high-water mark does not get is not counted; where none is dropped, it waits for the slowest.",
		sizes: []int{64},
		works: func(sizes []int) []*work {
			return overNetworks(sizes, func(transport string, size int) (works []*work) {
				for _, n := range []int{1, 10, 100} {
					works = append(works, &work{transport: transport, size: size, n: n, waits: true, quick: transport == "tcp" && n < 100})
				}
				return append(works, &work{transport: transport, size: size, n: 10})
			})
		},
		ways:    func(*work) []way { return []way{released, batchRecv} },
		measure: pair("pub", "sub", "sub"),
	},
	{
		name: "epgm", title: "Reliable multicast", unit: perSecond,
		about: "Messages/s from one PUB to one SUB over epgm, each in a network namespace of its own, at a rate of at most 3 Gbit/s and with a recovery " +
			"interval that makes windows of 50 MB. The publisher waits while its queue is full, but not for its subscriber, as always with multicast.",
		sizes: []int{64, 1 << 10, 8 << 10},
		works: func(sizes []int) []*work {
			return overSizes(sizes, func(size int) *work { return &work{transport: "epgm", size: size, quick: true} })
		},
		ways:    func(*work) []way { return []way{released, batchRecv} },
		measure: multicast,
		lacks:   noNamespaces,
		tells:   []column{cpuToo, {"Lost for good, in %; less is better.", percent, lost}},
	},
	{
		name: "connections", title: "Many connections", unit: perSecond, counts: "connection",
		about: "Messages/s from N PUSH sockets, which one thread of one process uses in turn, to one PULL.",
		sizes: []int{64},
		works: func(sizes []int) []*work {
			return overSizes(sizes, func(size int) *work { return &work{transport: "tcp", size: size} },
				1, 10, 100, 1000)
		},
		ways:    func(*work) []way { return []way{released, batchRecv} },
		measure: pair("pull", "pushn", "pull"),
	},
	{
		name: "curve", title: "Push and pull, encrypted", unit: perSecond,
		about: "Messages/s from one PUSH to one PULL, secured by CURVE.",
		sizes: []int{64, 1 << 10, 64 << 10},
		works: func(sizes []int) []*work {
			return overSizes(sizes, func(size int) *work { return &work{transport: "tcp", size: size, quick: size <= 1<<10} })
		},
		ways:    func(*work) []way { return []way{released, batched} },
		measure: pair("pull", "push", "pull"),
	},
	{
		name: "proxy", title: "Proxy", unit: perSecond,
		about: "Messages/s through a proxy, a process of its own. ROUTER-DEALER: from a DEALER to a DEALER. XSUB-XPUB: from an XPUB that waits, to a SUB; the proxy waits, too.",
		sizes: []int{64},
		works: func(sizes []int) (works []*work) {
			for _, kind := range []string{"ROUTER-DEALER", "XSUB-XPUB"} {
				works = append(works, overSizes(sizes, func(size int) *work {
					return &work{transport: "tcp", size: size, kind: kind, quick: true}
				})...)
			}
			return works
		},
		ways:    func(*work) []way { return []way{released} },
		measure: proxied,
	},
	{
		name: "idle", title: "Memory of an idle connection", unit: kibibytes, counts: "connection",
		about: "Growth of a server's resident memory (ROUTER; for NATS its server) with each connection, after each peer has sent one message. " +
			"\"Collected\" is what the Go runtime comes down to by itself within minutes of idleness.",
		works: func([]int) []*work { return []*work{{transport: "tcp", n: 1000}} },
		ways: func(*work) []way {
			return []way{{"as found", nil}, {"collected", []string{"-collect"}}}
		},
		measure: idleMemory,
	},
	{
		name: "base", title: "Memory of a process", unit: mebibytes,
		about:   "Resident memory of a process that has bound one PULL socket.",
		works:   func([]int) []*work { return []*work{{transport: "tcp", quick: true}} },
		measure: baseMemory,
	},
	{
		name: "launch", title: "Second launch", unit: milliseconds,
		about: "Wall time, from fork to exit, of a program that is started a second time, hands three arguments to the first instance and exits with the code that it answers.",
		works: func([]int) []*work { return []*work{{transport: "ipc", quick: true}} },
		ways: func(*work) []way {
			return []way{{"run", nil}, {"forward", nil}, {"nothing", nil}}
		},
		tells:   []column{cpuToo},
		measure: secondLaunch,
	},
}

// overNetworks makes works of each size over tcp and ipc.
func overNetworks(sizes []int, of func(transport string, size int) []*work) (works []*work) {
	for _, transport := range []string{"tcp", "ipc"} {
		for _, size := range sizes {
			works = append(works, of(transport, size)...)
		}
	}
	return works
}

// overSizes makes a work of each size, and for each of counts if there are any.
func overSizes(sizes []int, of func(size int) *work, counts ...int) (works []*work) {
	for _, size := range sizes {
		if len(counts) == 0 {
			works = append(works, of(size))
		}
		for _, n := range counts {
			w := of(size)
			w.n, w.quick = n, n == 100
			works = append(works, w)
		}
	}
	return works
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}
