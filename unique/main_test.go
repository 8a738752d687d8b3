package unique_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// roleEnv makes the test binary play another process: see roles.
const roleEnv = "SOLOMQ_TEST_ROLE"

// quickExit: a program built with -race sleeps for a second as it ends, to tell of races that it has just seen.
const quickExit = "GORACE=atexit_sleep_ms=0"

// roles are what the test binary does when it is started again by a test, with its arguments; the result is its exit
// code. Test files register theirs by an init function.
var roles = map[string]func(args []string) int{}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		play, ok := roles[role]
		if !ok {
			fmt.Fprintf(os.Stderr, "no role %q\n", role)
			os.Exit(125)
		}
		os.Exit(play(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// actor is the command that plays role; its standard error is the test's.
func actor(tb testing.TB, role string, args ...string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	require.NoError(tb, err)
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role, quickExit)
	cmd.Stderr = os.Stderr
	return cmd
}
