package msgcore_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pythonPath is the interpreter for which distributions package pyzmq.
const pythonPath = "/usr/bin/python3"

// A python is a process of testdata/peer.py.
type python struct {
	cmd *exec.Cmd
	in  io.Writer

	mu      sync.Mutex // guards what follows, and writes to in
	last    int        // operation
	socks   int
	waiting map[int]chan pyAnswer
	err     error // it has ended
}

type pyAnswer struct {
	N     int             `json:"n"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// startPython starts libzmq in a process that ends with the test.
func startPython(t testing.TB) *python {
	t.Helper()
	if err := exec.Command(pythonPath, "-c", "import zmq").Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no libzmq peer: %s cannot import zmq (install python3-zmq): %v", pythonPath, err)
		}
		t.Skipf("no libzmq peer: %s cannot import zmq (install python3-zmq): %v", pythonPath, err)
	}
	p := &python{cmd: exec.Command(pythonPath, "testdata/peer.py"), waiting: map[int]chan pyAnswer{}}
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	p.in = stdin
	started := make(chan pyAnswer, 1)
	p.waiting[0] = started
	require.NoError(t, p.cmd.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(stdout)
	}()
	t.Cleanup(func() {
		stdin.Close()
		<-read
		if err := p.cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Logf("peer.py: %v\n%s", err, stderr.Bytes())
		}
	})
	p.await(t, started)
	return p
}

// read hands out the answers until there are no more.
func (p *python) read(stdout io.Reader) {
	r := bufio.NewReader(stdout)
	for {
		var a pyAnswer
		line, err := r.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &a)
		}
		p.mu.Lock()
		if err != nil {
			p.err = fmt.Errorf("peer.py has ended: %w", err)
			for _, c := range p.waiting {
				close(c)
			}
			p.waiting = nil
			p.mu.Unlock()
			return
		}
		if c := p.waiting[a.N]; c != nil {
			c <- a
			delete(p.waiting, a.N)
		}
		p.mu.Unlock()
	}
}

// start begins an operation.
func (p *python) start(t testing.TB, sock int, op string, args ...any) <-chan pyAnswer {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NoError(t, p.err)
	p.last++
	c := make(chan pyAnswer, 1)
	p.waiting[p.last] = c
	if args == nil {
		args = []any{}
	}
	line, err := json.Marshal(map[string]any{"n": p.last, "sock": sock, "op": op, "args": args})
	require.NoError(t, err)
	_, err = p.in.Write(append(line, '\n'))
	require.NoError(t, err)
	return c
}

// await waits for an answer, which is to be a success.
func (p *python) await(t testing.TB, c <-chan pyAnswer) json.RawMessage {
	t.Helper()
	a, err := p.answer(c)
	require.NoError(t, err)
	return a
}

func (p *python) answer(c <-chan pyAnswer) (json.RawMessage, error) {
	deadline := time.NewTimer(4 * patience)
	defer deadline.Stop()
	select {
	case a, ok := <-c:
		switch {
		case !ok:
			return nil, p.err
		case a.Error != "":
			return nil, errors.New(a.Error)
		}
		return a.Value, nil
	case <-deadline.C:
		return nil, errors.New("peer.py does not answer")
	}
}

// A pySocket is a libzmq socket in the other process.
type pySocket struct {
	p  *python
	id int
}

// pyOptions are libzmq options by their names without ZMQ_.
type pyOptions map[string]any

// open makes a libzmq socket that is closed with the test, unless an operation
// of it is still under way then.
func (p *python) open(t testing.TB, kind string, o pyOptions) *pySocket {
	t.Helper()
	if o == nil {
		o = pyOptions{}
	}
	p.mu.Lock()
	p.socks++
	s := &pySocket{p: p, id: p.socks}
	p.mu.Unlock()
	p.await(t, p.start(t, s.id, "open", kind, o))
	t.Cleanup(func() { p.start(t, s.id, "close") })
	return s
}

func (s *pySocket) start(t testing.TB, op string, args ...any) <-chan pyAnswer {
	t.Helper()
	return s.p.start(t, s.id, op, args...)
}

func (s *pySocket) do(t testing.TB, op string, args ...any) json.RawMessage {
	t.Helper()
	return s.p.await(t, s.start(t, op, args...))
}

func (s *pySocket) bind(t testing.TB, endpoint string) string {
	t.Helper()
	var bound string
	require.NoError(t, json.Unmarshal(s.do(t, "bind", endpoint), &bound))
	return bound
}

func (s *pySocket) send(t testing.TB, frames ...string) {
	t.Helper()
	enc := []string{}
	for _, f := range frames {
		enc = append(enc, base64.StdEncoding.EncodeToString([]byte(f)))
	}
	s.do(t, "send", enc)
}

func (s *pySocket) recv(t testing.TB) []string {
	t.Helper()
	return pyFrames(t, s.do(t, "recv"))
}

// pyFrames is what recv has answered.
func pyFrames(t testing.TB, answer json.RawMessage) []string {
	t.Helper()
	var frames []string
	require.NoError(t, json.Unmarshal(answer, &frames))
	for i, f := range frames {
		b, err := base64.StdEncoding.DecodeString(f)
		require.NoError(t, err)
		frames[i] = string(b)
	}
	return frames
}
