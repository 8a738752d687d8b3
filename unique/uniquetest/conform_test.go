package uniquetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/solomq/solomq/unique"
	"github.com/solomq/solomq/unique/uniquetest"
)

// Our own secondary conforms: the record is put where it looks for it.
func TestConform(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs ipc")
	}
	uniquetest.Conform(t, func(ctx context.Context, record string, args []string) (int, error) {
		opts := &unique.Options{Dir: filepath.Dir(record), Mode: unique.ModeLauncher}
		opts.Timeouts.Hello = 30 * time.Second // whoever is to give up is stopped sooner
		where, err := unique.Where("x", opts)
		if err != nil {
			return 0, err
		}
		if err := os.Link(record, where.Record); err != nil {
			return 0, err
		}
		defer os.Remove(where.Record)
		app, err := unique.Acquire(ctx, "x", opts)
		if err != nil {
			return 0, err
		}
		defer app.Close()
		return app.Forward(ctx, &unique.Invocation{Args: args, Dir: "/"})
	})
}

// So does the script that shows the protocol to others.
func TestConformPython(t *testing.T) {
	python := "/usr/bin/python3"
	if exec.Command(python, "-c", "import zmq").Run() != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Python with pyzmq (Debian: python3-zmq), which CI must have")
		}
		t.Skip("no Python with pyzmq (Debian: apt-get install python3-zmq): the foreign secondary was not tested")
	}
	script, err := filepath.Abs("../testdata/forward.py")
	if err != nil {
		t.Fatal(err)
	}
	uniquetest.Conform(t, func(ctx context.Context, record string, args []string) (int, error) {
		out, err := exec.CommandContext(ctx, python, append([]string{script, record}, args...)...).Output()
		if err != nil {
			return 0, err
		}
		code, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			return 0, errors.New("it printed no exit code")
		}
		return code, nil
	})
}
