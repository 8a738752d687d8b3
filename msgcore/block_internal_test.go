package msgcore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/zmtp"
)

// randomFrames returns the frames of a message: small mostly, with all the sizes
// at which something changes.
func randomFrames(r *rand.Rand) [][]byte {
	sizes := []int{0, 1, 2, 254, 255, 256, 257, 1000, inlineMax - 1, inlineMax, inlineMax + 1, 12_000, 70_000}
	frames := make([][]byte, 1+r.IntN(4))
	for i := range frames {
		n := r.IntN(60)
		if r.IntN(4) == 0 {
			n = sizes[r.IntN(len(sizes))]
		}
		frames[i] = randomBytes(r, n)
	}
	return frames
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// wireOf is what frames look like on the wire, by the codec alone.
func wireOf(frames [][]byte) (b []byte) {
	for i, f := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = zmtp.FlagMore
		}
		b = append(zmtp.AppendHeader(b, flags, len(f)), f...)
	}
	return b
}

func sameMessage(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// pushFrames queues a message as Send does, or as SendMsg.
func pushFrames(p *pipe, frames [][]byte, given bool) {
	var o outgoing
	o.set(frames, &sending{given: given})
	p.push(&o)
	o.unset()
}

// cut, at any byte of any block, does what a count of messages by hand does.
func TestBlockCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		var mu sync.Mutex
		p := newPipe(&mu, 0, 0)
		var all [][][]byte
		for range 1 + r.IntN(6) {
			m := randomFrames(r)
			all = append(all, m)
			pushFrames(p, m, r.IntN(2) == 0)
		}
		blocks := p.take(nil)
		for bi := range blocks {
			b := &blocks[bi]
			mine := all[:b.msgs]
			all = all[b.msgs:]
			cutOften(t, r, b, mine)
		}
		require.Empty(t, all)
	}
}

func cutOften(t *testing.T, r *rand.Rand, b *block, msgs [][][]byte) {
	t.Helper()
	held := slices.Clone(b.bodies)
	for len(msgs) > 0 {
		var wire []byte
		var ends []int
		frames := 0
		for _, m := range msgs {
			wire = append(wire, wireOf(m)...)
			ends = append(ends, len(wire))
			frames += len(m)
		}
		require.Equal(t, int64(len(wire)), b.size)
		require.Equal(t, len(msgs), b.msgs)
		require.Equal(t, frames, b.frames)
		parts := b.appendParts(nil)
		require.True(t, bytes.Equal(wire, bytes.Join(parts, nil)))
		for _, p := range parts {
			require.NotEmpty(t, p)
		}

		n := r.IntN(len(wire) + 1)
		if r.IntN(3) == 0 { // at the end of a message, or beside it
			n = min(max(ends[r.IntN(len(ends))]+r.IntN(3)-1, 0), len(wire))
		}
		done := 0
		for done < len(ends) && ends[done] <= n {
			done++
		}
		size := 0
		if done > 0 {
			size = ends[done-1]
		}
		gotMsgs, gotSize := b.cut(int64(n))
		require.Equal(t, done, gotMsgs, "cut after %d of %v", n, ends)
		require.Equal(t, int64(size), gotSize)
		msgs = msgs[done:]
		if n == 0 && r.IntN(4) == 0 {
			break
		}
	}
	b.free()
	for _, bd := range held {
		if bd.own != nil {
			require.Zero(t, bd.own.refs.Load(), "a body was not given back once")
		}
	}
}

// Whatever is pushed comes out as it was, whatever was taken, put back and taken
// again meanwhile, and the accounts are even in the end.
func TestPipeRoundTrip(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		var mu sync.Mutex
		p := newPipe(&mu, []int{0, 1, 2, 7, 1000}[r.IntN(5)], 0)
		p.maxMsgs = 0 // only the batches follow the mark here
		p.direct = r.IntN(2) == 0
		in := &inlet{pipe: p, peer: &peer{}, wake: make(chan struct{}, 1)}
		var queue [][][]byte
		var keep []Msg
		var kept [][][]byte
		id := []byte(nil)
		extra := 0
		if r.IntN(3) == 0 {
			id, extra = []byte("routing id"), 1
		}
		for range 3000 {
			switch r.IntN(10) {
			case 0:
				blocks := p.take(nil) // a connection that broke before it wrote
				p.untake(blocks)
			case 1, 2, 3, 4:
				if ok, _ := in.refill(extra); !ok {
					require.Empty(t, queue)
					continue
				}
				want := queue[0]
				queue = queue[1:]
				var m Msg
				in.pop(&m, id)
				got := m.Frames
				if id != nil {
					require.Equal(t, id, got[0])
					got[0][0]++ // it is the message's own
					got = got[1:]
				}
				require.True(t, sameMessage(want, got))
				if r.IntN(9) == 0 {
					keep, kept = append(keep, m), append(kept, want)
				} else if r.IntN(3) != 0 {
					m.Release()
				}
			default:
				m := randomFrames(r)
				queue = append(queue, m)
				if r.IntN(3) == 0 {
					shared := fanout{o: &outgoing{}, left: 2}
					shared.o.set(m, &sending{given: r.IntN(2) == 0})
					shared.push(p)
					shared.done()
				} else {
					pushFrames(p, m, r.IntN(2) == 0)
				}
			}
		}
		for len(queue) > 0 {
			ok, _ := in.refill(extra)
			require.True(t, ok)
			var m Msg
			in.pop(&m, nil)
			require.True(t, sameMessage(queue[0], m.Frames))
			queue = queue[1:]
		}
		ok, _ := in.refill(extra)
		require.False(t, ok)
		require.Zero(t, p.msgs)
		require.Zero(t, p.bytes)
		for i, m := range keep {
			got := m.Frames
			if id != nil {
				got = got[1:]
			}
			require.True(t, sameMessage(kept[i], got), "a message that was kept has changed")
		}
	}
}

