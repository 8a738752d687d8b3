package curve_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/solomq/solomq/msgcore/curve"
)

var z85Vectors = []struct {
	bytes []byte
	text  string
}{
	{[]byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}, "HelloWorld"}, // RFC 32, Test Case
	{nil, ""},
	{[]byte{0, 0, 0, 0}, "00000"},
	{[]byte{0xff, 0xff, 0xff, 0xff}, "%nSc0"},
	// The keys of RFC 26's and libzmq's examples.
	{
		[]byte{
			0x8E, 0x0B, 0xDD, 0x69, 0x76, 0x28, 0xB9, 0x1D, 0x8F, 0x24, 0x55, 0x87, 0xEE, 0x95, 0xC5, 0xB0,
			0x4D, 0x48, 0x96, 0x3F, 0x79, 0x25, 0x98, 0x77, 0xB4, 0x9C, 0xD9, 0x06, 0x3A, 0xEA, 0xD3, 0xB7,
		},
		"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
	},
	{
		[]byte{
			0xBB, 0x88, 0x47, 0x1D, 0x65, 0xE2, 0x65, 0x9B, 0x30, 0xC5, 0x5A, 0x53, 0x21, 0xCE, 0xBB, 0x5A,
			0xAB, 0x2B, 0x70, 0xA3, 0x98, 0x64, 0x5C, 0x26, 0xDC, 0xA2, 0xB2, 0xFC, 0xB4, 0x3F, 0xC5, 0x18,
		},
		"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
	},
}

func TestZ85(t *testing.T) {
	for _, v := range z85Vectors {
		text, err := curve.EncodeZ85(v.bytes)
		require.NoError(t, err)
		require.Equal(t, v.text, text)
		b, err := curve.DecodeZ85(v.text)
		require.NoError(t, err)
		require.Equal(t, append([]byte{}, v.bytes...), b)
	}
}

func TestZ85Refuses(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 33} {
		_, err := curve.EncodeZ85(make([]byte, n))
		require.ErrorContains(t, err, "multiple of 4")
	}
	for _, s := range []string{"0", "0000", "000000"} {
		_, err := curve.DecodeZ85(s)
		require.ErrorContains(t, err, "multiple of 5")
	}
	for _, s := range []string{"%nSc1", "#####", "0000 ", "0000\"", "0000\x80", "0000\x00", "000é", "00,00", "00;00", "00~00", "0\\000"} {
		_, err := curve.DecodeZ85(s)
		require.ErrorContains(t, err, "not Z85", s)
		require.NotContains(t, err.Error(), s)
	}
}

// Each byte is the digit that the number of its value is written with, or none.
func TestZ85Digits(t *testing.T) {
	digits := map[byte]uint32{}
	for v := range uint32(85) {
		text, err := curve.EncodeZ85(binary.BigEndian.AppendUint32(nil, v))
		require.NoError(t, err)
		digits[text[4]] = v
	}
	require.Len(t, digits, 85)
	for c := range 256 {
		got, err := curve.DecodeZ85("0000" + string([]byte{byte(c)}))
		if v, ok := digits[byte(c)]; ok {
			require.NoError(t, err)
			require.Equal(t, binary.BigEndian.AppendUint32(nil, v), got)
		} else {
			require.Error(t, err, "%#x", c)
		}
	}
}

func FuzzZ85(f *testing.F) {
	for _, v := range z85Vectors {
		f.Add(v.text)
	}
	f.Add("%nSc1")
	f.Add("short")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := curve.DecodeZ85(s)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "curve: "))
			return
		}
		require.Len(t, b, len(s)/5*4)
		again, err := curve.EncodeZ85(b)
		require.NoError(t, err)
		require.Equal(t, s, again, "there is one way to write it")
	})
}
