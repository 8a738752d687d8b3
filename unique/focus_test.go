package unique_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// The primary may take the focus before it hears of the request that makes it
// want to: the right is the secondary's, and only while that lives.
func TestFocusIsGrantedFirst(t *testing.T) {
	opts := uniquetest.Options(t)
	var order []string
	steps := make(chan string, 10)
	app := primary(t, opts, func(context.Context, *unique.Invocation) int { steps <- "request"; return 0 })
	t.Cleanup(unique.GrantFocus(func(pid int) { steps <- fmt.Sprint("grant to ", pid) }))
	_, err := secondary(t, opts).Forward(within(t), &unique.Invocation{})
	require.NoError(t, err)
	close(steps)
	for s := range steps {
		order = append(order, s)
	}
	require.Equal(t, []string{fmt.Sprint("grant to ", app.Holder().PID), "request"}, order)
}

func init() { roles["app tokens"] = playTokens }

// playTokens forwards, and then shows what its own children would inherit.
func playTokens([]string) int {
	app, err := unique.Acquire(context.Background(), testID, roleOptions())
	if err != nil {
		return exitWith(err)
	}
	inv := unique.Current() // after Acquire, which may take them first
	if _, err := app.Forward(context.Background(), inv); err != nil {
		return exitWith(err)
	}
	for _, kv := range os.Environ() {
		if strings.Contains(kv, "only for one window") {
			fmt.Println("inherited:", kv)
		}
	}
	fmt.Println(unique.Current().Activation == inv.Activation)
	return 0
}

// The tokens of desktop activation reach the handler, and no child.
func TestTokensTravel(t *testing.T) {
	opts := uniquetest.Options(t)
	seen := make(chan unique.Activation, 1)
	primary(t, opts, func(_ context.Context, inv *unique.Invocation) int { seen <- inv.Activation; return 0 })
	cmd := actor(t, "app tokens")
	cmd.Env = append(cmd.Env, dirEnv+"="+opts.Dir, "XDG_ACTIVATION_TOKEN=only for one window 1", "DESKTOP_STARTUP_ID=only for one window 2")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, "true\n", string(out))
	require.Equal(t, unique.Activation{Token: "only for one window 1", StartupID: "only for one window 2"}, <-seen)
}
