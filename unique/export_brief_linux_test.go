package unique

// For brief_linux_test.go.
var (
	DialBrief = dialBrief
	ReadSlice = readSlice
	ErrCut    = errCut
)

// Cut cuts a connection of DialBrief as a launch does that is given up.
func Cut(c *PatientConn) { c.cut() }

// PatientConn is what a launch wraps its connection in.
type PatientConn = patientConn
