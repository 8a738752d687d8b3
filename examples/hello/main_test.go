//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if os.Getenv("HELLO") != "" {
		main()
	}
	os.Exit(m.Run())
}

func hello(t *testing.T, dir, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, name)
	cmd.Env = append(os.Environ(), "HELLO=1", "XDG_RUNTIME_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// The second launch is answered by the process of the first.
func TestHello(t *testing.T) {
	dir, err := os.MkdirTemp("", "hello")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	first := hello(t, dir, "first")
	out, err := first.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	defer func() {
		_ = first.Process.Kill()
		_ = first.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("process %d says hello to [first]\n", first.Process.Pid), line)
	second, err := hello(t, dir, "second").Output()
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("process %d says hello to [second]\n", first.Process.Pid), string(second))
}