// A Msg and an error go through the nine registers that amd64 has for results.
func TestMsgFitsRegisters(t *testing.T) {
	words := 2 // the error
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Msg]()) {
		switch f.Type.Kind() {
		case reflect.Slice:
			words += 3
		case reflect.Uint32, reflect.Uint64, reflect.Pointer:
			words++
		default:
			t.Fatalf("count the words of %s, a %v", f.Name, f.Type)
		}
	}
	require.LessOrEqual(t, words, 9)
}

// What pushShort appends at once is what pushFrames would have, message by message,
// and it stops where a message has to wait or is none of its own.
func TestPushShort(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	atOnce := 0
	for range 3000 {
		var mu sync.Mutex
		maxMsgs, maxBytes, smallMax := r.IntN(40), int64(r.IntN(3)*r.IntN(2000)), []int{inlineMax, 200, 30}[r.IntN(3)]
		one, run := newPipe(&mu, maxMsgs, maxBytes), newPipe(&mu, maxMsgs, maxBytes)
		msgs := make([]Msg, r.IntN(60))
		for i := range msgs {
			msgs[i].Frames = [][]byte{randomBytes(r, r.IntN(50))}
			if r.IntN(20) == 0 {
				msgs[i].Frames = randomFrames(r)
			}
		}
		sizeOf := func(m Msg) (n int) {
			for _, f := range m.Frames {
				n += frameSize(len(f))
			}
			return n
		}
		taken := func(p *pipe, m Msg) bool {
			n := sizeOf(m)
			if n > smallMax || !p.room(int64(n)) {
				return false
			}
			p.pushFrames(m.Frames, n)
			return true
		}
		sent := 0
		for sent < len(msgs) && taken(one, msgs[sent]) {
			sent++
		}
		n := 0
		for n < len(msgs) && taken(run, msgs[n]) {
			n++
			k := run.pushShort(msgs[n:], smallMax)
			n, atOnce = n+k, atOnce+k
		}
		require.Equal(t, sent, n)
		require.Equal(t, []any{one.msgs, one.bytes, one.open, len(one.blocks)}, []any{run.msgs, run.bytes, run.open, len(run.blocks)})
		for i := range one.blocks {
			a, b := &one.blocks[i], &run.blocks[i]
			require.Equal(t, a.b, b.b)
			require.Equal(t, []any{a.msgs, a.frames, a.size}, []any{b.msgs, b.frames, b.size})
		}
	}
	require.Positive(t, atOnce)
}

// The fair queue's ring is a queue.
func TestFairQueueRing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var q fairQueue
	var model []*inlet
	for range 20_000 {
		switch k := r.IntN(5); {
		case k < 2 && len(model) < 100 || len(model) == 0:
			in := &inlet{}
			q.add(in)
			model = append(model, in)
		case k < 4:
			q.rotate()
			model = append(model[1:], model[0])
		default:
			q.drop()
			model = model[1:]
		}
		require.Equal(t, len(model), q.n)
		for i, in := range model {
			require.Same(t, in, q.ring[(q.head+i)%len(q.ring)])
		}
		for i := q.n; i < len(q.ring); i++ {
			require.Nil(t, q.ring[(q.head+i)%len(q.ring)], "what left is still held")
		}
	}
}

