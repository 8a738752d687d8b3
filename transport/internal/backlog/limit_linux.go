package backlog

import (
	"bytes"
	"os"
	"strconv"
)

// limit is the system's limit, which each network name space has for itself; 0 if
// it cannot be told.
func limit() int {
	b, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	if err != nil {
		return 0
	}
	return n
}
