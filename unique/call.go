package unique

import (
	"context"
	"errors"
	"fmt"
)

// A Codec makes bytes of the values of Call and Answerer, and values of bytes:
//
//	unique.Codec{Marshal: json.Marshal, Unmarshal: json.Unmarshal}
//
// Both sides use the same one. This package links none itself.
type Codec struct {
	Marshal   func(v any) ([]byte, error)
	Unmarshal func(data []byte, v any) error
}

// Call asks the primary for a command with a value, and returns the value that
// its Answerer returns. The error is that of Forward, a CallError with what the
// primary's function says, ErrNotHandled if the command has no handler there, or
// the codec's.
func Call[Req, Resp any](ctx context.Context, i *Instance, c Codec, command string, req Req) (Resp, error) {
	var resp Resp
	data, err := c.Marshal(req)
	if err != nil {
		return resp, fmt.Errorf("unique: the request of %q cannot be encoded: %w", command, err)
	}
	inv := Current().WithCommand(command)
	inv.Data = [][]byte{data}
	code, err := i.Forward(ctx, inv)
	switch {
	case err != nil:
		return resp, err
	case code != 0 && len(inv.Reply) == 1:
		return resp, &CallError{Command: command, Reason: string(inv.Reply[0])}
	case code != 0 || len(inv.Reply) != 1:
		return resp, &CallError{Command: command, Reason: fmt.Sprintf("exit code %d without an answer", code)}
	}
	if err := c.Unmarshal(inv.Reply[0], &resp); err != nil {
		return resp, fmt.Errorf("unique: the answer of %q cannot be decoded: %w", command, err)
	}
	return resp, nil
}

// Answerer returns the handler of a command that is asked for by Call, for
// Commands.
func Answerer[Req, Resp any](c Codec, f func(ctx context.Context, inv *Invocation, req Req) (Resp, error)) Handler {
	return func(ctx context.Context, inv *Invocation) (exitCode int) {
		data, err := answer(ctx, c, inv, f)
		if err != nil {
			inv.Reply = [][]byte{[]byte(reasonText(err))}
			return 1
		}
		inv.Reply = [][]byte{data}
		return 0
	}
}

func answer[Req, Resp any](ctx context.Context, c Codec, inv *Invocation, f func(context.Context, *Invocation, Req) (Resp, error)) ([]byte, error) {
	var req Req
	if len(inv.Data) != 1 {
		return nil, errors.New("unique: the request holds no value")
	}
	if err := c.Unmarshal(inv.Data[0], &req); err != nil {
		return nil, fmt.Errorf("unique: the request cannot be decoded: %w", err)
	}
	resp, err := f(ctx, inv, req)
	if err != nil {
		return nil, err
	}
	data, err := c.Marshal(resp)
	if err != nil {
		return nil, fmt.Errorf("unique: the answer cannot be encoded: %w", err)
	}
	return data, nil
}

// A CallError is what the function behind an Answerer returned as its error.
type CallError struct {
	Command string
	Reason  string
}

// Error implements error.
func (e *CallError) Error() string { return fmt.Sprintf("unique: %s: %s", e.Command, e.Reason) }
