package unique

import (
	"os"
	"sync"
)

// A Terminal says what the caller's streams are. Its methods may be called from
// several goroutines at once.
type Terminal struct {
	// Stdin, Stdout and Stderr tell which of the streams are a terminal.
	Stdin, Stdout, Stderr bool
	// Term is the caller's TERM.
	Term string

	mu            sync.Mutex
	rows, columns int
}

// NewTerminal returns a Terminal of that size, for tests of handlers.
func NewTerminal(rows, columns int) *Terminal { return &Terminal{rows: rows, columns: columns} }

// Size returns how many lines and characters of a line it shows, 0 and 0 if
// that is not known. It changes when the caller hands over a SIGWINCH or a
// SIGCONT, before that signal can be received from Signals.
func (t *Terminal) Size() (rows, columns int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rows, t.columns
}

func (t *Terminal) resize(rows, columns uint64) {
	if rows == 0 || columns == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows, t.columns = int(min(rows, maxSize)), int(min(columns, maxSize))
}

// maxSize is the most that a system can say of a terminal.
const maxSize = 1<<16 - 1

// terminalOf looks at the three streams of this process; it is nil if none is a
// terminal.
func terminalOf(stdin, stdout, stderr *os.File, term string) *Terminal {
	t := &Terminal{Term: term}
	for _, s := range []struct {
		f  *os.File
		is *bool
	}{{stdout, &t.Stdout}, {stderr, &t.Stderr}, {stdin, &t.Stdin}} {
		rows, columns, ok := terminalSize(s.f)
		*s.is = ok
		if t.rows == 0 {
			t.rows, t.columns = rows, columns
		}
	}
	if !t.Stdin && !t.Stdout && !t.Stderr {
		return nil
	}
	return t
}

// bits is which of the streams are a terminal, as a REQUEST says it.
func (t *Terminal) bits() (bits uint64) {
	for k, is := range []bool{t.Stdin, t.Stdout, t.Stderr} {
		if is {
			bits |= 1 << k
		}
	}
	return bits
}

// terminal is what a REQUEST says of the caller's terminal.
func (m *message) terminal(term string) *Terminal {
	if m.Terminal == 0 {
		return nil
	}
	t := &Terminal{Stdin: m.Terminal&wantStdin != 0, Stdout: m.Terminal&wantStdout != 0, Stderr: m.Terminal&wantStderr != 0, Term: term}
	t.resize(m.Rows, m.Columns)
	return t
}

// currentSize is the size of this process's terminal now, 0 if it has none.
func currentSize() (rows, columns int) {
	for _, f := range []*os.File{os.Stdout, os.Stderr, os.Stdin} {
		if rows, columns, ok := terminalSize(f); ok {
			return rows, columns
		}
	}
	return 0, 0
}