// A waitList is a queue from which anybody can step out.
func TestWaitList(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var l waitList
	var model []*waiter
	for range 20_000 {
		switch k := r.IntN(5); {
		case k < 2 && len(model) < 50 || len(model) == 0:
			w := l.add()
			require.NotContains(t, model, w)
			model = append(model, w)
		case k < 4:
			i := r.IntN(len(model))
			require.True(t, l.remove(model[i]))
			require.False(t, l.remove(model[i]))
			l.free(model[i])
			model = slices.Delete(model, i, i+1)
		default:
			w := l.pop()
			require.Same(t, model[0], w)
			w.signal()
			<-w.ch
			l.free(w)
			model = model[1:]
		}
	}
	for _, want := range model {
		require.Same(t, want, l.pop())
	}
	require.Nil(t, l.pop())
	l.pop().signal() // nobody
}

// Waiters that give up at the moment they are woken pass it on: of n signals
// and n waiters none is lost.
func TestWaitListCancelled(t *testing.T) {
	var mu sync.Mutex
	var l waitList
	tokens := 0 // guarded by mu; what the waiters wait for
	var taken, gaveUp int
	var all sync.WaitGroup
	ctx := context.Background()
	const waiters, rounds = 8, 300
	for g := range waiters {
		all.Add(1)
		go func() {
			defer all.Done()
			r := rand.New(rand.NewPCG(5, uint64(g)))
			for range rounds {
				for got := false; !got; {
					c, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(50_000)))
					mu.Lock()
					for {
						if tokens > 0 {
							tokens--
							taken++
							got = true
							mu.Unlock()
							break
						}
						w := l.add()
						mu.Unlock()
						if l.wait(c, &mu, w) != nil {
							mu.Lock()
							gaveUp++
							mu.Unlock()
							break
						}
						mu.Lock()
					}
					cancel()
				}
			}
		}()
	}
	for range waiters * rounds {
		mu.Lock()
		tokens++
		w := l.pop()
		mu.Unlock()
		w.signal()
	}
	all.Wait()
	require.Equal(t, waiters*rounds, taken)
	require.Zero(t, tokens)
	require.Nil(t, l.head)
}

// Every size fits its class, wastes little, and classes go up with sizes.
func TestBodyClasses(t *testing.T) {
	lastClass, lastSize := int8(0), 0
	sizes := map[int8]int{}
	for n := 0; n <= 5<<20; n++ {
		class, size := bodyClass(n)
		if size < n {
			t.Fatalf("%d bytes do not fit in %d", n, size)
		}
		if n > bodyMin && (size-n)*4 > n {
			t.Fatalf("%d bytes take %d", n, size)
		}
		if class < 0 {
			if n <= 4<<20 || size != n {
				t.Fatalf("no class for %d bytes", n)
			}
			continue
		}
		if class < lastClass || size < lastSize || int(class) >= bodyClasses {
			t.Fatalf("%d bytes: class %d of %d after class %d of %d", n, class, size, lastClass, lastSize)
		}
		if old, ok := sizes[class]; ok && old != size {
			t.Fatalf("class %d has the sizes %d and %d", class, old, size)
		}
		sizes[class], lastClass, lastSize = size, class, size
	}
	require.Len(t, sizes, bodyClasses)
	for _, n := range []int{0, bodyMin, bodyMin + 1, 100_000, 4 << 20, 4<<20 + 1} {
		b := newBody(n)
		require.GreaterOrEqual(t, len(b.buf), n)
		b.drop()
	}
}

// A segConn gives a stream in pieces, and takes whatever is written.
type segConn struct {
	net.Conn // nil
	pieces   [][]byte
}

func (c *segConn) Read(p []byte) (int, error) {
	for len(c.pieces) > 0 && len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.pieces[0])
	c.pieces[0] = c.pieces[0][n:]
	return n, nil
}

func (*segConn) Write(p []byte) (int, error)      { return len(p), nil }
func (*segConn) Close() error                     { return nil }
func (*segConn) SetReadDeadline(time.Time) error  { return nil }
func (*segConn) SetWriteDeadline(time.Time) error { return nil }

// readPieces returns the messages that a PULL makes of a stream in pieces.
func readPieces(t testing.TB, pieces [][]byte) (msgs [][][]byte) {
	t.Helper()
	s := NewPull(&Options{RecvHWM: -1, RecvBytes: -1})
	defer s.Close()
	info := &PeerInfo{Endpoint: "test://"}
	ss := &session{s: s, version: zmtp.Version{Major: 3, Minor: 1}, conn: &segConn{pieces: pieces}, info: info, stop: make(chan struct{})}
	ss.hb.ss = ss
	require.NoError(t, ss.attach(newPeer(s, ss.info)))
	err := ss.run(false)
	require.ErrorIs(t, err, io.EOF, "%v", err)
	for {
		m, ok, err := s.TryRecv()
		require.NoError(t, err)
		if !ok {
			return msgs
		}
		frames := make([][]byte, len(m.Frames))
		for i, f := range m.Frames {
			frames[i] = bytes.Clone(f)
		}
		msgs = append(msgs, frames)
		m.Release()
	}
}

