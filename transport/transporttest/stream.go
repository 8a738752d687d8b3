package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/solomq/solomq/transport"
)

// echo sends a word each way, from both ends.
func (s *suite) echo(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
		for _, word := range []string{"x", "ping", "\x00\xff\n"} {
			exchange(t, ends[0], ends[1], word)
		}
	}
	if a.RemoteAddr() == nil || b.RemoteAddr() == nil || a.LocalAddr() == nil || b.LocalAddr() == nil {
		t.Error("a Conn has no LocalAddr or no RemoteAddr")
	}
}

// exchange sends word from one end to the other and fails unless it arrives.
func exchange(t *testing.T, from, to net.Conn, word string) {
	t.Helper()
	if n, err := io.WriteString(from, word); err != nil || n != len(word) {
		t.Fatalf("Write of %d bytes: %d, %v", len(word), n, err)
	}
	got := make([]byte, len(word))
	if _, err := io.ReadFull(to, got); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if string(got) != word {
		t.Fatalf("read %q, want %q", got, word)
	}
}

// largeBothWays sends 8 MiB each way at once, cut in odd pieces.
func (s *suite) largeBothWays(t *testing.T) {
	const size = 8 << 20
	a, b := s.pair(t, s.listen(t))
	done := make(chan error, 4)
	go func() { done <- sendPattern(a, 1, size) }()
	go func() { done <- sendPattern(b, 2, size) }()
	go func() { done <- checkPattern(a, 2, size) }()
	go func() { done <- checkPattern(b, 1, size) }()
	for range cap(done) {
		if err := await(t, done, "a transfer of 8 MiB each way"); err != nil {
			a.Close() // or the others would wait for what does not come
			b.Close()
			t.Fatal(err)
		}
	}
}

// pattern returns an endless stream of bytes that no shift or swap leaves alike.
func pattern(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func sendPattern(w io.Writer, seed byte, size int) error {
	src, rest := pattern(seed), size
	buf := make([]byte, 100_003)
	for i := 0; rest > 0; i++ {
		p := buf[:min(rest, []int{1, 100_003, 4096, 17, 65_537}[i%5])]
		_, _ = src.Read(p)
		if n, err := w.Write(p); err != nil || n != len(p) {
			return fmt.Errorf("write of %d bytes, %d before the end: %d, %w", len(p), rest, n, err)
		}
		rest -= len(p)
	}
	return nil
}

func checkPattern(r io.Reader, seed byte, size int) error {
	src, rest := pattern(seed), size
	got, want := make([]byte, 70_001), make([]byte, 70_001)
	for i := 0; rest > 0; i++ {
		n, err := r.Read(got[:min(rest, []int{70_001, 3, 8192}[i%3])])
		_, _ = src.Read(want[:n])
		if !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("other bytes were read than written, within the %d after %d", n, size-rest)
		}
		if rest -= n; err != nil && rest > 0 {
			return fmt.Errorf("read, %d bytes before the end: %w", rest, err)
		}
	}
	return nil
}

// buffers writes several slices as one.
func (s *suite) buffers(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	bufs := net.Buffers{[]byte("one"), nil, []byte("two"), bytes.Repeat([]byte("3"), 10_000)}
	want := bytes.Join(bufs, nil)
	done := make(chan error, 1)
	go func() {
		_, err := bufs.WriteTo(a)
		done <- err
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(b, got); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if err := await(t, done, "net.Buffers.WriteTo"); err != nil {
		t.Fatalf("net.Buffers.WriteTo: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Error("other bytes were read than written as net.Buffers")
	}
}

// bufferReuse overwrites each buffer once Write has returned.
func (s *suite) bufferReuse(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	const rounds, size = 20, 1000
	p := make([]byte, size)
	for i := range rounds {
		for j := range p {
			p[j] = byte(i)
		}
		if _, err := a.Write(p); err != nil {
			t.Fatalf("Write: %v", err)
		}
	}
	clear(p)
	for i := range rounds {
		if _, err := io.ReadFull(b, p); err != nil {
			t.Fatalf("Read: %v", err)
		}
		if !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, size)) {
			t.Fatalf("write %d arrived with bytes of a later one", i)
		}
	}
}

// readDeadline lets a deadline pass in the middle of ten bytes.
func (s *suite) readDeadline(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	if _, err := io.WriteString(a, "01234"); err != nil {
		t.Fatalf("Write: %v", err)
	}
	p := make([]byte, 10)
	// The first half must be there before the deadline starts to run.
	if _, err := io.ReadFull(b, p[:1]); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if _, err := io.ReadFull(b, p[1:5]); err != nil {
		t.Fatalf("Read: %v", err)
	}
	setRead(t, b, time.Now().Add(soon))
	n, err := b.Read(p[5:])
	wantTimeout(t, "Read past its deadline", n, err)
	n, err = b.Read(p[5:])
	wantTimeout(t, "a second Read past the deadline", n, err)
	setRead(t, b, time.Now().Add(patience))
	if _, err := io.WriteString(a, "56789"); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if _, err := io.ReadFull(b, p[5:]); err != nil {
		t.Fatalf("Read after the deadline was set anew: %v", err)
	}
	if string(p) != "0123456789" {
		t.Errorf("read %q around a deadline", p)
	}
	exchange(t, b, a, "a read deadline is none for writes")
}

