package zmtp

import (
	"encoding/binary"
	"io"
)

// MaxHeader1 is the size of the longest frame header of ZMTP 1.0 in bytes.
const MaxHeader1 = 10

// AppendHeader1 appends to dst the header, as of ZMTP 1.0 (RFC 13), of a frame of
// n body bytes; more says that another frame of the same message follows. n must
// not be negative.
func AppendHeader1(dst []byte, more bool, n int) []byte {
	if n+1 < 255 { // the length counts the flags byte
		dst = append(dst, byte(n+1))
	} else {
		dst = append(dst, 0xff)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n)+1)
	}
	if more {
		return append(dst, FlagMore)
	}
	return append(dst, 0)
}

// ParseHeader1 reads the ZMTP 1.0 frame header that b starts with: whether another
// frame follows, the size n of the body, and the size of the header itself, which
// is 0 if b ends before the header does. A long header is accepted for any n; flags
// other than MORE have no meaning. The error is a *ProtocolError: a length of
// nothing, not even flags, or a size over 2^63-1.
func ParseHeader1(b []byte) (more bool, n uint64, size int, err error) {
	switch {
	case len(b) == 0:
		return false, 0, 0, nil
	case b[0] == 0:
		return false, 0, 0, errNoFlags
	case b[0] < 0xff:
		n, size = uint64(b[0]), 2
	case len(b) < 9:
		return false, 0, 0, nil
	default:
		if n, size = binary.BigEndian.Uint64(b[1:9]), MaxHeader1; n == 0 {
			return false, 0, 0, errNoFlags
		}
	}
	if n--; n>>63 != 0 {
		return false, 0, 0, badSize(n)
	}
	if len(b) < size {
		return false, 0, 0, nil
	}
	return b[size-1]&FlagMore != 0, n, size, nil
}

var errNoFlags = &ProtocolError{Rule: "frame of length 0: in ZMTP 1.0 the flags byte counts"}

// A Reader1 reads a stream of ZMTP 1.0 frames as the same frames of ZMTP 3.
type Reader1 struct {
	r    io.Reader
	buf  []byte // of readAhead bytes; read and not used is buf[from:to]
	from int
	to   int
	head []byte // of the frame of ZMTP 3, not yet handed out
	left uint64 // bytes of its body, likewise
	hdr  [MaxHeader]byte
}

const readAhead = 4 << 10

// NewReader1 returns a Reader1 that reads from r, ahead of what it is asked for.
func NewReader1(r io.Reader) *Reader1 { return &Reader1{r: r} }

// Read implements io.Reader. After an error that a deadline of the connection
// caused, it goes on where it was.
func (r *Reader1) Read(p []byte) (n int, err error) {
	for len(p) > n {
		have := r.buf[r.from:r.to]
		switch {
		case len(r.head) > 0:
			k := copy(p[n:], r.head)
			r.head = r.head[k:]
			n += k
			continue
		case r.left > 0 && len(have) > 0:
			k := copy(p[n:n+int(min(r.left, uint64(len(p)-n)))], have)
			r.take(k)
			r.left -= uint64(k)
			n += k
			continue
		case r.left > 0:
			if n > 0 {
				return n, nil
			}
			k, err := r.r.Read(p[:min(r.left, uint64(len(p)))])
			r.left -= uint64(k)
			return k, err
		}
		more, size, hdr, err := ParseHeader1(have)
		switch {
		case err != nil && n == 0:
			return 0, err
		case err != nil:
			return n, nil // it comes again
		case hdr > 0:
			r.take(hdr)
			r.left = size
			r.head = appendHeader64(r.hdr[:0], more, size)
			continue
		case n > 0:
			return n, nil
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (r *Reader1) take(n int) {
	if r.from += n; r.from == r.to {
		r.from, r.to = 0, 0
	}
}

// fill reads once, behind the part of a header that is there.
func (r *Reader1) fill() error {
	if r.buf == nil {
		r.buf = make([]byte, readAhead)
	}
	r.to = copy(r.buf, r.buf[r.from:r.to])
	r.from = 0
	n, err := r.r.Read(r.buf[r.to:])
	r.to += n
	switch {
	case n > 0:
		return nil
	case err == io.EOF && r.to > 0:
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// appendHeader64 is AppendHeader of a message's frame whose size an int may not
// hold.
func appendHeader64(dst []byte, more bool, n uint64) []byte {
	var flags byte
	if more {
		flags = FlagMore
	}
	if n <= 255 {
		return append(dst, flags, byte(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, flags|FlagLong), n)
}
