package unique_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique/uniquetest"
)

func init() { roles["app squat witness"] = playSquatWitness }

// playSquatWitness holds the name of a witness until it is killed.
func playSquatWitness(args []string) int {
	l, err := net.Listen("unix", args[0])
	if err != nil {
		return exitWith(err)
	}
	println("ready")
	for {
		if _, err := l.Accept(); err != nil {
			return exitWith(err)
		}
	}
}

// Anybody can take the name of a witness. Another user's is not believed.
func TestSquattedWitness(t *testing.T) {
	needRoot(t)
	opts := uniquetest.Options(t)
	name := openSite(t, testID, opts).WitnessName()
	require.True(t, strings.HasPrefix(name, "@solomq/"))
	squat := asNobody(t, "app squat witness", name)
	squat.Stderr = nil
	err, e := squat.StderrPipe()
	require.NoError(t, e)
	require.NoError(t, squat.Start())
	_, e = err.Read(make([]byte, 16))
	require.NoError(t, e)
	requireNext(t, opts)
	require.NoError(t, squat.Process.Kill())
	require.Error(t, squat.Wait())

	// Our own user's is: somebody goes on being the primary.
	own, e := net.Listen("unix", name)
	require.NoError(t, e)
	s := openSite(t, testID, opts)
	won, e := s.Elect(t.Context())
	require.NoError(t, e)
	require.Nil(t, won)
	require.NoError(t, own.Close())
	requireNext(t, opts)
}
