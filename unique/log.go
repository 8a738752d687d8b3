package unique

import (
	"fmt"
	"strings"
)

// log tells Options.Log, and the trace of SOLOMQ_DEBUG, what has happened.
func (o *Options) log(msg string, args ...any) {
	if o.Log != nil {
		o.Log(msg, args...)
	}
	if !debugging() {
		return
	}
	var b strings.Builder
	b.WriteString(msg)
	for k := 0; k+1 < len(args); k += 2 {
		fmt.Fprintf(&b, ", %v %v", args[k], args[k+1])
	}
	debugf("%s", b.String())
}
