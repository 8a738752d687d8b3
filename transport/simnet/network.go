package simnet

import (
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/solomq/solomq/transport"
)

// A Network is a set of hosts that reach each other. Its methods, and those of
// its hosts and links, may be called from several goroutines at once.
type Network struct {
	mu        sync.Mutex // guards all of the network, and what its connections share
	hosts     map[string]*Host
	links     map[[2]*Host]*Link // by its hosts, in either order
	listeners map[place]*listener
	lastPort  int
}

// A place is where somebody listens.
type place struct{ scheme, host, port string }

const firstPort = 40000 // of those that a network chooses

// New returns a network without hosts. Links have no delay and no bound on their
// bandwidth until a test sets them.
func New() *Network {
	return &Network{
		hosts:     map[string]*Host{},
		links:     map[[2]*Host]*Link{},
		listeners: map[place]*listener{},
		lastPort:  firstPort,
	}
}

// A Host is a place in a Network that sockets can be at.
type Host struct {
	n    *Network
	name string
}

// Host returns the host of that name, which is made if there is none. Dialing a
// name that no host has is an error, as it is of a name that nobody registered.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[name]
	if h == nil {
		h = &Host{n: n, name: name}
		n.hosts[name] = h
	}
	return h
}

// Name returns the name of h.
func (h *Host) Name() string { return h.name }

// Lookup finds the transport of a scheme as it is on h. It is for
// msgcore.Options.Transports.
func (h *Host) Lookup(scheme string) (transport.Transport, bool) {
	switch scheme {
	case "inproc":
		return transport.Lookup(scheme)
	case "udp", "pgm", "epgm":
		return nil, false
	}
	return Transport{host: h, scheme: scheme}, true
}

// Link returns the link between h and other, a host of the same network. A host
// has one to itself, too.
func (h *Host) Link(other *Host) *Link {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	return h.n.link(h, other)
}

// link is Link under mu.
func (n *Network) link(a, b *Host) *Link {
	for _, ends := range [...][2]*Host{{a, b}, {b, a}} {
		if l := n.links[ends]; l != nil {
			return l
		}
	}
	l := newLink(n, a, b)
	n.links[[2]*Host{a, b}] = l
	return l
}

// Partition cuts the links between hosts of the group and hosts that are not in
// it, and leaves all others as they are.
func (n *Network) Partition(group ...*Host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	in := map[*Host]bool{}
	for _, h := range group {
		in[h] = true
	}
	for _, a := range n.hosts {
		for _, b := range n.hosts {
			if in[a] && !in[b] {
				n.link(a, b).cut(0, 1)
			}
		}
	}
}

// Heal mends every link.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		l.mend()
	}
}

// freePort chooses a port; under mu.
func (n *Network) freePort(scheme, host string) string {
	for {
		n.lastPort++
		port := strconv.Itoa(n.lastPort)
		if n.listeners[place{scheme, host, port}] == nil {
			return port
		}
	}
}

// An address is where an end of a connection is.
type address struct{ scheme, text string }

var _ net.Addr = address{}

func (a address) Network() string { return a.scheme }
func (a address) String() string  { return a.text }

// timer calls f at t, or at once if that has passed; the zero time never comes,
// and gives nil.
func timer(t time.Time, f func()) *time.Timer {
	if t.IsZero() {
		return nil
	}
	return time.AfterFunc(time.Until(t), f)
}
