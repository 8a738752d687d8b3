//go:build (!unix && !windows) || aix || (solaris && !illumos)

package unique

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

const lockFlags = os.O_CREATE | os.O_RDWR

const lockTextAt = 0

// lockSupport is an error here: the record locks of AIX and Solaris are lost as soon as the process closes any
// descriptor of the file, and the remaining systems have no lock that dies with its holder. An election that can
// produce two primaries is worse than none.
var lockSupport = fmt.Errorf("unique: %s has no file lock that lasts as long as its process: %w", runtime.GOOS, errors.ErrUnsupported)
