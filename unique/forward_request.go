package unique

import (
	"errors"
	"io/fs"
	"os"
)

// request makes the REQUEST for inv, of whose environment it takes what is sent
// always and what env names.
func (inv *Invocation) request(env []string) *message {
	m := &message{
		Kind:      kindRequest,
		Args:      inv.Args,
		Env:       forwardedEnv(inv.Env, env),
		Dir:       inv.Dir,
		Token:     inv.Activation.Token,
		StartupID: inv.Activation.StartupID,
		Payload:   inv.Data,
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
