package unique

import (
	"os"
	"strings"
)

const oneDisplay = false

// noSession is what the kernel calls a process outside of any session.
const noSession = "4294967295"

// systemSession is the login session by the kernel's word, which su and sudo do
// not change; "" if it keeps none.
func systemSession() string {
	b, err := os.ReadFile("/proc/self/sessionid")
	if id := strings.TrimSpace(string(b)); err == nil && id != noSession {
		return id
	}
	return ""
}
