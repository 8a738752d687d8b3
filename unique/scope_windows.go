package unique

import (
	"os"
	"strconv"

	"golang.org/x/sys/windows"
)

// oneDisplay: a session has one.
const oneDisplay = true

// systemSession is the number of the session of the terminal services.
func systemSession() string {
	var id uint32
	if windows.ProcessIdToSessionId(uint32(os.Getpid()), &id) != nil {
		return ""
	}
	return strconv.FormatUint(uint64(id), 10)
}
