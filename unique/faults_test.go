package unique_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every step of the protocol that has a name is one at which a test kills the
// process.
func TestEveryStepIsKilled(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var tests, code strings.Builder
	for _, name := range sources {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			tests.Write(b)
		} else {
			code.Write(b)
		}
	}
	steps := regexp.MustCompile(`\bfault\("([^"]+)"\)`).FindAllStringSubmatch(code.String(), -1)
	require.Greater(t, len(steps), 15)
	for _, m := range steps {
		require.True(t, strings.Contains(tests.String(), `"`+m[1]+`"`), "no test kills the process at step %q", m[1])
	}
}
