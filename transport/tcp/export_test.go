package tcp

// What tests of package tcp_test look at.
var (
	AskProxy     = askProxy
	ThroughProxy = throughProxy
	ErrRefused   = errRefused
)
