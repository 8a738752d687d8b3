//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var handedTo = regexp.MustCompile(`spool: handed to pid (\d+), job (\d+)\n`)

// Many launches at once, and no queue yet: they start one, and it runs each
// job once.
func TestColdStart(t *testing.T) {
	callers := sized(16, 64)
	for range sized(2, 20) {
		p := newPlace(t)
		r, w, err := os.Pipe()
		require.NoError(t, err)
		var all []*caller
		for i := range callers {
			// Each shell stands ready at the pipe, which ends for all at once.
			script := fmt.Sprintf(`read x; exec spool -v -- sh -c 'echo %d >>runs; echo %d; exit %d'`, i, i, i)
			cmd := exec.Command("sh", "-c", script)
			cmd.Stdin = r
			all = append(all, p.begin(cmd))
		}
		r.Close()
		w.Close()
		queues, ids := map[string]bool{}, map[string]bool{}
		started := 0
		for i, c := range all {
			res := c.wait()
			require.Equal(t, i, res.code, res.errout)
			require.Equal(t, fmt.Sprintln(i), res.out)
			m := handedTo.FindStringSubmatch(res.errout)
			require.NotNil(t, m, res.errout)
			queues[m[1]], ids[m[2]] = true, true
			started += strings.Count(res.errout, "started queue")
		}
		require.Len(t, queues, 1)
		require.Len(t, ids, callers)
		require.Equal(t, 1, started)
		var want []string
		for i := range callers {
			want = append(want, fmt.Sprint(i))
		}
		require.ElementsMatch(t, want, runs(t, p))
		p.do("stop")
	}
}

// runs returns what the jobs have written to the file runs.
func runs(t *testing.T, p *place) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "runs"))
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return slices.DeleteFunc(strings.Split(string(b), "\n"), func(s string) bool { return s == "" })
}
