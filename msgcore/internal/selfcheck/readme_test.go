package selfcheck_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReadmePrograms compiles each Go program of README as it is printed there,
// and runs it.
func TestReadmePrograms(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skipf("%s cannot start processes, so neither the go command", runtime.GOOS)
	}
	programs := readmePrograms(t)
	require.Len(t, programs, 2, "Go programs in README")

	t.Run("unique", func(t *testing.T) {
		editor := build(t, programs[0])
		if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
			t.Skipf("%s has no interrupt to send", runtime.GOOS)
		}
		testEditor(t, editor)
	})
	t.Run("msgcore", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, build(t, programs[1])).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, "Hello, world\n", string(out))
	})
}

// testEditor launches the editor of README twice. The second launch prints what
// the first process did for it, and ends.
func testEditor(t *testing.T, editor string) {
	// Not t.TempDir, whose names are long: below it are sockets.
	private, err := os.MkdirTemp("", "readme")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(private) })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel() // ends what still runs
	launch := func(file string) (cmd *exec.Cmd, stdout io.Reader, stderr *bytes.Buffer) {
		cmd = exec.CommandContext(ctx, editor, file)
		cmd.Dir = private
		cmd.Env = append(os.Environ(), "HOME="+private, "XDG_RUNTIME_DIR="+private)
		stderr = new(bytes.Buffer)
		cmd.Stderr = stderr
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		return cmd, stdout, stderr
	}

	first, stdout, stderr := launch("a.txt")
	ended := false
	defer func() {
		if cancel(); !ended {
			first.Wait()
		}
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "%s", stderr)
	requireOpened(t, line, first.Process.Pid, filepath.Join(private, "a.txt"))

	second, stdout, stderr := launch("b.txt")
	all, err := io.ReadAll(stdout)
	require.NoError(t, err)
	require.NoError(t, second.Wait(), "%s", stderr)
	requireOpened(t, string(all), first.Process.Pid, filepath.Join(private, "b.txt"))

	require.NoError(t, first.Process.Signal(os.Interrupt))
	err, ended = first.Wait(), true
	require.NoError(t, err, "an interrupt ends the editor")
}

func requireOpened(t *testing.T, line string, pid int, path string) {
	t.Helper()
	require.Equal(t, "process "+strconv.Itoa(pid)+" opens "+path+"\n", line)
}

// readmePrograms returns the Go programs that README shows.
func readmePrograms(t *testing.T) []string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	text := strings.ReplaceAll(string(readme), "\r\n", "\n")
	var programs []string
	for _, m := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		programs = append(programs, m[1])
	}
	return programs
}

// build compiles a program as if it were of the module, and returns the binary.
func build(t *testing.T, program string) string {
	t.Helper()
	source := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(source, []byte(program), 0o600))
	binary := source[:len(source)-len(".go")] + ".exe"
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}
