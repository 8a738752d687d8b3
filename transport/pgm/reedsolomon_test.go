package pgm_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/transport/pgm"
)

// What OpenPGM's encoder makes of the same packets.
func TestParityVectors(t *testing.T) {
	f, err := os.Open("testdata/openpgm-parity.txt")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var k, j int
		var want string
		_, err := fmt.Sscan(s.Text(), &k, &j, &want)
		require.NoError(t, err)
		data := make([][]byte, k)
		for i := range data {
			for b := range 8 {
				data[i] = append(data[i], byte(i*37+b*91+11*i*b))
			}
		}
		require.Equal(t, want, hex.EncodeToString(pgm.EncodeParity(data, j, 8)), s.Text())
	}
	require.Equal(t, 20, n)
}

// Any k packets of a block are enough, however long each is.
func TestAnyOfTheBlock(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for k := pgm.MinGroup; k <= pgm.MaxGroup; k *= 2 {
		for range 8 {
			anyOf(t, rnd, k, 1+rnd.IntN(60))
		}
	}
}

func anyOf(t *testing.T, rnd *rand.Rand, k, size int) {
	data := make([][]byte, k)
	for i := range data {
		data[i] = make([]byte, rnd.IntN(size+1))
		for b := range data[i] {
			data[i][b] = byte(rnd.Uint32())
		}
	}
	block := append([][]byte(nil), data...)
	for j := range pgm.MaxBlock - k {
		block = append(block, pgm.EncodeParity(data, j, size))
	}
	var known []byte
	var packets [][]byte
	have := make([]bool, k)
	for _, i := range rnd.Perm(len(block))[:k] {
		known, packets = append(known, byte(i)), append(packets, block[i])
		if i < k {
			have[i] = true
		}
	}
	for i, ok := range have {
		if !ok {
			got := pgm.Decode(known, packets, byte(i), size)
			require.True(t, bytes.HasPrefix(got, data[i]), "%d of %d by %d", i, k, known)
			require.Empty(t, bytes.Trim(got[len(data[i]):], "\x00"))
		}
	}
}

func FuzzParity(f *testing.F) {
	f.Add(uint64(1), byte(3), byte(9))
	f.Fuzz(func(t *testing.T, seed uint64, log, size byte) {
		anyOf(t, rand.New(rand.NewPCG(seed, 3)), 2<<(log%7), 1+int(size))
	})
}

func BenchmarkEncodeParity(b *testing.B) {
	for _, k := range []int{8, 16, 32, 128} {
		b.Run(fmt.Sprint(k), func(b *testing.B) { benchmarkParity(b, k, pgm.Combine) })
	}
}

// To decode one packet takes its coefficients as well.
func BenchmarkDecodeParity(b *testing.B) {
	for _, k := range []int{8, 16, 32, 128} {
		known := make([]byte, k)
		for i := range known {
			known[i] = byte(i + 1) // all but the first, and a parity packet
		}
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			benchmarkParity(b, k, func(dst, _ []byte, packets [][]byte) {
				pgm.Combine(dst, pgm.Coefficients(known, []byte{0})[0], packets)
			})
		})
	}
}

func benchmarkParity(b *testing.B, k int, f func(dst, coefs []byte, packets [][]byte)) {
	known := make([]byte, k)
	packets := make([][]byte, k)
	for i := range packets {
		known[i], packets[i] = byte(i), bytes.Repeat([]byte{byte(i)}, 1428)
	}
	coefs := pgm.Coefficients(known, []byte{byte(k)})[0]
	dst := make([]byte, 1430)
	b.SetBytes(int64(k * 1428))
	for b.Loop() {
		f(dst, coefs, packets)
	}
}
