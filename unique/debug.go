package unique

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// debugging is asked for once: SOLOMQ_DEBUG=1 traces each step of this package
// in one line on standard error. Arguments, environment and tokens never stand
// there.
func debugging() bool {
	traced.once.Do(func() { traced.on, _ = strconv.ParseBool(os.Getenv("SOLOMQ_DEBUG")) })
	return traced.on
}

var traced struct {
	once sync.Once
	on   bool
}

// debugf writes one line. Its arguments are evaluated in any case: let them be
// cheap.
func debugf(format string, args ...any) {
	if !debugging() {
		return
	}
	line := fmt.Sprintf("solomq: %s pid %d: ", time.Now().Format("15:04:05.000000"), os.Getpid())
	_, _ = fmt.Fprintf(os.Stderr, "%s\n", line+fmt.Sprintf(format, args...))
}
