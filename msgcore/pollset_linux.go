package msgcore

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// A pollset waits for many connections at once. It is an epoll instance that the
// runtime waits for as it does for a connection, so that waiting blocks no thread
// and can be interrupted. Changes are told once, when they come (EPOLLET).
type pollset struct {
	file   *os.File
	raw    syscall.RawConn
	waitFn func(fd uintptr) bool // look, made once
	block  bool                  // look should wait
	events [64]syscall.EpollEvent
	n      int // of events, that are known
	err    error
}

// pollKey names a connection to its pollset.
type pollKey struct{ slot, gen int32 }

const (
	pollInput = syscall.EPOLLIN | syscall.EPOLLRDHUP | epollET
	pollEnd   = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
	epollET   = 1 << 31 // the constant in package syscall is negative
)

func newPollset() (*pollset, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // else os.NewFile leaves it out of the runtime's poller
		syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &pollset{file: os.NewFile(uintptr(fd), "epoll")}
	if err := p.file.SetReadDeadline(time.Time{}); err != nil { // the runtime cannot wait for it
		p.file.Close()
		return nil, err
	}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	p.waitFn = p.look
	return p, nil
}

// watch tells of input and of the end of c from now on, as key; also of what has
// come before. It takes the place of an earlier call for the same c.
func (p *pollset) watch(c syscall.RawConn, key pollKey, known bool) error {
	return p.control(c, key, known, pollInput)
}

// ignore tells nothing of c until the next watch, but of its end.
func (p *pollset) ignore(c syscall.RawConn, key pollKey) {
	_ = p.control(c, key, true, epollET) // it is closed then, and gone by itself
}

func (p *pollset) control(c syscall.RawConn, key pollKey, known bool, events uint32) error {
	r := pollRequests.Get().(*pollRequest)
	r.c, r.op = c, syscall.EPOLL_CTL_ADD
	if known {
		r.op = syscall.EPOLL_CTL_MOD
	}
	r.event = syscall.EpollEvent{Events: events, Fd: key.slot, Pad: key.gen}
	err := p.raw.Control(r.onSet)
	if err == nil {
		err = r.err
	}
	r.c, r.err = nil, nil
	pollRequests.Put(r)
	return err
}

// A pollRequest is a call of epoll_ctl under way, with what it would allocate.
type pollRequest struct {
	c     syscall.RawConn
	op    int
	event syscall.EpollEvent
	set   uintptr
	err   error

	onSet, onConn func(fd uintptr) // withSet and withConn, made once
}

var pollRequests = sync.Pool{New: func() any {
	r := &pollRequest{}
	r.onSet, r.onConn = r.withSet, r.withConn
	return r
}}

func (r *pollRequest) withSet(fd uintptr) {
	r.set = fd
	if err := r.c.Control(r.onConn); err != nil {
		r.err = err
	}
}

func (r *pollRequest) withConn(fd uintptr) {
	r.err = os.NewSyscallError("epoll_ctl", sysEpollCtl(r.set, r.op, fd, &r.event))
}

// wait returns how many connections have something new, and waits for that if
// block. An interrupt makes it return os.ErrDeadlineExceeded. One call at a time.
func (p *pollset) wait(block bool) (int, error) {
	p.block, p.n, p.err = block, 0, nil
	if err := p.raw.Read(p.waitFn); err != nil {
		return 0, err
	}
	return p.n, p.err
}

func (p *pollset) look(fd uintptr) bool {
	for {
		p.n, p.err = sysEpollWait(fd, p.events[:])
		if p.err != syscall.EINTR {
			break
		}
	}
	if p.err != nil {
		p.n = 0
		return true
	}
	return p.n > 0 || !p.block
}

// event returns the i-th of what wait has found, and whether the connection has
// ended or is about to.
func (p *pollset) event(i int) (key pollKey, ended bool) {
	e := &p.events[i]
	return pollKey{e.Fd, e.Pad}, e.Events&pollEnd != 0
}

// interrupt makes wait return, the one that goes on or the next one.
func (p *pollset) interrupt() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) }

// resume undoes interrupt.
func (p *pollset) resume() { _ = p.file.SetReadDeadline(time.Time{}) }

func (p *pollset) close() { p.file.Close() }
