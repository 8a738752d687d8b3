package unique

import (
	"errors"
	"io/fs"
	"os"
)

// maxEarly is the largest request that goes out with HELLO, as message.size counts
// it: it is written with the greeting, which must not wait.
const maxEarly = 1 << 10

// earlyRequest returns the REQUEST for inv if it can be asked of any primary, before
// that has said anything; else nil. Nothing is run before GO.
func (inv *Invocation) earlyRequest(o *Options) *message {
	switch {
	case inv == nil, o.Mode == ModeService, o.Replace, o.OnVersion != nil:
		return nil // it may not be asked at all
	case focusBefore:
		return nil // something comes before it
	}
	m := inv.request(o)
	if m.size() > maxEarly || len(m.Payload) > 0 {
		return nil
	}
	return m
}

// request makes the REQUEST for inv, of whose environment it takes what is sent
// always and what o.Env names.
func (inv *Invocation) request(o *Options) *message {
	m := &message{
		Kind:       kindRequest,
		AppVersion: o.Version,
		Args:       inv.Args,
		Env:        forwardedEnv(inv.Env, o.Env),
		Dir:        inv.Dir,
		Token:      inv.Activation.Token,
		StartupID:  inv.Activation.StartupID,
		Payload:    inv.Data,
	}
	m.Command, m.Targets = inv.Command, inv.Targets
	if t := inv.Terminal; t != nil {
		rows, columns := t.Size()
		m.Terminal, m.Rows, m.Columns = t.bits(), uint64(rows), uint64(columns)
	}
	if inv.Dir == "" && inv.DirErr != nil {
		switch {
		case errors.Is(inv.DirErr, fs.ErrNotExist):
			m.DirCode = dirNotExist
		case errors.Is(inv.DirErr, fs.ErrPermission):
			m.DirCode = dirPermission
		default:
			m.DirError = reasonOf(inv.DirErr)
		}
	}
	if inv.Stdin != nil {
		m.Streams |= wantStdin
	}
	if inv.Stdout != nil {
		m.Streams |= wantStdout
	}
	if inv.Stderr != nil {
		m.Streams |= wantStderr
	}
	if inv.OnProgress != nil {
		m.Streams |= wantProgress
	}
	if m.Streams&(wantStdout|wantStderr) != 0 {
		m.Window = window
	}
	return m
}

// selfPeer describes this process.
func selfPeer(version string) Peer {
	return Peer{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Version: version}
}