// randomStream is a valid stream, with commands between messages and between
// frames, and the messages that are in it.
func randomStream(r *rand.Rand, n int) (stream []byte, msgs [][][]byte) {
	command := func() {
		switch r.IntN(24) {
		case 0:
			stream = zmtp.AppendPing(stream, time.Second, []byte("context"))
		case 1:
			stream = zmtp.AppendCommand(stream, "UNKNOWN", randomBytes(r, r.IntN(600)))
		case 2:
			stream = zmtp.AppendPong(stream, nil)
		}
	}
	for range n {
		m := randomFrames(r)
		msgs = append(msgs, m)
		for i, f := range m {
			command()
			var flags byte
			if i < len(m)-1 {
				flags = zmtp.FlagMore
			}
			if r.IntN(10) == 0 && len(f) <= 255 { // a long header for a short frame is allowed
				stream = append(stream, flags|zmtp.FlagLong, 0, 0, 0, 0, 0, 0, 0, byte(len(f)))
			} else {
				stream = zmtp.AppendHeader(stream, flags, len(f))
			}
			stream = append(stream, f...)
		}
		command()
	}
	return stream, msgs
}

func requireMessages(t testing.TB, want, got [][][]byte) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if !sameMessage(want[i], got[i]) {
			t.Fatalf("message %d of %d is another", i, len(want))
		}
	}
	require.Equal(t, len(want), len(got))
}

// The same messages come of a stream however it was cut into pieces.
func TestReaderPieces(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 6))
		stream, want := randomStream(r, 1+r.IntN(80))
		var pieces [][]byte
		most := []int{1, 10, 300, 5000, 100_000}[seed%5]
		if most == 1 && len(stream) > 50_000 {
			most = 50
		}
		for rest := stream; len(rest) > 0; {
			n := min(1+r.IntN(most), len(rest))
			pieces = append(pieces, bytes.Clone(rest[:n]))
			rest = rest[n:]
		}
		requireMessages(t, want, readPieces(t, pieces))
	}
}

// FuzzReaderPieces lets the fuzzer choose the stream and the pieces.
func FuzzReaderPieces(f *testing.F) {
	f.Add(uint64(1), uint8(3), []byte{1, 2, 3, 255})
	f.Add(uint64(2), uint8(40), []byte{0})
	f.Add(uint64(3), uint8(10), []byte{9, 0, 200, 7, 7, 7})
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, cuts []byte) {
		r := rand.New(rand.NewPCG(seed, 7))
		stream, want := randomStream(r, int(n))
		var pieces [][]byte
		rest := stream
		for i := 0; len(rest) > 0; i++ {
			k := len(rest)
			if len(cuts) > 0 { // small pieces first, in turn with those up to 64 KiB
				k = int(cuts[i%len(cuts)]) + 1
				if i%2 == 1 {
					k *= 257
				}
				k = min(k, len(rest))
			}
			pieces = append(pieces, rest[:k])
			rest = rest[k:]
		}
		requireMessages(t, want, readPieces(t, pieces))
	})
}

// BenchmarkPipe is what a message costs within the data path: into a block and
// out of it, without a socket's locks and without a wake-up.
func BenchmarkPipe(b *testing.B) {
	for _, size := range []int{16, 64, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var mu sync.Mutex
			p := newPipe(&mu, 1000, 0)
			in := &inlet{pipe: p, peer: &peer{}, wake: make(chan struct{}, 1)}
			frames := [][]byte{make([]byte, size)}
			var o outgoing
			var m Msg
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for i := 0; i < b.N; {
				n := min(500, b.N-i)
				for range n {
					mu.Lock()
					o.set(frames, &sending{})
					p.push(&o)
					o.unset()
					mu.Unlock()
				}
				for range n {
					if ok, _ := in.refill(0); !ok {
						b.Fatal("the pipe is empty")
					}
					in.pop(&m, nil)
					m.Release()
				}
				i += n
			}
		})
	}
}

// BenchmarkReader is the reading side alone, from a stream that is there.
func BenchmarkReader(b *testing.B) {
	frame := wireOf([][]byte{make([]byte, 64)})
	stream := bytes.Repeat(frame, 1000)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	s := NewPull(&Options{RecvHWM: -1, RecvBytes: -1})
	defer s.Close()
	for i := 0; i < b.N; i += 1000 {
		ss := &session{s: s, version: zmtp.Version{Major: 3, Minor: 1}, conn: &segConn{pieces: [][]byte{stream}}, info: &PeerInfo{}, stop: make(chan struct{})}
		ss.hb.ss = ss
		if err := ss.attach(newPeer(s, ss.info)); err != nil {
			b.Fatal(err)
		}
		_ = ss.run(false)
		for {
			m, ok, err := s.TryRecv()
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
			m.Release()
		}
	}
}
