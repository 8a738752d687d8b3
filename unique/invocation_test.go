package unique_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
)

func TestCurrent(t *testing.T) {
	t.Setenv("XDG_ACTIVATION_TOKEN", "token")
	t.Setenv("DESKTOP_STARTUP_ID", "id")
	t.Setenv("SOLOMQ_X", "y")
	inv := unique.Current()
	require.Equal(t, os.Args, inv.Args)
	require.Equal(t, unique.Activation{Token: "token", StartupID: "id"}, inv.Activation)
	require.Empty(t, inv.Getenv("XDG_ACTIVATION_TOKEN"))
	require.Empty(t, inv.Getenv("DESKTOP_STARTUP_ID"))
	require.Equal(t, "y", inv.Getenv("SOLOMQ_X"))
	wd, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, wd, inv.Dir)
	require.NoError(t, inv.DirErr)
	require.Nil(t, inv.Stdin)
	require.Same(t, inv, inv.WithStdio())
	require.Equal(t, os.Stdin, inv.Stdin)
	path, err := inv.Path("x")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(wd, "x"), path)
	inv.Args[0] = "changed"
	require.NotEqual(t, "changed", os.Args[0])
}

// One made by hand is valid in the unit test of a handler.
func TestInvocationByHand(t *testing.T) {
	inv := &unique.Invocation{}
	inv.Progress(unique.Progress{})
	require.Nil(t, inv.Signals())
	_, err := inv.Path("relative")
	require.Error(t, err)
	abs, err := filepath.Abs("x")
	require.NoError(t, err)
	got, err := inv.Path(abs)
	require.NoError(t, err)
	require.Equal(t, abs, got)
	require.Empty(t, inv.Getenv("X"))
}

func TestForwardedEnv(t *testing.T) {
	env := []string{"TERM=x", "LC_ALL=C", "LCX=1", "SECRET=1", "MY_A=1", "MY_B=2", "XDG_ACTIVATION_TOKEN=t", "novalue", "=C:=weird", "EMPTY="}
	require.Equal(t, []string{"TERM=x", "LC_ALL=C"}, unique.ForwardedEnv(env, nil))
	require.Equal(t, []string{"TERM=x", "LC_ALL=C", "MY_A=1", "MY_B=2"}, unique.ForwardedEnv(env, []string{"MY_*"}))
	require.Equal(t, []string{"TERM=x", "LC_ALL=C", "EMPTY="}, unique.ForwardedEnv(env, []string{"EMPTY", "MY"}))
	require.Equal(t, []string{"TERM=x", "LC_ALL=C", "LCX=1", "SECRET=1", "MY_A=1", "MY_B=2", "=C:=weird", "EMPTY="}, unique.ForwardedEnv(env, []string{"*"}))
}

func TestSignalNames(t *testing.T) {
	for name, sig := range map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM} {
		require.Equal(t, name, unique.SignalName(sig))
		require.Equal(t, sig, unique.SignalOf(name))
	}
	require.Nil(t, unique.SignalOf("NOSUCH"))
	require.Nil(t, unique.SignalOf(""))
}

func TestNames(t *testing.T) {
	require.Equal(t, "primary", unique.Primary.String())
	require.Equal(t, "secondary", unique.Secondary.String())
	require.Equal(t, "Role(9)", unique.Role(9).String())
	require.Equal(t, "leaving", unique.Leaving.String())
	require.Equal(t, "State(0)", unique.State(0).String())
	require.Equal(t, "NOT_HANDLED", unique.KindNotHandled.String())
	require.Equal(t, "kind 99", unique.Kind(99).String())
}
