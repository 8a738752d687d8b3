package pgm

import (
	"crypto/subtle"
	"encoding/binary"
)

// Reed-Solomon erasure codes over GF(2^8), as RFC 3208 section 11 has them (by
// Rizzo): the k packets of a group are, byte by byte, the values of a polynomial of
// degree below k at k points, and a parity packet is its value at another point.
// Any k of them all determine the polynomial, and with it the others.

const (
	maxBlock = 255 // packets of a group and its parity packets together
	minGroup = 2
	maxGroup = 128
)

// groupSize reports whether a group may have k packets.
func groupSize(k int) bool { return k >= minGroup && k <= maxGroup && k&(k-1) == 0 }

// field has the powers of x modulo x^8+x^4+x^3+x^2+1, and their logarithms.
var field = func() (f struct {
	exp [255]byte
	log [256]byte
},
) {
	for i, x := 0, 1; i < 255; i++ {
		f.exp[i], f.log[x] = byte(x), byte(i)
		if x <<= 1; x > 255 {
			x ^= 0x11D
		}
	}
	return f
}()

// point is where the polynomial has the value that is packet i of a block.
func point(i byte) byte {
	if i == 0 {
		return 0
	}
	return field.exp[i-1]
}

// coefficients returns for each of the wanted packets of a block what the packets of
// known, which are k, all different, and none of them wanted, are to be multiplied by:
// their sum is the wanted one.
func coefficients(known, wanted []byte) [][]byte {
	// Lagrange's formula. What is divided by is the same for all that is wanted, and
	// none of it is 0 as the points differ.
	below := make([]int, len(known)) // logarithms
	for i, a := range known {
		for _, b := range known {
			if a != b {
				below[i] += int(field.log[point(a)^point(b)])
			}
		}
	}
	rows := make([][]byte, len(wanted))
	for r, w := range wanted {
		above := 0
		for _, a := range known {
			above += int(field.log[point(w)^point(a)])
		}
		rows[r] = make([]byte, len(known))
		for i, a := range known {
			d := above - int(field.log[point(w)^point(a)]) - below[i]
			rows[r][i] = field.exp[(d%255+255)%255]
		}
	}
	return rows
}

// combine makes dst the sum of the packets, each multiplied by its coefficient. They
// are at most as long as dst, and end in zeros if they are shorter.
func combine(dst, coefs []byte, packets [][]byte) {
	clear(dst)
	// Bit by bit of the coefficients, the highest first: then almost all is to add
	// packets up, which the system does many bytes at a time.
	for bit := 7; ; bit-- {
		for i, c := range coefs {
			if c>>bit&1 != 0 {
				subtle.XORBytes(dst, dst, packets[i])
			}
		}
		if bit == 0 {
			return
		}
		double(dst)
	}
}

// double multiplies each byte of b by x.
func double(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		v := binary.LittleEndian.Uint64(b)
		high := v >> 7 & 0x0101010101010101
		binary.LittleEndian.PutUint64(b, v<<1&0xFEFEFEFEFEFEFEFE^high*0x1D)
	}
	for i, c := range b {
		b[i] = c<<1 ^ c>>7*0x1D
	}
}