// writeDeadline lets a deadline pass while nobody reads, and then reads exactly
// what Write said that it took.
func (s *suite) writeDeadline(t *testing.T) {
	const most = 256 << 20
	a, b := s.pair(t, s.listen(t))
	src, chunk := pattern(3), make([]byte, 50_001)
	taken := 0
	for {
		if taken > most {
			t.Fatalf("Write took %d bytes that nobody read and did not wait", taken)
		}
		if err := a.SetWriteDeadline(time.Now().Add(soon)); err != nil {
			t.Fatalf("SetWriteDeadline: %v", err)
		}
		_, _ = src.Read(chunk)
		n, err := a.Write(chunk)
		taken += n
		if err != nil {
			wantTimeout(t, "Write past its deadline", 0, err)
			break
		}
		if n != len(chunk) {
			t.Fatalf("Write took %d of %d bytes without an error", n, len(chunk))
		}
	}
	if err := checkPattern(b, 3, taken); err != nil {
		t.Fatalf("after a Write that timed out: %v", err)
	}
	if err := a.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatalf("SetWriteDeadline: %v", err)
	}
	exchange(t, a, b, "on")
}

// deadlineWakes sets a deadline in the past under a waiting Read.
func (s *suite) deadlineWakes(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	for range 20 {
		done := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			close(started)
			_, err := b.Read(make([]byte, 1))
			done <- err
		}()
		<-started
		setRead(t, b, time.Unix(1, 0))
		wantTimeout(t, "Read under a deadline in the past", 0, await(t, done, "Read under a deadline in the past"))
		setRead(t, b, time.Now().Add(patience))
		exchange(t, a, b, "on")
	}
}

func setRead(t *testing.T, c net.Conn, at time.Time) {
	t.Helper()
	if err := c.SetReadDeadline(at); err != nil {
		t.Fatalf("SetReadDeadline: %v", err)
	}
}

func wantTimeout(t *testing.T, what string, n int, err error) {
	t.Helper()
	var netErr net.Error
	if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Fatalf("%s: %d, %v; want 0 and a net.Error with Timeout that is os.ErrDeadlineExceeded", what, n, err)
	}
}

// closeWakesRead closes under a waiting Read.
func (s *suite) closeWakesRead(t *testing.T) {
	l := s.listen(t)
	for range 10 {
		_, b := s.pair(t, l)
		s.closeWakes(t, b, func() error {
			_, err := b.Read(make([]byte, 1))
			return err
		})
	}
}

// closeWakesWrite closes under a Write that has no room.
func (s *suite) closeWakesWrite(t *testing.T) {
	_, b := s.pair(t, s.listen(t))
	s.closeWakes(t, b, func() error {
		p := make([]byte, 1<<20)
		for {
			if _, err := b.Write(p); err != nil {
				return err
			}
		}
	})
}

func (s *suite) closeWakes(t *testing.T, c transport.Conn, op func() error) {
	t.Helper()
	done, started := make(chan error, 1), make(chan struct{})
	go func() {
		close(started)
		done <- op()
	}()
	<-started
	if err := c.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := await(t, done, "an operation on a closed Conn"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("an operation ended by Close: %v, want net.ErrClosed", err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close: %v, want net.ErrClosed", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v, want net.ErrClosed", err)
	}
	c.Close() // more than once may be an error, but nothing worse
}

// peerCloses checks that what was written before Close arrives, then io.EOF.
func (s *suite) peerCloses(t *testing.T) {
	l := s.listen(t)
	for _, size := range []int{0, 1, 30_000} {
		a, b := s.pair(t, l)
		go func() {
			_ = sendPattern(a, 4, size)
			a.Close()
		}()
		if err := checkPattern(b, 4, size); err != nil {
			t.Fatalf("of %d bytes written before Close: %v", size, err)
		}
		if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("Read after the peer closed: %d, %v, want io.EOF itself", n, err)
		}
	}
}

// writeToNobody writes until the transport notices that the peer is gone.
func (s *suite) writeToNobody(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	b.Close()
	for {
		_, err := a.Write([]byte("x"))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Write to a peer that has closed does not fail within %v", patience)
		}
		if err != nil {
			return
		}
	}
}

// credentials checks what a CredConn says about this very process.
func (s *suite) credentials(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	for _, c := range []transport.Conn{a, b} {
		cc, ok := c.(transport.CredConn)
		if !ok {
			t.Skip("not a transport.CredConn")
		}
		got, err := cc.PeerCred()
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("PeerCred: %v", err)
		}
		for what, ids := range map[string][2]int{"pid": {got.PID, os.Getpid()}, "uid": {got.UID, os.Geteuid()}, "gid": {got.GID, os.Getegid()}} {
			if ids[0] != ids[1] && ids[0] != -1 {
				t.Errorf("PeerCred has %s %d, want ours, %d, or -1", what, ids[0], ids[1])
			}
		}
	}
}

// delivery checks what a DeliveryConn says of what its other end has read.
func (s *suite) delivery(t *testing.T) {
	a, b := s.pair(t, s.listen(t))
	c, ok := a.(transport.DeliveryConn)
	if !ok {
		t.Skip("not a transport.DeliveryConn")
	}
	want := func(written, read int64, final bool) {
		t.Helper()
		if w, r, f := c.Delivery(); w != written || r != read || f != final {
			t.Fatalf("Delivery is %d, %d, %v, want %d, %d, %v", w, r, f, written, read, final)
		}
	}
	want(0, 0, false)
	exchange(t, a, b, "read")
	want(4, 4, false)
	if _, err := io.WriteString(a, "unread"); err != nil {
		t.Fatal(err)
	}
	want(10, 4, false)
	a.Close()
	want(10, 4, false)
	if _, err := io.ReadFull(b, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	want(10, 7, false)
	b.Close()
	want(10, 7, true)
}
