package msgcore

import "github.com/solomq/solomq/msgcore/zmtp"

// A conflict is why a peer is refused that may be let in later: another one has its
// place, which may even be its own connection from before, whose end was not
// noticed. The peer's connection ends without an ERROR, which libzmq, and RFC 37,
// take as final; so it tries again.
type conflict string

func (c conflict) Error() string { return string(c) }

// Unwrap makes it a refusal for now.
func (c conflict) Unwrap() error { return &zmtp.RejectedError{Reason: "300"} }
