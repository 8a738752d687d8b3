package unique_test

import (
	"bufio"
	"io"
	"strings"
)

// A lineReader returns the lines of a stream one by one.
type lineReader struct{ r *bufio.Reader }

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReader(r)} }

func (l *lineReader) next() (string, error) {
	s, err := l.r.ReadString('\n')
	return strings.TrimSuffix(s, "\n"), err
}
