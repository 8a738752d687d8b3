//go:build amd64 && !purego

package curve_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/cpu"

	"github.com/solomq/solomq/msgcore/curve"
	"github.com/solomq/solomq/msgcore/zmtp"
)

// What this processor can do is what others find, who ask it at each start.
func TestWidths(t *testing.T) {
	want := []string{"generic"}
	if cpu.X86.HasAVX2 {
		want = append(want, "8 blocks")
		if cpu.X86.HasAVX512F {
			want = append(want, "16 blocks")
		}
	}
	got, _, _ := curve.Widths()
	require.Equal(t, want, got)
}

// The processor is asked again by whoever makes a key stream first, of whatever size.
func TestWidthIsAskedFor(t *testing.T) {
	for _, size := range []int{1, 10_000} {
		curve.WidthAsked()
		_, err := curve.NewSession([32]byte{}, true).Seal(nil, zmtp.Frame{Body: make([]byte, size)})
		require.NoError(t, err)
		require.True(t, curve.WidthAsked())
	}
	curve.WidthAsked()
}

// Wide registers are used only where the processor has them and the system keeps
// them, and XCR0 is read only where it can be.
func TestWidthOf(t *testing.T) {
	const (
		osxsave     = 1 << 27
		avx2, avx51 = 1 << 5, 1 << 16
		ymm, all    = 0x07, 0xe7
	)
	for name, c := range map[string]struct {
		last, ecx, ebx, xcr0 uint32
		want                 int32
	}{
		"all there is":                       {13, osxsave, avx2 | avx51, all, 16},
		"and what is none of ours":           {0x1f, ^uint32(0), ^uint32(0), 0x602ff, 16},
		"no AVX-512":                         {13, osxsave, avx2, all, 8},
		"the system does not know it":        {13, osxsave, avx2 | avx51, ymm, 8},
		"nor keeps opmasks":                  {13, osxsave, avx2 | avx51, all &^ (1 << 5), 8},
		"nor upper halves":                   {13, osxsave, avx2 | avx51, all &^ (1 << 6), 8},
		"nor the upper sixteen":              {13, osxsave, avx2 | avx51, all &^ (1 << 7), 8},
		"no AVX2":                            {13, osxsave, 0, ymm, 1},
		"AVX-512 alone":                      {13, osxsave, avx51, all, 1},
		"the system keeps no ymm":            {13, osxsave, avx2 | avx51, all &^ (1 << 2), 1},
		"nor xmm":                            {13, osxsave, avx2 | avx51, all &^ (1 << 1), 1},
		"nothing":                            {13, osxsave, avx2 | avx51, 0, 1},
		"it keeps what it was not asked for": {13, ^uint32(osxsave), avx2 | avx51, all, 1},
		"an old processor":                   {6, osxsave, avx2 | avx51, all, 1},
		"a very old one":                     {0, osxsave, avx2 | avx51, all, 1},
	} {
		t.Run(name, func(t *testing.T) {
			cpuid := func(leaf, sub uint32) (eax, ebx, ecx, edx uint32) {
				require.LessOrEqual(t, leaf, c.last, "the answer would be anything")
				require.Zero(t, sub)
				switch leaf {
				case 0:
					return c.last, 0, 0, 0
				case 1:
					return 0, 0, c.ecx, 0
				}
				return 0, c.ebx, 0, 0
			}
			xcr0 := func() uint32 {
				require.NotZero(t, c.ecx&osxsave, "it would be an illegal instruction")
				return c.xcr0
			}
			require.Equal(t, c.want, curve.WidthOf(cpuid, xcr0))
		})
	}
}
