package curve_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore"
	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// pythonPath is the interpreter for which distributions package pyzmq.
const pythonPath = "/usr/bin/python3"

// triedPython is why there is no libzmq peer, or nil.
var triedPython = sync.OnceValue(func() error {
	return exec.Command(pythonPath, "-c", "import zmq; assert zmq.has('curve')").Run()
})

func needPython(t testing.TB) {
	t.Helper()
	if err := triedPython(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no libzmq peer: %s cannot import zmq with CURVE (install python3-zmq): %v", pythonPath, err)
		}
		t.Skipf("no libzmq peer: %s cannot import zmq with CURVE (install python3-zmq): %v", pythonPath, err)
	}
}

// peerArgs are the argument of testdata/peer.py.
type peerArgs struct {
	Kind    string         `json:"kind"`
	Options map[string]any `json:"options"`
	Bind    string         `json:"bind,omitempty"`
	Connect string         `json:"connect,omitempty"`
	Job     string         `json:"job"`
	With    any            `json:"with"`
	ZAP     *zap           `json:"zap,omitempty"`
}

// zap is how a ZAP handler decides: 200 for known credentials, Status for others.
type zap struct {
	Known  [][]string `json:"known"`
	Status string     `json:"status"`
}

// A peer is a process of testdata/peer.py, which ends with the test.
type peer struct {
	endpoint string
	out      chan json.RawMessage // closed at its end
}

func startPeer(t testing.TB, a peerArgs) *peer {
	t.Helper()
	needPython(t)
	arg, err := json.Marshal(a)
	require.NoError(t, err)
	cmd := exec.Command(pythonPath, "testdata/peer.py", string(arg))
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	p := &peer{out: make(chan json.RawMessage, 1000)}
	go func() {
		defer close(p.out)
		for in := bufio.NewScanner(stdout); in.Scan(); {
			p.out <- bytes.Clone(in.Bytes())
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		for range p.out {
		}
		if err := cmd.Wait(); t.Failed() {
			t.Logf("peer.py %s: %v\n%s", arg, err, stderr)
		}
	})
	p.says(t, &p.endpoint)
	return p
}

// says reads the next thing that p says into v.
func (p *peer) says(t testing.TB, v any) {
	t.Helper()
	deadline := time.NewTimer(4 * patience)
	defer deadline.Stop()
	select {
	case line, ok := <-p.out:
		require.True(t, ok, "peer.py has ended")
		require.NoError(t, json.Unmarshal(line, v))
	case <-deadline.C:
		require.Fail(t, "peer.py says nothing")
	}
}

// security is a way to secure both sides.
type security struct {
	name           string
	client, server zmtp.Mechanism
	theirClient    map[string]any // libzmq's options for the same
	theirServer    map[string]any
	credentials    []string // of the client, as ZAP sees them
}

func securities() []security {
	return []security{
		{
			"CURVE", curve.Client(clientKey, serverKey.Public()), curve.Server(serverKey),
			map[string]any{"CURVE_SECRETKEY": clientKey.Z85(), "CURVE_PUBLICKEY": clientKey.Public().String(), "CURVE_SERVERKEY": serverKey.Public().String()},
			map[string]any{"CURVE_SERVER": 1, "CURVE_SECRETKEY": serverKey.Z85(), "CURVE_PUBLICKEY": serverKey.Public().String()},
			[]string{clientKey.Public().String()},
		},
		{
			"PLAIN", zmtp.PlainClient("bob", "s3cret"), zmtp.PlainServer(),
			map[string]any{"PLAIN_USERNAME": "bob", "PLAIN_PASSWORD": "s3cret"},
			map[string]any{"PLAIN_SERVER": 1},
			[]string{"bob", "s3cret"},
		},
	}
}

// open makes a socket that is closed with the test, and tells its events.
func open(t testing.TB, typ msgcore.Type, o msgcore.Options) (*msgcore.Socket, <-chan msgcore.Event) {
	t.Helper()
	events := make(chan msgcore.Event, 10000)
	o.Monitor = func(e msgcore.Event) { events <- e }
	o.Linger = msgcore.Discard
	make, ok := map[msgcore.Type]func(*msgcore.Options) *msgcore.Socket{
		msgcore.Dealer: msgcore.NewDealer, msgcore.Router: msgcore.NewRouter,
		msgcore.Pub: msgcore.NewPub, msgcore.Sub: msgcore.NewSub,
	}[typ]
	require.True(t, ok)
	s := make(&o)
	t.Cleanup(func() { s.Close() })
	return s, events
}

// await waits for an event.
func await(t testing.TB, events <-chan msgcore.Event, kind msgcore.EventKind) msgcore.Event {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case e := <-events:
			if e.Kind == kind {
				return e
			}
		case <-deadline.C:
			require.Fail(t, "no event", "%v", kind)
		}
	}
}

// unused returns an endpoint that nobody has bound.
func unused(t testing.TB, scheme string) string {
	t.Helper()
	if scheme == "tcp" {
		return "tcp://127.0.0.1:*"
	}
	dir, err := os.MkdirTemp("", "c")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "ipc://" + filepath.Join(dir, "s")
}
