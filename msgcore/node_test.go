package msgcore_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A node is a process of testdata/radiodish.js: a libzmq with draft socket
// types, which distributions do not have.
type node struct {
	endpoint string
	in       io.Writer
	lines    chan string
}

// startNode starts it; it ends with the test.
func startNode(t testing.TB, role, endpoint string, groups ...string) *node {
	t.Helper()
	if out, err := exec.Command("node", "-e", "require('zeromq/draft')").CombinedOutput(); err != nil {
		msg := fmt.Sprintf("no libzmq with drafts: node finds no module zeromq (npm ci in .ci/node, and NODE_PATH): %v\n%s", err, out)
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	cmd := exec.Command("node", append([]string{"--no-warnings", "testdata/radiodish.js", role, endpoint}, groups...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n := &node{endpoint: endpoint, in: in, lines: make(chan string, 100)}
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
	require.Equal(t, "ready", n.line(t))
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
