package unique_test

import (
	"bufio"
	"bytes"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A launch pays for the start of each package before main. Ours do next to nothing
// there: no tables, no files, no goroutines. What they allocate is counted, which does
// not depend on the machine: nothing, but where a system's calls are looked up, or
// something is missing that an error tells of. What they may link, whose start is paid
// for as well, is in msgcore/internal/selfcheck.
func TestPackagesStartWithoutWork(t *testing.T) {
	most, mostBytes := 20, 2048
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
		most, mostBytes = 0, 0
	}
	cmd := actor(t, "sit")
	cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	require.NoError(t, cmd.Run())
	line := regexp.MustCompile(`^init (\S+) @.*, (\d+) bytes, (\d+) allocs$`)
	ours := 0
	for lines := bufio.NewScanner(&trace); lines.Scan(); {
		m := line.FindStringSubmatch(lines.Text())
		if m == nil || !strings.HasPrefix(m[1], "github.com/solomq/solomq/") || strings.HasSuffix(m[1], "test") {
			continue
		}
		ours++
		size, _ := strconv.Atoi(m[2])
		allocs, _ := strconv.Atoi(m[3])
		require.LessOrEqual(t, allocs, most, m[0])
		require.LessOrEqual(t, size, mostBytes, m[0])
	}
	require.Greater(t, ours, 3, "the trace was not understood") // each transport registers itself, and one is here
}
