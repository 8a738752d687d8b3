package tcp

import "errors"

// errRefused is the system's word for a dial that nobody listens to.
var errRefused = errors.New("connection refused")
