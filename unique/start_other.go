//go:build (!unix && !windows) || aix || (solaris && !illumos)

package unique

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

const rootDir = "/"

type child struct{ pid int }

func detachedAttr(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }

func spawn(string, []string, *os.ProcAttr) (*child, error) {
	return nil, fmt.Errorf("%s is not supported: %w", runtime.GOOS, errors.ErrUnsupported)
}

func (c *child) poll() (ended bool, how string) { return true, "" }

func foldEnv(name string) string { return name }

func completeEnv(env []string) []string { return env }
