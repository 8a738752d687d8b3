package unique

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// A streamError is how a stream ended at the other side, whose error cannot
// travel as such.
type streamError struct {
	op     string // "read" or "write"
	reason string
}

func (e *streamError) Error() string {
	return "unique: the caller cannot " + e.op + ": " + e.reason
}

// writeEnd is the error of a handler's Write after the CREDIT that ended the
// stream.
func writeEnd(end uint64, reason string) error {
	if end == endNormal {
		return errBrokenPipe
	}
	return &streamError{"write", reason}
}

// readEnd is the error of a handler's Read after the STDIN that ended the stream.
func readEnd(end uint64, reason string) error {
	if end == endNormal {
		return io.EOF
	}
	return &streamError{"read", reason}
}

// isBrokenPipe reports whether a write failed because nobody reads any more.
func isBrokenPipe(err error) bool {
	return errors.Is(err, errBrokenPipe) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrClosed)
}

// reasonOf is the text of an error of a stream, without the name of the file.
func reasonOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}
