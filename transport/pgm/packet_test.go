package pgm_test

import (
	"bufio"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// captured returns the packets that libzmq's publisher and subscriber have
// exchanged while some were lost.
func captured(t testing.TB) [][]byte {
	t.Helper()
	f, err := os.Open("testdata/libzmq-4.3.4.txt")
	require.NoError(t, err)
	defer f.Close()
	var all [][]byte
	for s := bufio.NewScanner(f); s.Scan(); {
		_, text, _ := strings.Cut(s.Text(), " ")
		b, err := hex.DecodeString(text)
		require.NoError(t, err)
		all = append(all, b)
	}
	require.Greater(t, len(all), 40)
	return all
}

// Each captured packet is understood, and built anew it is the same byte by byte.
func TestCaptured(t *testing.T) {
	types := map[byte]int{}
	for _, b := range captured(t) {
		p, again, err := pgm.Parse(b)
		require.NoError(t, err, "%x", b)
		types[p.Type]++
		if len(p.List) > 0 { // libzmq leaves a reserved byte of the option to chance
			at := len(b) - 4*len(p.List) - 2
			again[at] = b[at]
			again = pgm.Finish(again)
		}
		require.Equal(t, b, again)
	}
	for _, typ := range []byte{0, 4, 5, 8, 0x0A} {
		require.NotZero(t, types[typ], "none of type %x", typ)
	}
}

// A packet of which a bit was flipped is refused: of those that have a checksum,
// each. (Not all bits of long ones are tried.)
func TestFlippedBits(t *testing.T) {
	for _, b := range captured(t) {
		for i := 0; i < len(b)*8; i += 1 + i/1000 {
			bad := append([]byte(nil), b...)
			bad[i/8] ^= 1 << (i % 8)
			_, _, err := pgm.Parse(bad)
			require.Error(t, err, "bit %d of %x", i, b)
		}
	}
}

// With the checksum mended, what is damaged elsewhere must do no harm.
func TestFlippedBitsMended(t *testing.T) {
	r := pgm.NewTestReceiver(1, 1<<10, func([]byte) {}, func(pgm.TestDelivery) {})
	s := pgm.NewTestSender(1, 16, func([]byte) {})
	s.Start(0)
	for _, b := range append(captured(t), exchanged()...) {
		for i := range min(len(b), 120) * 8 {
			bad := append([]byte(nil), b...)
			bad[i/8] ^= 1 << (i % 8)
			bad = pgm.Finish(bad)
			r.Input(0, bad, "10.0.0.1")
			r.Tick(0)
			s.Input(0, bad)
		}
	}
	require.NotZero(t, r.Counters.Malformed.Load())
	require.LessOrEqual(t, r.Sources(), 256)
}

func TestChecksum(t *testing.T) {
	slow := func(b []byte) uint16 {
		var sum uint32
		for i, c := range b {
			sum += uint32(c) << (8 * (1 - i%2))
			sum = sum>>16 + sum&0xFFFF
		}
		return uint16(sum)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32() >> (n % 3 * 8))
		}
		require.Equal(t, slow(b), pgm.Checksum(b), "%x", b)
	}
	ones := make([]byte, 1500)
	for i := range ones {
		ones[i] = 0xFF
	}
	require.Equal(t, slow(ones), pgm.Checksum(ones))
}

func FuzzPacket(f *testing.F) {
	for _, b := range append(captured(f), exchanged()...) {
		f.Add(b[:min(len(b), 200)])
	}
	r := pgm.NewTestReceiver(1, 1<<10, func([]byte) {}, func(pgm.TestDelivery) {})
	s := pgm.NewTestSender(1, 16, func([]byte) {})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 16 {
			b = pgm.Finish(append([]byte(nil), b...))
		}
		p, _, err := pgm.Parse(b)
		if err == nil && len(p.Data) > len(b) {
			t.Fatal("more data than there is")
		}
		r.Input(0, b, "10.0.0.1")
		r.Tick(0)
		s.Input(0, b)
		if r.Sources() > 256 || r.Slots() > 256<<10 {
			t.Fatalf("%d sources, %d slots", r.Sources(), r.Slots())
		}
	})
}
