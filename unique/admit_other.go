//go:build !unix

package unique

import (
	"errors"
	"fmt"
	"runtime"
)

var admitSupport = fmt.Errorf("unique: Options.Admit on %s, where users have no numbers: %w", runtime.GOOS, errors.ErrUnsupported)

func checkOpen(string) (owner int, err error) { return -1, admitSupport }
