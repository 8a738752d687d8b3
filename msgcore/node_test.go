package msgcore_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A node is a process of testdata/radiodish.js or draft.js: a libzmq with draft
// socket types and options, which distributions do not have.
type node struct {
	endpoint string
	in       io.Writer
	lines    chan string
}

// startNode starts radiodish.js; it ends with the test.
func startNode(t testing.TB, role, endpoint string, groups ...string) *node {
	t.Helper()
	n := runNode(t, append([]string{"radiodish.js", role, endpoint}, groups...)...)
	n.endpoint = endpoint
	require.Equal(t, "ready", n.line(t))
	return n
}

// startDraft starts draft.js with a socket of that class, which has options by
// their numbers in libzmq, and is bound or connected to endpoint.
func startDraft(t testing.TB, class string, options map[int]any, verb, endpoint string) *node {
	t.Helper()
	o, err := json.Marshal(options)
	require.NoError(t, err)
	n := runNode(t, "draft.js", class, string(o), verb, endpoint)
	_, err = fmt.Sscanf(n.line(t), "ready %s", &n.endpoint)
	require.NoError(t, err)
	return n
}

// frames is the next message that draft.js has received.
func (n *node) frames(t testing.TB) (frames []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(n.line(t)), &frames))
	return frames
}

// send sends a message by draft.js.
func (n *node) send(t testing.TB, frames ...string) {
	t.Helper()
	b, err := json.Marshal(frames)
	require.NoError(t, err)
	n.say(t, string(b))
}

// runNode starts a script of testdata.
func runNode(t testing.TB, args ...string) *node {
	t.Helper()
	if out, err := exec.Command("node", "-e", "require('zeromq/draft')").CombinedOutput(); err != nil {
		msg := fmt.Sprintf("no libzmq with drafts: node finds no module zeromq (npm ci in .ci/node, and NODE_PATH): %v\n%s", err, out)
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	args[0] = "testdata/" + args[0]
	cmd := exec.Command("node", append([]string{"--no-warnings"}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n := &node{in: in, lines: make(chan string, 100)}
	go func() {
		defer close(n.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			n.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		in.Close()
		for range n.lines { // until it ends
		}
		require.NoError(t, cmd.Wait())
	})
	return n
}

// line returns the next line that it prints.
func (n *node) line(t testing.TB) string {
	t.Helper()
	select {
	case l, ok := <-n.lines:
		require.True(t, ok, "node has ended")
		return l
	case <-time.After(patience):
		t.Fatal("node says nothing")
		return ""
	}
}

func (n *node) say(t testing.TB, line string) {
	t.Helper()
	_, err := fmt.Fprintln(n.in, line)
	require.NoError(t, err)
}
