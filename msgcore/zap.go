package msgcore

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/solomq/solomq/msgcore/zmtp"
	"github.com/solomq/solomq/transport"
)

// ZAPEndpoint is where a ZAP handler binds, a REP or a ROUTER (RFC 27).
const ZAPEndpoint = "inproc://zeromq.zap.01"

// ZAPOptions configures ZAPAuthorizer; nil and the zero value are fine.
type ZAPOptions struct {
	// Domain is told to the handler, which may have different rules for
	// different domains.
	Domain string
	// Inproc is the name space in which the handler binds ZAPEndpoint; nil means
	// the one of the process.
	Inproc *transport.Space
}

// ZAPAuthorizer returns a function for Options.Authorize that asks a ZAP handler
// (RFC 27), for those who have one. A new program has less to do by writing that
// function itself.
//
// The handler receives the version "1.0", a request id, the domain, the peer's
// address without a port, an empty identity, the mechanism and the credentials. It
// answers with the version, the request id, a status, a text, a user id and
// metadata. "200" admits the peer, with the user id as its User-Id property and the
// metadata as further ones. Any other status refuses it, and is what it is told;
// "300" asks it to come again. An answer that breaks the protocol refuses as "500".
//
// A handler that is not bound or does not answer holds the handshake until
// Options.Handshake ends it.
func ZAPAuthorizer(o *ZAPOptions) func(context.Context, *zmtp.AuthRequest) (zmtp.Properties, error) {
	var opts ZAPOptions
	if o != nil {
		opts = *o
	}
	return func(ctx context.Context, r *zmtp.AuthRequest) (zmtp.Properties, error) {
		reply, err := opts.ask(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("ZAP handler at %s: %w", ZAPEndpoint, err)
		}
		return zapDecision(reply)
	}
}

const (
	zapVersion = "1.0"
	zapRequest = "1" // each request has a socket of its own
)

// ask sends a request and returns the frames of its reply. Errors mean that nobody
// has decided, so that the peer is not told anything final.
func (o ZAPOptions) ask(ctx context.Context, r *zmtp.AuthRequest) ([][]byte, error) {
	req := NewReq(&Options{Inproc: o.Inproc, Linger: Discard})
	defer req.Close()
	later := &zmtp.RejectedError{Reason: "300"}
	if err := req.Connect(ZAPEndpoint); err != nil {
		return nil, errors.Join(err, later)
	}
	address := r.Address
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	frames := [][]byte{[]byte(zapVersion), []byte(zapRequest), []byte(o.Domain), []byte(address), nil, []byte(r.Mechanism)}
	if err := req.Send(ctx, append(frames, r.Credentials...)...); err != nil {
		return nil, errors.Join(err, later)
	}
	m, err := req.Recv(ctx)
	if err != nil {
		return nil, errors.Join(err, later)
	}
	return m.Frames, nil
}

// zapDecision reads a handler's reply.
func zapDecision(reply [][]byte) (zmtp.Properties, error) {
	broken := func(what string) error {
		return fmt.Errorf("ZAP handler at %s: its reply %s: %w", ZAPEndpoint, what, &zmtp.RejectedError{Reason: "500"})
	}
	if len(reply) != 6 {
		return nil, broken(fmt.Sprintf("has %d frames, want 6", len(reply)))
	}
	if string(reply[0]) != zapVersion || string(reply[1]) != zapRequest {
		return nil, broken("has another version or request id")
	}
	switch status := string(reply[2]); status {
	case "200":
	case "300", "400", "500":
		return nil, fmt.Errorf("ZAP handler at %s: %q: %w", ZAPEndpoint, reply[3], &zmtp.RejectedError{Reason: status})
	default:
		return nil, broken("has a status that is none of 200, 300, 400 and 500")
	}
	properties, err := zmtp.ParseProperties(reply[5])
	if err != nil {
		return nil, broken("has bad metadata")
	}
	if len(reply[4]) > 0 {
		properties[zmtp.UserID] = string(reply[4])
	}
	return properties, nil
}
