package curve

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// z85Digits are the digits of Z85 in the order of their values (RFC 32).
const z85Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// z85Values has one more than the value of each digit, and 0 for other bytes.
var z85Values = [256]byte{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16, 'g': 17, 'h': 18, 'i': 19, 'j': 20,
	'k': 21, 'l': 22, 'm': 23, 'n': 24, 'o': 25, 'p': 26, 'q': 27, 'r': 28, 's': 29, 't': 30,
	'u': 31, 'v': 32, 'w': 33, 'x': 34, 'y': 35, 'z': 36, 'A': 37, 'B': 38, 'C': 39, 'D': 40,
	'E': 41, 'F': 42, 'G': 43, 'H': 44, 'I': 45, 'J': 46, 'K': 47, 'L': 48, 'M': 49, 'N': 50,
	'O': 51, 'P': 52, 'Q': 53, 'R': 54, 'S': 55, 'T': 56, 'U': 57, 'V': 58, 'W': 59, 'X': 60,
	'Y': 61, 'Z': 62, '.': 63, '-': 64, ':': 65, '+': 66, '=': 67, '^': 68, '!': 69, '/': 70,
	'*': 71, '?': 72, '&': 73, '<': 74, '>': 75, '(': 76, ')': 77, '[': 78, ']': 79, '{': 80,
	'}': 81, '@': 82, '%': 83, '$': 84, '#': 85,
}

// EncodeZ85 returns b in Z85 (RFC 32), five characters for four bytes. The length
// of b must be a multiple of four, or the result is an error.
func EncodeZ85(b []byte) (string, error) {
	if len(b)%4 != 0 {
		return "", fmt.Errorf("curve: %d bytes in Z85: the number must be a multiple of 4", len(b))
	}
	out := make([]byte, 0, len(b)/4*5)
	for ; len(b) > 0; b = b[4:] {
		v := binary.BigEndian.Uint32(b)
		var digits [5]byte
		for i := range digits {
			digits[4-i] = z85Digits[v%85]
			v /= 85
		}
		out = append(out, digits[:]...)
	}
	return string(out), nil
}

var errZ85 = errors.New("curve: text is not Z85: it has a character or a group of five that stands for nothing")

// DecodeZ85 returns the bytes that s stands for. It is an error if the length of
// s is not a multiple of five, or if s has a character that is no digit of Z85 or
// a group of five worth 2^32 or more. The error does not quote s, which may be a
// secret.
func DecodeZ85(s string) ([]byte, error) {
	if len(s)%5 != 0 {
		return nil, fmt.Errorf("curve: %d characters of Z85: the number must be a multiple of 5", len(s))
	}
	out := make([]byte, 0, len(s)/5*4)
	for ; len(s) > 0; s = s[5:] {
		var v uint64
		for i := range 5 {
			d := z85Values[s[i]]
			if d == 0 {
				return nil, errZ85
			}
			v = v*85 + uint64(d-1)
		}
		if v >= 1<<32 {
			return nil, errZ85
		}
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	return out, nil
}
