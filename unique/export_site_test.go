package unique

import (
	"context"
	"os/exec"
	"path/filepath"
	"time"
)

// What the external tests need of the election and its surroundings.

var (
	ErrNoRecord = errNoRecord
	ParseRecord = parseRecord

	SystemSession = systemSession
	ChildEnv      = childEnv
)

const MaxSocketPath = maxSocketPath

type (
	Record        = record
	LockWaitError = lockWaitError
)

func (r *Record) AppendTo(b []byte) []byte { return r.appendTo(b) }

type Site struct{ s *site }

func OpenSite(id string, o *Options) (*Site, error) {
	s, err := openSite(id, o)
	if err != nil {
		return nil, err
	}
	return &Site{s}, nil
}

func (s *Site) Dir() string                           { return s.s.dir }
func (s *Site) GatePath() string                      { return s.s.gatePath() }
func (s *Site) LockPath() string                      { return s.s.lockPath() }
func (s *Site) StartPath() string                     { return s.s.startPath() }
func (s *Site) RecordPath() string                    { return s.s.recordPath() }
func (s *Site) RoomPath() string                      { return s.s.roomPath() }
func (s *Site) ControlPaths() []string                { return s.s.controlPaths() }
func (s *Site) SocketPath(channel string) string      { return s.s.socketPath(channel) }
func (s *Site) ChannelPath(r Record, c string) string { return s.s.channelPath(r, c) }
func (s *Site) ReadRecord() (Record, error)           { return s.s.readRecord() }
func (s *Site) HolderPID() int                        { return s.s.holderPID() }
func (s *Site) Close()                                { s.s.close() }

func (s *Site) Elect(ctx context.Context) (*Tenure, error) {
	t, err := s.s.elect(ctx)
	if t == nil {
		return nil, err
	}
	return &Tenure{t}, err
}

func (s *Site) TryStart() (func(), error) { return s.s.tryStart() }
func (s *Site) LockGate(ctx context.Context) (func() error, error) {
	l, err := s.s.waitLock(ctx, s.s.gatePath())
	if err != nil {
		return nil, err
	}
	return l.unlock, nil
}

// TendOf looks after what a primary has published.
func TendOf(i *Instance) error { return i.mendAll() }

// PortTransport is the transport of channels on tcp.
var PortTransport portTransport

type Tenure struct{ t *tenure }

func (t *Tenure) Publish(r Record) error { return t.t.publish(r) }
func (t *Tenure) Withdraw() error        { return t.t.withdraw() }
func (t *Tenure) Republish() error       { _, err := t.t.republish(); return err }
func (t *Tenure) Uprooted() bool         { return t.t.uprooted() }
func (t *Tenure) Yield() error           { return t.t.yield() }

func (t *Tenure) Replant(ctx context.Context) error { return t.t.replant(ctx) }

// DropWitness makes it as if this system had none.
func (t *Tenure) DropWitness() {
	t.t.mu.Lock()
	defer t.t.mu.Unlock()
	t.t.lock.witness.close()
	t.t.lock.witness = nil
}

// WitnessName is the name of the witness of s; "" where there is none.
func (s *Site) WitnessName() string { return witnessNameOf(s.s) }
func (t *Tenure) Release() error    { return t.t.release() }

// TendEvery sets how often primaries look after their files if nothing tells them.
func TendEvery(d time.Duration) (restore func()) {
	old := tendInterval
	tendInterval = d
	return func() { tendInterval = old }
}

// UnlockAll gives back the locks in dir, even those that nothing but the package refers to any more.
func UnlockAll(dir string) (n int) {
	pinned.Lock()
	var locks []*lockFile
	for l := range pinned.locks {
		if filepath.Dir(l.path) == dir {
			locks = append(locks, l)
		}
	}
	pinned.Unlock()
	for _, l := range locks {
		_ = l.unlock()
	}
	return len(locks)
}

type Detached struct{ d *detached }

func Detach(cmd *exec.Cmd) (*Detached, error) {
	d, err := detach(cmd)
	if err != nil {
		return nil, err
	}
	return &Detached{d}, nil
}

func (d *Detached) PID() int           { return d.d.pid }
func (d *Detached) Died() <-chan error { return d.d.died }
func (d *Detached) Forget()            { d.d.forget() }

// WhereIn is Where in other surroundings: variables, and the places of runtime and temporary directories.
func WhereIn(env map[string]string, runUser, tmp, id string, o *Options) (*Location, error) {
	su := hostSurroundings()
	su.getenv = func(name string) string { return env[name] }
	su.runUser, su.tmp = runUser, tmp
	return locateIn(su, id, o)
}

// OpenSiteIn is OpenSite in other surroundings.
func OpenSiteIn(env map[string]string, runUser, tmp, id string, o *Options) (*Site, error) {
	su := hostSurroundings()
	su.getenv = func(name string) string { return env[name] }
	su.runUser, su.tmp = runUser, tmp
	s, _, err := findSite(su, id, o, true)
	if err != nil {
		return nil, err
	}
	return &Site{s}, nil
}
