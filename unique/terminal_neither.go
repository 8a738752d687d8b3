//go:build !unix && !windows

package unique

import "os"

func terminalSize(*os.File) (rows, columns int, ok bool) { return 0, 0, false }
